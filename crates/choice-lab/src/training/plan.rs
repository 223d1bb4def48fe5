//! What a run that may be interrupted needs to begin again.

use crate::data::exact::Exact;
use crate::data::problem::{Problem, TableSource};
use crate::place::devices::Place;
use crate::strategy::recipe::{Recipe, Trial};
use crate::training::limits::{CLASSES, DEVICES, STEPS};
use crate::training::settings::Settings;
use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// What a run trains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Which program reads it.
    pub format: String,
    /// How, and on which task unless it is a table; of the trial under way, if there are some.
    pub settings: Settings,
    /// The recipes in question, in the order in which they are tried; none where it is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<Tried>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<TableSource>,
    /// On which devices.
    #[serde(default)]
    pub place: Place,
    /// Steps from one checkpoint to the next.
    pub every: usize,
}

/// A recipe in question.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    /// What is tried.
    pub trial: Trial,
    /// The validation error of its run, once that has ended.
    pub error: Option<Exact>,
}

impl Plan {
    /// The format that this program writes and reads.
    pub const FORMAT: &str = "combined-network checkpoint 3";

    /// Training with these settings, on the table if there is one, with a checkpoint after every so many steps.
    pub fn new(settings: Settings, table: Option<TableSource>, every: usize) -> Self {
        Self {
            format: Self::FORMAT.to_owned(),
            settings,
            trials: Vec::new(),
            table,
            place: Place::default(),
            every,
        }
    }

    /// The same with these recipes in question; one alone is in none.
    pub fn trying(mut self, trials: Vec<Trial>) -> Self {
        let tried = |trial| Tried { trial, error: None };
        self.trials = trials.into_iter().map(tried).collect();
        self.take_up(0);
        if self.trials.len() == 1 {
            self.trials.clear();
        }
        self
    }

    /// The number of the first trial that has not ended.
    pub(crate) fn under_way(&self) -> Option<usize> {
        self.trials.iter().position(|tried| tried.error.is_none())
    }

    /// The number of the trial with the lowest error.
    pub(crate) fn winner(&self) -> usize {
        let error = |index: &usize| {
            let error = self.trials[*index].error.map_or(f64::NAN, |error| error.0);
            if error.is_nan() { f64::INFINITY } else { error }
        };
        let lowest = (0..self.trials.len()).min_by(|a, b| error(a).total_cmp(&error(b)));
        lowest.unwrap_or_default()
    }

    /// Turns to a trial.
    pub(crate) fn take_up(&mut self, index: usize) {
        if let Some(tried) = self.trials.get(index) {
            let Trial { strategy, recipe } = tried.trial;
            self.settings = Settings {
                strategy,
                recipe,
                ..self.settings
            };
        }
    }

    /// The same on other devices.
    pub fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// Whether a file holds what this program may have written.
    pub(crate) fn check(&self) -> Result<()> {
        let Settings { steps, recipe, .. } = self.settings;
        ensure!(STEPS.contains(&steps), "steps {steps}");
        let tried = self.trials.iter().map(|tried| tried.trial.recipe);
        for Recipe {
            learning_rate,
            clip,
            ..
        } in tried.chain([recipe])
        {
            let positive = |number: f64| number.is_finite() && number > 0.0;
            ensure!(positive(learning_rate), "learning_rate {learning_rate}");
            let clip = clip.unwrap_or(1.0);
            ensure!(positive(clip), "clip {clip}");
        }
        ensure!(STEPS.contains(&self.every), "every {}", self.every);
        let devices = self.place.devices.unwrap_or(1);
        ensure!(DEVICES.contains(&devices), "devices {devices}");
        if let Some(table) = &self.table {
            let classes = table.classes;
            ensure!(CLASSES.contains(&classes), "classes {classes}");
        }
        Ok(())
    }

    /// The rows to train on.
    pub fn problem(&self) -> Result<Problem> {
        let Settings { task, seed, .. } = self.settings;
        match (&self.table, task) {
            (Some(table), _) => table.read(seed),
            (None, Some(task)) => Ok(Problem::generated(task, seed)),
            (None, None) => bail!("the run names neither a task nor a table"),
        }
    }
}
