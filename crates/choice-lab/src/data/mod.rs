//! Rows to learn from, what is known about them, and what a network chooses for them.

pub mod choices;
mod column;
pub mod dataset;
pub mod exact;
mod field;
pub mod line;
pub mod mersenne;
pub mod number_file;
pub mod oracle;
pub mod problem;
pub mod random;
pub mod samples;
pub mod scaling;
mod separator;
pub mod table;
pub mod table_config;
mod watch;
