//! The figures of a run, for programs and for people.

use crate::strategy::names::Strategy;
use crate::training::settings::RunConfig;
use combined_network::task::NOISE_FLOOR;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// Below this a task counts as solved: the lines of all regimes are found, and most of the borders.
pub const SOLVED: f64 = 0.05;

/// Fewer steps than this are a trial.
const USUAL_STEPS: usize = 4000;

/// The figures of a run; `train --json` prints them as one JSON object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Backend trained on.
    pub backend: String,
    /// Strategy trained with.
    pub strategy: Strategy,
    /// Task trained on, or the table's file.
    pub task: String,
    /// Seed of the run.
    pub seed: u64,
    /// Optimiser steps done.
    pub steps: usize,
    /// Seconds for training and evaluation.
    pub seconds: f64,
    /// Mean squared error of the hard choice on the test rows.
    pub test_mse: f64,
    /// The same for one straight line, fitted by least squares.
    pub baseline_mse: f64,
    /// The variance of the noise, which no model can beat; unknown for a table.
    pub noise_floor: Option<f64>,
    /// Classes chosen in more than 2 % of the test rows.
    pub classes_used: usize,
    /// Learning rate at the first step.
    pub learning_rate: f64,
    /// Mean squared error of the network on the validation rows.
    pub validation_mse: f64,
    /// Steps after which the network was as it is kept.
    pub kept_step: usize,
}

impl Report {
    /// The figures of a run.
    pub fn new(
        config: &RunConfig,
        seconds: f64,
        test_mse: f64,
        baseline_mse: f64,
        classes_used: usize,
        (kept_step, validation_mse): (usize, f64),
    ) -> Self {
        let settings = config.settings;
        let task = settings.task.map(|task| task.name().to_owned());
        Self {
            backend: settings.backend.name().to_owned(),
            strategy: settings.strategy,
            task: task.unwrap_or_else(|| config.subject()),
            seed: settings.seed,
            steps: settings.steps,
            seconds,
            test_mse,
            baseline_mse,
            noise_floor: settings.task.map(|_| NOISE_FLOOR),
            classes_used,
            learning_rate: settings.recipe.learning_rate,
            validation_mse,
            kept_step,
        }
    }
}

/// The summary that a person reads after training.
pub struct Summary<'a> {
    /// The figures.
    pub report: &'a Report,
    /// How the run was set up.
    pub config: &'a RunConfig,
    /// Where the run was saved.
    pub out: &'a Path,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            report,
            config,
            out,
        } = self;
        let classes = config.network.classes;
        writeln!(
            f,
            "\n{} on {}, backend {}, seed {}: {} steps in {:.1} s",
            report.strategy.name(),
            config.subject(),
            report.backend,
            report.seed,
            report.steps,
            report.seconds
        )?;
        let (reached, line) = (figure(report.test_mse), figure(report.baseline_mse));
        writeln!(f, "  test MSE of the hard choice   {reached}")?;
        writeln!(f, "  one straight line             {line}")?;
        if let Some(noise) = report.noise_floor {
            writeln!(f, "  noise, which cannot be fitted {noise:.4}")?;
        }
        if report.kept_step < report.steps {
            let step = report.kept_step;
            writeln!(
                f,
                "  network kept                  that of step {step}, which validation finds best"
            )?;
        }
        writeln!(
            f,
            "  classes used                  {} of {classes}",
            report.classes_used
        )?;
        writeln!(f, "  saved in                      {}", out.display())?;
        writeln!(f, "next: {}", self.advice())?;
        write!(
            f,
            "      cargo run --release -p choice-lab -- predict --model {0} --input {0}/test.csv",
            out.display()
        )
    }
}

/// Four digits after the point, or of a number that these would not show, four digits.
pub(crate) fn figure(number: f64) -> String {
    if number == 0.0 || (1e-3..1e6).contains(&number.abs()) {
        format!("{number:.4}")
    } else {
        format!("{number:.3e}")
    }
}

impl Summary<'_> {
    fn advice(&self) -> &'static str {
        let report = self.report;
        let Some(task) = self.config.settings.task else {
            return if report.test_mse < report.baseline_mse {
                "better than a line; try more or fewer --classes, and other seeds before you believe it"
            } else {
                "a line does as well or better; try fewer --classes, fewer --steps or another --strategy"
            };
        };
        let collapsed = report.classes_used < task.regimes();
        match report.strategy {
            Strategy::RoundedIndex => {
                "this strategy is here to fail: rounding has no gradient, so the classifier never learnt; \
                 try --strategy gradual or auto"
            }
            Strategy::GreedyScore | Strategy::GreedyScoreCorrected => {
                "this strategy is here to fail: it never looks at another class than the leader; \
                 try --strategy score-function or auto"
            }
            _ if report.test_mse < SOLVED => {
                "solved; try a harder one, --task b, c or d, or another --strategy or --seed"
            }
            _ if report.steps < USUAL_STEPS => "not solved yet; the usual budget is --steps 4000",
            Strategy::Auto | Strategy::FreeEnergy | Strategy::FreeEnergyRising => {
                "not solved; try another --seed or a smaller --lr; more steps would fit the training rows only"
            }
            _ if collapsed => {
                "the classifier settled on too few classes; try --strategy auto or expected-cost-entropy"
            }
            _ => "not solved; try --strategy auto or another --lr",
        }
    }
}
