//! Checkpoints of a training, so that a run that was killed goes on where it was.
//!
//! Burn's `FileCheckpointer` writes the records of model, optimiser and learning rate schedule, each beside its place, and renames
//! it. A checkpoint counts once all its files are there. The generators need no file: minibatches and draws follow from the seed
//! and the step.

use crate::data::exact::Exact;
use crate::store::files::CHECKPOINT;
use crate::store::replace::replace;
use crate::training::curves::{Curves, Validation};
use crate::training::learner::Trainee;
use crate::training::plan::Plan;
use anyhow::{Context, Result, anyhow, bail};
use burn::optim::OptimizerRecord;
use burn::optim::lr_scheduler::LrSchedulerRecord;
use burn::store::ModuleRecord;
use burn::train::SupervisedTraining;
use burn::train::checkpoint::{
    CheckpointerError, CheckpointingAction, CheckpointingStrategy, FileCheckpointer,
};
use burn::train::metric::store::EventStoreClient;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const PLAN: &str = "run.json";
const RECORDS: [&str; 3] = ["model", "optimizer", "schedule"];
const PROGRESS: &str = "progress";

/// Checkpoints kept.
const KEPT: usize = 2;

/// The checkpoints of one run.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
    /// Steps from one to the next.
    pub every: usize,
}

/// What a run needs to go on.
pub struct State {
    /// Steps done.
    pub step: usize,
    /// Seconds spent on them.
    pub seconds: f64,
    /// Their curves.
    pub curves: Curves,
    pub(crate) model: ModuleRecord,
    pub(crate) optimizer: OptimizerRecord,
    pub(crate) schedule: LrSchedulerRecord,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Progress {
    seconds: Exact,
    cost: Vec<Exact>,
    validation: Vec<(usize, Exact, usize)>,
}

impl Checkpoints {
    /// Begins a run in an output folder; the checkpoints of an earlier one there are removed.
    pub fn begin(out: &Path, plan: &Plan) -> Result<Self> {
        let folder = out.join(CHECKPOINT);
        let context = || format!("cannot write checkpoints to {}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(context)?;
        }
        fs::create_dir_all(&folder).with_context(context)?;
        let text = serde_json::to_vec_pretty(plan)?;
        replace(&folder.join(PLAN), |draft| fs::write(draft, text)).with_context(context)?;
        let every = plan.every;
        Ok(Self { folder, every })
    }

    /// The checkpoints of an interrupted run, and what it trains.
    pub fn reopen(out: &Path) -> Result<(Self, Plan)> {
        let folder = out.join(CHECKPOINT);
        let plan = folder.join(PLAN);
        if !plan.is_file() {
            bail!(
                "{} holds no interrupted run: it has no {CHECKPOINT}/{PLAN}",
                out.display()
            );
        }
        let misfit = || format!("{} does not fit this program", plan.display());
        let read: Plan =
            serde_json::from_slice(&fs::read(&plan).with_context(misfit)?).with_context(misfit)?;
        if read.format != Plan::FORMAT {
            bail!(
                "{} has the format '{}'; this program reads '{}'",
                plan.display(),
                read.format,
                Plan::FORMAT
            );
        }
        let every = read.every;
        Ok((Self { folder, every }, read))
    }

    /// The last whole checkpoint; older and unfinished ones are removed.
    pub fn latest(&self) -> Result<Option<State>> {
        let name = |name: &str, step: usize| self.folder.join(file(name, step));
        let unreadable = |path: &Path| format!("cannot read the checkpoint {}", path.display());
        let Some(step) = self.last()? else {
            return Ok(None);
        };
        let path = name(PROGRESS, step);
        let progress: Progress =
            serde_json::from_slice(&fs::read(&path)?).with_context(|| unreadable(&path))?;
        let [model, optimizer, schedule] = RECORDS.map(|record| name(record, step));
        let state = State {
            step,
            seconds: progress.seconds.0,
            curves: progress.into_curves(),
            model: ModuleRecord::load(&model).with_context(|| unreadable(&model))?,
            optimizer: OptimizerRecord::load(&optimizer)
                .map_err(|error| anyhow!("{}: {error}", unreadable(&optimizer)))?,
            schedule: LrSchedulerRecord::load(&schedule)
                .map_err(|error| anyhow!("{}: {error}", unreadable(&schedule)))?,
        };
        let kept = [PROGRESS, RECORDS[0], RECORDS[1], RECORDS[2]].map(|name| file(name, step));
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let found = entry.file_name();
            if found != PLAN && !kept.iter().any(|name| found == **name) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Some(state))
    }

    /// Saves with these checkpointers: all but the progress, which [`finish`](Self::finish) adds.
    pub(crate) fn attach(
        &self,
        training: SupervisedTraining<Trainee>,
    ) -> SupervisedTraining<Trainee> {
        let [model, optimizer, schedule] =
            RECORDS.map(|name| FileCheckpointer::new(&self.folder, name));
        training
            .with_custom_checkpointers(model, optimizer, schedule)
            .with_checkpointing_strategy(KeepLast {
                saved: VecDeque::new(),
            })
    }

    /// Completes the checkpoint of a step, then drops the progress of those before the last.
    pub(crate) fn finish(&self, seconds: f64, curves: &Curves) -> Result<(), CheckpointerError> {
        let step = curves.cost.len();
        let text = serde_json::to_vec(&Progress::new(seconds, curves))
            .map_err(|error| CheckpointerError::Unknown(error.to_string()))?;
        let io = CheckpointerError::IOError;
        replace(&self.folder.join(file(PROGRESS, step)), |draft| {
            fs::write(draft, text)
        })
        .map_err(io)?;
        let mut steps = self.with_progress().map_err(io)?;
        steps.sort_unstable();
        for old in steps.iter().rev().skip(KEPT) {
            fs::remove_file(self.folder.join(file(PROGRESS, *old))).map_err(io)?;
        }
        Ok(())
    }

    /// The last step with a whole checkpoint.
    fn last(&self) -> io::Result<Option<usize>> {
        let there = |name: &str, step| self.folder.join(file(name, step)).is_file();
        let whole = |step: &usize| RECORDS.iter().all(|record| there(record, *step));
        Ok(self.with_progress()?.into_iter().filter(whole).max())
    }

    /// The steps with a progress file.
    fn with_progress(&self) -> io::Result<Vec<usize>> {
        let mut steps = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let step = |name: &str| -> Option<usize> {
                name.strip_prefix(PROGRESS)?
                    .strip_prefix('-')?
                    .strip_suffix(".json")?
                    .parse()
                    .ok()
            };
            steps.extend(step(&name));
        }
        Ok(steps)
    }
}

impl Progress {
    fn new(seconds: f64, curves: &Curves) -> Self {
        let validation = curves.validation.iter();
        Self {
            seconds: Exact(seconds),
            cost: curves.cost.iter().copied().map(Exact).collect(),
            validation: validation
                .map(|point| (point.step, Exact(point.mse), point.classes_used))
                .collect(),
        }
    }

    fn into_curves(self) -> Curves {
        let point = |(step, mse, classes_used): (usize, Exact, usize)| Validation {
            step,
            mse: mse.0,
            classes_used,
        };
        Curves {
            cost: self.cost.into_iter().map(|cost| cost.0).collect(),
            validation: self.validation.into_iter().map(point).collect(),
        }
    }
}

/// Saves whenever it is asked, and keeps the checkpoint before: the one whose saving has surely ended.
struct KeepLast {
    saved: VecDeque<usize>,
}

impl CheckpointingStrategy for KeepLast {
    fn checkpointing(&mut self, step: usize, _: &EventStoreClient) -> Vec<CheckpointingAction> {
        self.saved.push_back(step);
        let mut actions = vec![CheckpointingAction::Save];
        if self.saved.len() > KEPT {
            actions.extend(self.saved.pop_front().map(CheckpointingAction::Delete));
        }
        actions
    }
}

fn file(name: &str, step: usize) -> String {
    let extension = if name == PROGRESS { "json" } else { "bpk" };
    format!("{name}-{step}.{extension}")
}
