//! A training, from the settings to the summary.

pub mod checkpoint;
pub mod curves;
pub mod display;
pub mod diverged;
pub mod kept;
pub mod learner;
pub mod limits;
pub mod metrics;
pub mod minibatches;
pub mod plan;
pub mod report;
pub mod run;
mod seal;
pub mod settings;
mod stepwise;
pub mod trials;
pub mod validation;
