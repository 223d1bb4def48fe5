//! A training, from the settings to the summary.

pub mod checkpoint;
pub mod curves;
pub mod display;
pub mod learner;
pub mod metrics;
pub mod minibatches;
pub mod plan;
pub mod report;
pub mod run;
pub mod settings;
mod stepwise;
pub mod validation;
