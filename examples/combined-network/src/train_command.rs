//! The `train` command.

use crate::checkpoint::{Checkpoints, Plan};
use crate::cli::TrainArgs;
use crate::curves::Curves;
use crate::draft::{Draft, inspect, may_replace};
use crate::place::Place;
use crate::problem::{Problem, TableSource};
use crate::progress::Display;
use crate::recipe::Recipe;
use crate::report::{Report, Summary};
use crate::training::{Run, Settings, train_on};
use crate::{store, table};
use anyhow::Result;
use burn::tensor::Device;
use serde::Serialize;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

impl TrainArgs {
    /// Trains, or goes on with an interrupted training, saves, and prints the result.
    ///
    /// # Errors
    ///
    /// If the backend is not available, or the output folder is taken or cannot be written, or there is nothing to resume.
    pub fn run(&self) -> Result<()> {
        if let Some(out) = &self.resume {
            let (checkpoints, mut plan) = Checkpoints::reopen(out)?;
            inspect(out)?;
            if !self.host.is_empty() {
                plan.place.hosts.clone_from(&self.host);
            }
            let devices = plan.place.connect(plan.settings.backend)?;
            return self.train(plan.problem()?, &plan, &devices, out, &checkpoints);
        }
        let settings = Settings {
            backend: self.backend,
            strategy: self.strategy,
            task: self.data.is_none().then_some(self.task),
            seed: self.seed,
            steps: self.steps,
            recipe: self.recipe(),
        };
        let out = self.out.clone().unwrap_or_else(|| self.usual_out());
        let place = Place {
            hosts: self.host.clone(),
            devices: self.devices,
            operators: self.operators,
        };
        let devices = place.connect(settings.backend)?;
        may_replace(&out, self.force)?;
        // An unwritable place is better found now than after the training.
        drop(Draft::create(&out)?);

        let plan = Plan::new(settings, self.table()?, self.checkpoint_every).at(place);
        let problem = plan.problem()?;
        let checkpoints = Checkpoints::begin(&out, &plan)?;
        self.train(problem, &plan, &devices, &out, &checkpoints)
    }

    fn train(
        &self,
        problem: Problem,
        plan: &Plan,
        devices: &[Device],
        out: &Path,
        checkpoints: &Checkpoints,
    ) -> Result<()> {
        let display = Display::choose(self.plain, self.json);
        let run = train_on(problem, plan.settings, devices, display, Some(checkpoints));
        let run = run.map_err(|error| plan.place.blame(error))?;
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

    fn table(&self) -> Result<Option<TableSource>> {
        let (Some(file), Some(target), Some(classes)) = (&self.data, &self.target, self.classes)
        else {
            return Ok(None);
        };
        TableSource::new(file, target, classes).map(Some)
    }

    fn usual_out(&self) -> PathBuf {
        let table = self.data.as_deref().and_then(Path::file_stem);
        let name = table.map_or(self.task.name().into(), OsStr::to_string_lossy);
        format!("runs/{name}-{}-{}", self.strategy.name(), self.seed).into()
    }

    fn recipe(&self) -> Recipe {
        let best = Recipe::new(self.strategy, self.task);
        let clip = self.clip.map(|norm| (norm > 0.0).then_some(norm));
        Recipe {
            learning_rate: self.lr.unwrap_or(best.learning_rate),
            decay: self.decay.unwrap_or(best.decay),
            clip: clip.unwrap_or(best.clip),
        }
    }
}

#[derive(Serialize)]
struct Metrics<'a> {
    report: &'a Report,
    curves: &'a Curves,
}

fn save(run: &Run, out: &Path) -> Result<()> {
    let draft = Draft::create(out)?;
    store::save(&draft, run.network.clone(), &run.config)?;
    draft.write_json(
        store::METRICS,
        &Metrics {
            report: &run.report,
            curves: &run.curves,
        },
    )?;
    let (inputs, target) = match &run.config.table {
        Some(table) => (table.names(), table.target.as_str()),
        None => (table::numbered(run.test.features), "y"),
    };
    table::write_rows(&draft.path(store::TEST), &inputs, target, &run.test)?;
    table::write_choices(File::create(draft.path(store::PREDICTIONS))?, &run.choices)?;
    draft.commit()
}
