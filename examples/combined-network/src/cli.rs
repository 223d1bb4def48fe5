//! The command line.

use crate::backend::Backend;
use crate::data::Task;
use crate::draft::{Draft, Place, inspect};
use crate::progress::Display;
use crate::recipe::{Decay, Recipe};
use crate::report::Summary;
use crate::strategy::Strategy;
use crate::training::{Run, Settings, train};
use crate::{predict, store, table};
use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use std::fs::File;
use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Trains a classifier that picks which regression output to return, through the choice
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: TrainArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train and save a network (what also runs with no subcommand)
    Train(TrainArgs),
    /// Write chosen class, its probability and its value for the rows of a CSV file
    Predict(PredictArgs),
}

/// Options of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Where to run
    #[arg(long, value_enum, default_value = "flex")]
    backend: Backend,
    /// How to train through the choice
    #[arg(long, value_enum, default_value = "free-energy")]
    strategy: Strategy,
    /// Which regression task, from easy to hard
    #[arg(long, value_enum, default_value = "a")]
    task: Task,
    /// Seed of data, parameters, minibatches and draws
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,
    /// Optimiser steps, of 128 rows each
    #[arg(long, default_value_t = 4000, value_parser = step_count, allow_negative_numbers = true)]
    steps: usize,
    /// Learning rate [default: the best known for strategy and task]
    #[arg(long, value_parser = positive, allow_negative_numbers = true)]
    lr: Option<f64>,
    /// What becomes of the learning rate [default: cosine for free-energy, else constant]
    #[arg(long, value_enum)]
    decay: Option<Decay>,
    /// Norm to clip each parameter's gradient to, 0 for none [default: 1 for the score functions, else none]
    #[arg(long, value_name = "NORM", value_parser = not_negative, allow_negative_numbers = true)]
    clip: Option<f64>,
    /// Folder to save the run in [default: runs/<task>-<strategy>-<seed>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace an earlier run in that folder without asking
    #[arg(long)]
    force: bool,
    /// Print one JSON object as the last line of stdout, progress on stderr
    #[arg(long)]
    json: bool,
    /// Progress as plain lines, no dashboard
    #[arg(long)]
    plain: bool,
}

/// Options of `predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// Folder that `train` has saved
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// CSV file with a header and the columns x1, x2, …; other columns are passed over
    #[arg(long, value_name = "FILE.csv")]
    pub input: PathBuf,
    /// CSV file to write [default: stdout]
    #[arg(long, value_name = "FILE.csv")]
    pub output: Option<PathBuf>,
    /// Replace an existing output file
    #[arg(long)]
    pub force: bool,
    /// Where to run [default: where the model was trained]
    #[arg(long, value_enum)]
    pub backend: Option<Backend>,
}

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// Whatever a user can put right, in one sentence.
    pub fn run(self) -> Result<()> {
        match self.command {
            None => self.train.run(),
            Some(Command::Train(args)) => args.run(),
            Some(Command::Predict(args)) => predict::predict(&args),
        }
    }
}

impl TrainArgs {
    fn run(self) -> Result<()> {
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

        let run = train(settings, Display::choose(self.plain, self.json))?;
        save(&run, &out)?;

        let summary = Summary {
            report: &run.report,
            settings: run.config.settings,
            out: &out,
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
        if inspect(out)? == Place::Free || self.force {
            return Ok(());
        }
        let out = out.display();
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
    report: &'a crate::report::Report,
    curves: &'a crate::curves::Curves,
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

fn step_count(text: &str) -> Result<usize, String> {
    let most = 100_000_000;
    let bad = || format!("must be a whole number from 1 to {most}");
    text.parse()
        .ok()
        .filter(|steps| (1..=most).contains(steps))
        .ok_or_else(bad)
}

fn positive(text: &str) -> Result<f64, String> {
    number(text)
        .filter(|number| *number > 0.0)
        .ok_or_else(|| "must be a number greater than 0".to_owned())
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text)
        .filter(|number| *number >= 0.0)
        .ok_or_else(|| "must be a number, 0 or greater".to_owned())
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Prints help as it is, and a mistake as one line.
pub fn explain(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:"));
    let lines: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with("For more"))
        .collect();
    eprintln!("{}; see --help", lines.join(" "));
    ExitCode::from(2)
}
