//! The combined network: a classifier picks a class, a regression layer gives one value per class, and the output is the
//! value of the picked class. The pick is an argmax and has no gradient; `burn_relax::Selector` trains through it.

pub mod network;
pub mod task;
