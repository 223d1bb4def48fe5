//! What a run that may be interrupted needs to begin again.

use crate::data::problem::{Problem, TableSource};
use crate::place::devices::Place;
use crate::training::settings::Settings;
use anyhow::{Result, bail};
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
    pub const FORMAT: &str = "combined-network checkpoint 1";

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
