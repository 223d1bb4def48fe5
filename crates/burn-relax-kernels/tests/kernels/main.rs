//! The row kernels, all of them through one list of operators: see `operators`.

mod accuracy;
mod bits;
mod careful;
mod case;
mod contract;
mod fuzz;
mod noise;
mod operators;
mod oracle;
mod paths;
mod sparse;
mod support;
mod tensors;
mod threshold;
