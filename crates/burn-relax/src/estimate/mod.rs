//! Estimators of the gradient of an expected cost: what to expect of one, baselines for its variance, and the form for higher
//! orders.

pub(crate) mod baseline;
pub(crate) mod dice;
pub(crate) mod label;

pub use baseline::{Baseline, batch_baseline, leave_one_out_baseline};
pub use dice::dice;
pub use label::{Bias, Label};
