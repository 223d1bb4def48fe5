//! The ways to train through the choice.

pub mod names;
pub mod recipe;
pub mod trainer;
pub mod wrong;
