//! The commands, each with its own options: what is read from the command line, done and printed.

mod arguments;
pub mod audit;
pub mod compare;
pub mod completions;
pub mod curves;
pub mod import;
pub mod polynomial;
pub mod predict;
pub mod serve;
pub mod train;
