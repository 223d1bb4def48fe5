//! The names of the files in a run folder.

use std::ffi::OsStr;

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

/// In that folder: what the run trains.
pub const PLAN: &str = "run.json";
/// In that folder: the file that a run locks while it writes.
pub const LOCK: &str = "lock";
/// In that folder: Burn's records, each with the number of its step.
pub const RECORDS: [&str; 3] = ["model", "optimizer", "schedule"];
/// In that folder: the network to keep, if it is not simply the last.
pub const KEPT: &str = "kept";
/// In that folder: the curves up to a step.
pub const PROGRESS: &str = "progress";
/// What follows the name of a file in the name of the file with its fingerprint.
pub const SEAL: &str = ".sha256";

/// All files of a checkpoint by the first part of their names.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    RECORDS.into_iter().chain([KEPT, PROGRESS])
}

/// A file of the checkpoint of a step.
pub fn of_step(name: &str, step: usize) -> String {
    let extension = if name == PROGRESS { "json" } else { "bpk" };
    format!("{name}-{step}.{extension}")
}

/// The step of a file of this kind.
pub fn step_of(kind: &str, name: &str) -> Option<usize> {
    let number = name.strip_prefix(kind)?.strip_prefix('-')?;
    let step = number.split('.').next()?.parse().ok()?;
    (name == of_step(kind, step)).then_some(step)
}

/// Whether this is a file of a checkpoint, or of one in the making.
pub fn is_of_step(name: &OsStr) -> bool {
    name.to_str().map(finished).is_some_and(|name| {
        let name = name.strip_suffix(SEAL).unwrap_or(name);
        kinds().any(|kind| step_of(kind, name).is_some())
    })
}

/// Whether a run writes a file of this name into the folder of its checkpoints.
pub fn is_of_checkpoints(name: &OsStr) -> bool {
    let ours = |name: &str| [PLAN, LOCK].contains(&finished(name));
    name.to_str().is_some_and(ours) || is_of_step(name)
}

/// The name that a file in the making will have, which a kill leaves unfinished: `.NAME.new-…` of this program, and
/// `NAME.PROCESS-NUMBER.tmp` of Burn.
fn finished(name: &str) -> &str {
    let of_ours = || Some(name.strip_prefix('.')?.rsplit_once(".new-")?.0);
    let of_burn = || {
        let (name, numbers) = name.strip_suffix(".tmp")?.rsplit_once('.')?;
        let plain = |byte: u8| byte.is_ascii_digit() || byte == b'-';
        numbers.bytes().all(plain).then_some(name)
    };
    of_ours().or_else(of_burn).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_run_are_told_from_others() {
        for name in [
            "run.json",
            "lock",
            "model-20.bpk",
            "kept-20.bpk",
            "schedule-0.bpk.sha256",
            "progress-1000.json",
            ".run.json.new-aB3dE9",
            "optimizer-7.bpk.123-0.tmp",
        ] {
            assert!(is_of_checkpoints(name.as_ref()), "{name}");
        }
        for name in [
            "notes.txt",
            "model-20.bpk.bak",
            "model-best.bpk",
            "model-020.bpk",
            "progress-1.bpk",
            "run.json~",
            "lock.txt",
            ".new-",
            "model.tmp",
        ] {
            assert!(!is_of_checkpoints(name.as_ref()), "{name}");
        }
    }
}
