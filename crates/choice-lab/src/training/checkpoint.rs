//! Checkpoints of a training, so that a run that was killed goes on where it was.
//!
//! Burn's `FileCheckpointer` writes the records of model, optimiser and learning rate schedule, each beside its place, and renames
//! it. A checkpoint counts once all its files are there and are what was written, by the fingerprint beside each. The
//! generators need no file: minibatches and draws follow from the seed and the step.

use crate::data::exact::Exact;
use crate::store::draft::remove_checkpoints;
use crate::store::files::{
    CHECKPOINT, KEPT as KEPT_NETWORK, LOCK, PLAN, PROGRESS, RECORDS, is_of_checkpoints, kinds,
    of_step, step_of,
};
use crate::store::fingerprint::of_bytes;
use crate::store::replace::{remove, replace};
use crate::training::curves::{Curves, Validation};
use crate::training::kept::{Kept, Validated};
use crate::training::learner::Trainee;
use crate::training::plan::Plan;
use crate::training::seal::{Sealed, check, seal_of, write_seal};
use anyhow::{Context, Result, anyhow, bail, ensure};
use burn::optim::OptimizerRecord;
use burn::optim::lr_scheduler::LrSchedulerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use burn::train::SupervisedTraining;
use burn::train::checkpoint::{
    Checkpointer, CheckpointerError, CheckpointingAction, CheckpointingStrategy,
};
use burn::train::metric::store::EventStoreClient;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs;
use std::io::{self, Write, stderr};
use std::path::{Path, PathBuf};

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
    pub(crate) kept: Option<(ModuleRecord, Validated)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Progress {
    seconds: Exact,
    cost: Vec<Exact>,
    validation: Vec<(usize, Exact, usize)>,
    /// Whether there is a network that is kept, and what is known of it.
    #[serde(default)]
    kept: Option<Validated>,
}

impl Checkpoints {
    /// Begins a run in an output folder; the checkpoints of an earlier one there are removed.
    pub fn begin(out: &Path, plan: &Plan) -> Result<Self> {
        let checkpoints = Self {
            folder: out.join(CHECKPOINT),
            every: plan.every,
        };
        let context = || {
            format!(
                "cannot write checkpoints to {}",
                checkpoints.folder.display()
            )
        };
        remove_checkpoints(out).with_context(context)?;
        fs::create_dir_all(&checkpoints.folder).with_context(context)?;
        checkpoints.replan(plan).with_context(context)?;
        Ok(checkpoints)
    }

    /// Begins another run in the place of one that has ended.
    pub fn begin_next(&self, plan: &Plan) -> Result<()> {
        // Those of the last run would pass for ones of the next.
        self.keep_only(None)?;
        self.replan(plan)
    }

    fn replan(&self, plan: &Plan) -> Result<()> {
        let text = serde_json::to_vec_pretty(plan)?;
        Ok(replace(&self.folder.join(PLAN), |draft| {
            fs::write(draft, text)
        })?)
    }

    /// The checkpoints of an interrupted run, and what it trains.
    pub fn reopen(out: &Path) -> Result<(Self, Plan)> {
        let folder = out.join(CHECKPOINT);
        let plan = folder.join(PLAN);
        let name = out.display();
        ensure!(
            plan.is_file(),
            "{name} holds no interrupted run: it has no {CHECKPOINT}/{PLAN}; `train --out {name}` begins one"
        );
        let misfit = || format!("{} does not fit this program", plan.display());
        let text = fs::read(&plan).with_context(misfit)?;
        let read: Plan = serde_json::from_slice(&text).with_context(misfit)?;
        if read.format != Plan::FORMAT {
            bail!(
                "{} has the format '{}'; this program reads '{}'",
                plan.display(),
                read.format,
                Plan::FORMAT
            );
        }
        read.check().with_context(misfit)?;
        let every = read.every;
        Ok((Self { folder, every }, read))
    }

    /// The last whole checkpoint; other ones are removed. What is passed over is said on stderr.
    pub fn latest(&self) -> Result<Option<State>> {
        let mut damaged = None;
        for step in self.with_progress()?.into_iter().rev() {
            if !self.is_complete(step) {
                let _ = writeln!(
                    stderr(),
                    "passed over the checkpoint of step {step} in {}: it is not complete",
                    self.folder.display()
                );
                continue;
            }
            match self.load(step) {
                Ok(state) => {
                    self.keep_only(Some(step))?;
                    return Ok(Some(state));
                }
                Err(error) => {
                    let _ = writeln!(stderr(), "passed over a damaged checkpoint: {error:#}");
                    damaged.get_or_insert(error);
                }
            }
        }
        match damaged {
            Some(error) => Err(error.context("no checkpoint is whole; --force begins anew")),
            None => Ok(None),
        }
    }

    fn load(&self, step: usize) -> Result<State> {
        let place = |kind: &str| {
            let path = self.folder.join(of_step(kind, step));
            check(&path).map(|()| path)
        };
        let progress = place(PROGRESS)?;
        let [model, optimizer, schedule] =
            [place(RECORDS[0])?, place(RECORDS[1])?, place(RECORDS[2])?];
        let unreadable = |path: &Path| format!("cannot read the checkpoint {}", path.display());
        let read: Progress =
            serde_json::from_slice(&fs::read(&progress)?).with_context(|| unreadable(&progress))?;
        let kept = match read.kept {
            None => None,
            Some(validated) => {
                let file = place(KEPT_NETWORK)?;
                let record = ModuleRecord::load(&file).with_context(|| unreadable(&file))?;
                Some((record, validated))
            }
        };
        Ok(State {
            step,
            seconds: read.seconds.0,
            curves: read.into_curves(),
            kept,
            model: ModuleRecord::load(&model).with_context(|| unreadable(&model))?,
            optimizer: OptimizerRecord::load(&optimizer)
                .map_err(|error| anyhow!("{}: {error}", unreadable(&optimizer)))?,
            schedule: LrSchedulerRecord::load(&schedule)
                .map_err(|error| anyhow!("{}: {error}", unreadable(&schedule)))?,
        })
    }

    /// Removes the files of every other checkpoint, and those of unfinished ones.
    fn keep_only(&self, step: Option<usize>) -> Result<()> {
        let files = step
            .into_iter()
            .flat_map(|step| kinds().map(move |kind| of_step(kind, step)));
        let mut kept: Vec<_> = files.flat_map(|file| [seal_of(&file), file]).collect();
        kept.extend([PLAN, LOCK].map(str::to_owned));
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let found = entry.file_name();
            if is_of_checkpoints(&found) && !kept.iter().any(|name| found == **name) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Saves with these checkpointers: all but the progress, which [`finish`](Self::finish) adds.
    pub(crate) fn attach(
        &self,
        training: SupervisedTraining<Trainee>,
    ) -> SupervisedTraining<Trainee> {
        let [model, optimizer, schedule] = RECORDS.map(|name| Sealed::new(&self.folder, name));
        training
            .with_custom_checkpointers(model, optimizer, schedule)
            .with_checkpointing_strategy(KeepLast {
                saved: VecDeque::new(),
            })
    }

    /// Completes the checkpoint of a step, then drops the progress of those before the last.
    pub(crate) fn finish(
        &self,
        seconds: f64,
        curves: &Curves,
        kept: &Kept,
        device: &Device,
    ) -> Result<(), CheckpointerError> {
        let step = curves.cost.len();
        if let Some(record) = kept.record(device) {
            Sealed::new(&self.folder, KEPT_NETWORK).save(step, record)?;
        }
        let text = serde_json::to_vec(&Progress::new(seconds, curves, kept))
            .map_err(|error| CheckpointerError::Unknown(error.to_string()))?;
        let io = CheckpointerError::IOError;
        let path = self.folder.join(of_step(PROGRESS, step));
        write_seal(&path, &of_bytes(&text)).map_err(io)?;
        replace(&path, |draft| fs::write(draft, text)).map_err(io)?;
        for old in self.with_progress().map_err(io)?.iter().rev().skip(KEPT) {
            for file in [PROGRESS, KEPT_NETWORK].map(|kind| of_step(kind, *old)) {
                for name in [seal_of(&file), file] {
                    remove(&self.folder.join(name)).map_err(io)?;
                }
            }
        }
        Ok(())
    }

    /// Whether all files of a checkpoint are there; a kill leaves fewer.
    fn is_complete(&self, step: usize) -> bool {
        let there = |kind: &&str| {
            let file = of_step(kind, step);
            let mut names = [seal_of(&file), file].into_iter();
            names.all(|name| self.folder.join(name).exists())
        };
        RECORDS.iter().chain([&PROGRESS]).all(there)
    }

    /// The steps with a progress file, in order.
    fn with_progress(&self) -> io::Result<Vec<usize>> {
        let mut steps = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            steps.extend(name.to_str().and_then(|name| step_of(PROGRESS, name)));
        }
        steps.sort_unstable();
        Ok(steps)
    }
}

impl Progress {
    fn new(seconds: f64, curves: &Curves, kept: &Kept) -> Self {
        let validation = curves.validation.iter();
        Self {
            seconds: Exact(seconds),
            cost: curves.cost.iter().copied().map(Exact).collect(),
            validation: validation
                .map(|point| (point.step, Exact(point.mse), point.classes_used))
                .collect(),
            kept: kept.network.as_ref().map(|(_, validated)| *validated),
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
