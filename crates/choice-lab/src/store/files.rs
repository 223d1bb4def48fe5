//! The names of the files in a run folder.

/// Parameters, in Burn's own format.
pub const MODEL: &str = "model.bpk";
/// What was trained and how, or where the weights came from.
pub const CONFIG: &str = "config.json";
/// The run's report and curves.
pub const METRICS: &str = "metrics.json";
/// The test rows.
pub const TEST: &str = "test.csv";
/// The final evaluation on them.
pub const PREDICTIONS: &str = "test_predictions.csv";
/// The folder of the checkpoints of a run that has not ended.
pub const CHECKPOINT: &str = "checkpoint";
