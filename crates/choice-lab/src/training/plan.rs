//! What a run that may be interrupted needs to begin again.

use crate::data::problem::{Problem, TableSource};
use crate::place::devices::Place;
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
    /// How, and on which task unless it is a table.
    pub settings: Settings,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<TableSource>,
    /// On which devices.
    #[serde(default)]
    pub place: Place,
    /// Steps from one checkpoint to the next.
    pub every: usize,
}

impl Plan {
    /// The format that this program writes and reads.
    pub const FORMAT: &str = "combined-network checkpoint 2";

    /// Training with these settings, on the table if there is one, with a checkpoint after every so many steps.
    pub fn new(settings: Settings, table: Option<TableSource>, every: usize) -> Self {
        Self {
            format: Self::FORMAT.to_owned(),
            settings,
            table,
            place: Place::default(),
            every,
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
        ensure!(STEPS.contains(&self.every), "every {}", self.every);
        let devices = self.place.devices.unwrap_or(1);
        ensure!(DEVICES.contains(&devices), "devices {devices}");
        let positive = |number: f64| number.is_finite() && number > 0.0;
        let rate = recipe.learning_rate;
        ensure!(positive(rate), "learning_rate {rate}");
        let clip = recipe.clip.unwrap_or(1.0);
        ensure!(positive(clip), "clip {clip}");
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
