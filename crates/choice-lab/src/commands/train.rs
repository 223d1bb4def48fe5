//! The `train` command.

use crate::commands::arguments::{
    class_count, device_count, host, not_negative, positive, step_count,
};
use crate::data::problem::{Problem, TableSource};
use crate::data::table;
use crate::models::folder;
use crate::place::backend::Backend;
use crate::place::devices::Place;
use crate::place::operators::Operators;
use crate::store::draft::{Draft, inspect, may_replace};
use crate::store::files::{METRICS, PREDICTIONS, TEST};
use crate::store::lock::Lock;
use crate::strategy::names::Strategy;
use crate::strategy::recipe::{Decay, Keep, Recipe, Trial};
use crate::training::checkpoint::Checkpoints;
use crate::training::curves::Curves;
use crate::training::display::Display;
use crate::training::plan::Plan;
use crate::training::report::{Report, Summary};
use crate::training::run::Run;
use crate::training::settings::Settings;
use crate::training::trials::train_plan;
use anyhow::Result;
use burn::tensor::Device;
use combined_network::task::Task;
use serde::Serialize;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

/// Train and save a network (what also runs with no subcommand)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: choice-lab train --task b --strategy auto --seed 1 --out runs/mine"
)]
pub struct Args {
    /// Where to run
    #[arg(long, value_enum, default_value = "flex")]
    backend: Backend,
    /// A server for --backend remote; repeat it for more
    #[arg(long, value_name = "ws://HOST:PORT", value_parser = host)]
    host: Vec<String>,
    /// What carries out the library's operators
    #[arg(long, value_enum, default_value = "custom", value_name = "WHAT")]
    operators: Operators,
    /// Devices that share each minibatch [default: one, or one per server]
    #[arg(long, value_name = "N", value_parser = device_count, allow_negative_numbers = true)]
    devices: Option<usize>,
    /// How to train through the choice
    #[arg(long, value_enum, default_value = "auto")]
    strategy: Strategy,
    /// Which regression task, from easy to hard
    #[arg(long, value_enum, default_value = "a", conflicts_with = "data")]
    task: Task,
    /// CSV file with a header to train on instead: number columns are inputs, text columns are passed over
    #[arg(long, value_name = "FILE.csv", requires_all = ["target", "classes"])]
    data: Option<PathBuf>,
    /// Its column to predict
    #[arg(long, value_name = "COLUMN", requires = "data")]
    target: Option<String>,
    /// Classes of the network for it
    #[arg(long, value_name = "K", value_parser = class_count, requires = "data", allow_negative_numbers = true)]
    classes: Option<usize>,
    /// Seed of data or split, parameters, minibatches and draws
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,
    /// Optimiser steps, of 128 rows each
    #[arg(long, default_value_t = 4000, value_parser = step_count, allow_negative_numbers = true)]
    steps: usize,
    /// Learning rate [default: the best known for strategy and task; for a table, task e or f the best of several in validation]
    #[arg(long, value_parser = positive, allow_negative_numbers = true)]
    lr: Option<f64>,
    /// What becomes of the learning rate [default: cosine for auto, the free energies and the oracle, else constant]
    #[arg(long, value_enum)]
    decay: Option<Decay>,
    /// Norm to clip each parameter's gradient to, 0 for none [default: 1 for the score functions, else none]
    #[arg(long, value_name = "NORM", value_parser = not_negative, allow_negative_numbers = true)]
    clip: Option<f64>,
    /// Which network to keep [default: best for auto, tables and tasks e and f, else last; several devices: last]
    #[arg(long, value_enum)]
    keep: Option<Keep>,
    /// Folder to save the run in [default: runs/TASK-STRATEGY-SEED, for a table its file's name instead of the task]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace an earlier run in that folder without asking
    #[arg(long)]
    force: bool,
    /// Go on with the interrupted run in this folder, with the settings that it began with
    #[arg(long, value_name = "DIR", conflicts_with_all = [
        "backend", "strategy", "task", "data", "seed", "steps", "lr", "decay", "clip", "keep", "out", "force",
        "checkpoint_every", "operators", "devices"
    ])]
    resume: Option<PathBuf>,
    /// Steps between two checkpoints
    #[arg(long, value_name = "STEPS", default_value_t = 1000, value_parser = step_count, allow_negative_numbers = true)]
    checkpoint_every: usize,
    /// Print one JSON object as the last line of stdout, progress on stderr
    #[arg(long)]
    json: bool,
    /// Progress as plain lines, no dashboard
    #[arg(long)]
    plain: bool,
}

impl Args {
    /// Trains, or goes on with an interrupted training, saves, and prints the result.
    pub fn run(&self) -> Result<()> {
        if let Some(out) = &self.resume {
            // Before the lock, which makes the folder of the checkpoints.
            Checkpoints::reopen(out)?;
            inspect(out)?;
            let _lock = Lock::take(out)?;
            let (checkpoints, mut plan) = Checkpoints::reopen(out)?;
            if !self.host.is_empty() {
                plan.place.hosts.clone_from(&self.host);
            }
            let devices = plan.place.connect(plan.settings.backend)?;
            return self.train(&plan.problem()?, plan, &devices, out, &checkpoints);
        }
        let trials = self.trials();
        let settings = Settings {
            backend: self.backend,
            strategy: self.strategy,
            task: self.data.is_none().then_some(self.task),
            seed: self.seed,
            steps: self.steps,
            recipe: trials[0].recipe,
        };
        let out = self.out.clone().unwrap_or_else(|| self.usual_out());
        let place = Place {
            hosts: self.host.clone(),
            devices: self.devices,
            operators: self.operators,
        };
        let devices = place.connect(settings.backend)?;
        inspect(&out)?;
        // An unwritable place is better found now than after the training.
        drop(Draft::create(&out)?);
        let _lock = Lock::take(&out)?;
        may_replace(&out, self.force)?;

        let (table, problem) = self.problem()?;
        let plan = Plan::new(settings, table, self.checkpoint_every).at(place);
        let plan = plan.trying(trials);
        let checkpoints = Checkpoints::begin(&out, &plan)?;
        self.train(&problem, plan, &devices, &out, &checkpoints)
    }

    fn train(
        &self,
        problem: &Problem,
        mut plan: Plan,
        devices: &[Device],
        out: &Path,
        checkpoints: &Checkpoints,
    ) -> Result<()> {
        let display = Display::choose(self.plain, self.json);
        let run = train_plan(problem, &mut plan, devices, display, Some(checkpoints));
        let run = run.map_err(|error| plan.place.blame(error))?;
        run.check()?;
        save(&run, out)?;

        let summary = Summary {
            report: &run.report,
            config: &run.config,
            out,
        };
        if self.json {
            writeln!(stdout(), "{}", serde_json::to_string(&run.report)?)?;
        } else {
            writeln!(stdout(), "{summary}")?;
        }
        Ok(())
    }

    fn problem(&self) -> Result<(Option<TableSource>, Problem)> {
        let (Some(file), Some(target), Some(classes)) = (&self.data, &self.target, self.classes)
        else {
            return Ok((None, Problem::generated(self.task, self.seed)));
        };
        let (table, problem) = TableSource::open(file, target, classes, self.seed)?;
        Ok((Some(table), problem))
    }

    fn usual_out(&self) -> PathBuf {
        let table = self.data.as_deref().and_then(Path::file_stem);
        let name = table.map_or(self.task.name().into(), OsStr::to_string_lossy);
        format!("runs/{name}-{}-{}", self.strategy.name(), self.seed).into()
    }

    /// What validation has to choose from: several recipes, unless a rate is given or the best is known.
    fn trials(&self) -> Vec<Trial> {
        let task = self.data.is_none().then_some(self.task);
        let clip = self.clip.map(|norm| (norm > 0.0).then_some(norm));
        let mut trials = Trial::all(self.strategy, task);
        if self.lr.is_some() {
            trials.truncate(1);
        }
        for Trial { recipe, .. } in &mut trials {
            *recipe = Recipe {
                learning_rate: self.lr.unwrap_or(recipe.learning_rate),
                decay: self.decay.unwrap_or(recipe.decay),
                clip: clip.unwrap_or(recipe.clip),
                keep: self.keep.unwrap_or(recipe.keep),
            };
        }
        trials
    }
}

#[derive(Serialize)]
struct Metrics<'a> {
    report: &'a Report,
    curves: &'a Curves,
}

fn save(run: &Run, out: &Path) -> Result<()> {
    let draft = Draft::create(out)?;
    folder::save(&draft, run.network.clone(), &run.config)?;
    draft.write_json(
        METRICS,
        &Metrics {
            report: &run.report,
            curves: &run.curves,
        },
    )?;
    let (inputs, target) = match &run.config.table {
        Some(table) => (table.names(), table.target.as_str()),
        None => (table::numbered(run.test.features), "y"),
    };
    table::write_rows(&draft.path(TEST), &inputs, target, &run.test)?;
    table::write_choices(File::create(draft.path(PREDICTIONS))?, &run.choices)?;
    draft.commit()
}
