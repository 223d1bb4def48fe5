//! Rows to learn from, what is known about them, and what a network chooses for them.

pub mod choices;
pub mod dataset;
pub mod exact;
pub mod line;
pub mod mersenne;
pub mod number_file;
pub mod problem;
pub mod random;
pub mod scaling;
pub mod table;
mod watch;
