//! The `train` command.

use crate::checkpoint::Checkpoints;
use crate::cli::TrainArgs;
use crate::curves::Curves;
use crate::draft::{Draft, Place, inspect};
use crate::progress::Display;
use crate::recipe::Recipe;
use crate::report::{Report, Summary};
use crate::training::{Run, Settings, train_with_checkpoints};
use crate::{store, table};
use anyhow::{Result, bail};
use serde::Serialize;
use std::fs::File;
use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::path::Path;

impl TrainArgs {
    /// Trains, or goes on with an interrupted training, saves, and prints the result.
    ///
    /// # Errors
    ///
    /// If the backend is not available, or the output folder is taken or cannot be written, or there is nothing to resume.
    pub fn run(&self) -> Result<()> {
        if let Some(out) = &self.resume {
            let (checkpoints, settings) = Checkpoints::reopen(out)?;
            inspect(out)?;
            return self.train(settings, out, &checkpoints);
        }
        let settings = Settings {
            backend: self.backend,
            strategy: self.strategy,
            task: self.task,
            seed: self.seed,
            steps: self.steps,
            recipe: self.recipe(),
        };
        let name = || {
            format!(
                "runs/{}-{}-{}",
                self.task.name(),
                self.strategy.name(),
                self.seed
            )
        };
        let out = self.out.clone().unwrap_or_else(|| name().into());
        settings.backend.device()?;
        self.may_replace(&out)?;
        // An unwritable place is better found now than after the training.
        drop(Draft::create(&out)?);
        let checkpoints = Checkpoints::begin(&out, settings, self.checkpoint_every)?;
        self.train(settings, &out, &checkpoints)
    }

    fn train(&self, settings: Settings, out: &Path, checkpoints: &Checkpoints) -> Result<()> {
        let display = Display::choose(self.plain, self.json);
        let run = train_with_checkpoints(settings, display, checkpoints)?;
        save(&run, out)?;

        let summary = Summary {
            report: &run.report,
            settings: run.config.settings,
            out,
        };
        if self.json {
            writeln!(stdout(), "{}", serde_json::to_string(&run.report)?)?;
        } else {
            writeln!(stdout(), "{summary}")?;
        }
        Ok(())
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

    /// Asks before an earlier run is replaced.
    fn may_replace(&self, out: &Path) -> Result<()> {
        let place = inspect(out)?;
        if place == Place::Free || self.force {
            return Ok(());
        }
        let out = out.display();
        if place == Place::Interrupted {
            bail!(
                "{out} holds an interrupted run: --resume {out} goes on with it, --force begins anew"
            );
        }
        if stdin().is_terminal() && stderr().is_terminal() {
            write!(stderr(), "{out} holds an earlier run. Replace it? [y/N] ")?;
            let mut answer = String::new();
            stdin().read_line(&mut answer)?;
            if answer.trim().eq_ignore_ascii_case("y") || answer.trim().eq_ignore_ascii_case("yes")
            {
                return Ok(());
            }
        }
        bail!("{out} holds an earlier run: pass --force to replace it, or choose another --out")
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
    table::write_rows(&draft.path(store::TEST), &run.test)?;
    table::write_choices(File::create(draft.path(store::PREDICTIONS))?, &run.choices)?;
    draft.commit()
}
