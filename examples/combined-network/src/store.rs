//! Run folders: what is in one, how it is written and read back.

use crate::data::Task;
use crate::dataset::TableConfig;
use crate::draft::Draft;
use crate::network::{CombinedNetwork, CombinedNetworkConfig};
use crate::problem::Problem;
use crate::scaling::Scaling;
use crate::training::Settings;
use anyhow::{Context, Result, anyhow, bail};
use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Parameters, in Burn's own format.
pub const MODEL: &str = "model.bpk";
/// A [`RunConfig`].
pub const CONFIG: &str = "config.json";
/// The run's report and curves.
pub const METRICS: &str = "metrics.json";
/// The test rows.
pub const TEST: &str = "test.csv";
/// The final evaluation on them.
pub const PREDICTIONS: &str = "test_predictions.csv";

const FORMAT: &str = "combined-network 1";

/// What `predict` needs to know, and what a reader wants to know, of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    format: String,
    /// What was trained, and how.
    pub settings: Settings,
    /// Sizes of the network.
    pub network: CombinedNetworkConfig,
    /// From the network's units to the data's.
    pub scaling: Scaling,
    /// The table it was trained on, unless that was a task's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableConfig>,
}

impl RunConfig {
    /// The configuration of a run with these settings on this problem.
    #[must_use]
    pub fn new(settings: Settings, problem: &Problem) -> Self {
        Self {
            format: FORMAT.to_owned(),
            settings,
            network: problem.network,
            scaling: Scaling::fit(&problem.splits.train.targets),
            table: problem.table.clone(),
        }
    }

    /// What was trained on: the table's file, or the task.
    #[must_use]
    pub fn subject(&self) -> String {
        let task = || format!("task {}", self.settings.task.map_or("none", Task::name));
        let file = |table: &TableConfig| table.file.display().to_string();
        self.table.as_ref().map_or_else(task, file)
    }
}

/// Writes parameters and configuration into a folder in the making.
///
/// # Errors
///
/// If a file cannot be written.
pub fn save(draft: &Draft, network: CombinedNetwork, config: &impl Serialize) -> Result<()> {
    network
        .into_record()
        .save(draft.path(MODEL))
        .map_err(|error| anyhow!("cannot save the model: {error}"))?;
    draft.write_json(CONFIG, config)
}

/// Reads a run folder's configuration.
///
/// # Errors
///
/// If the folder is missing or is not a run folder.
pub fn load_config(folder: &Path) -> Result<RunConfig> {
    let config: RunConfig = read_config(folder)?;
    if config.format != FORMAT {
        bail!(
            "{}/{CONFIG} has the format '{}'; this program reads '{FORMAT}'",
            folder.display(),
            config.format
        );
    }
    Ok(config)
}

/// Reads a model folder's configuration, whatever form it has.
///
/// # Errors
///
/// If the folder is missing, or its configuration has another form.
pub fn read_config<T: DeserializeOwned>(folder: &Path) -> Result<T> {
    let name = folder.display();
    if !folder.is_dir() {
        bail!("model folder {name} does not exist; `train --out DIR` writes one");
    }
    let text = match fs::read_to_string(folder.join(CONFIG)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("{name} is not a model folder of this program: it has no {CONFIG}")
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {name}/{CONFIG}")),
    };
    serde_json::from_str(&text).with_context(|| {
        format!("{name} is not a model folder of this program: {CONFIG} does not fit")
    })
}

/// Reads a run folder's network.
///
/// # Errors
///
/// If the file is missing, damaged or of another network.
pub fn load_network(
    folder: &Path,
    config: CombinedNetworkConfig,
    device: &Device,
) -> Result<CombinedNetwork> {
    let path = folder.join(MODEL);
    if !path.is_file() {
        bail!(
            "{} is not a model folder of this program: it has no {MODEL}",
            folder.display()
        );
    }
    let fits = || format!("{} is damaged or holds another network", path.display());
    let record = ModuleRecord::load(&path).with_context(fits)?;
    config
        .init(0, device)
        .try_load_record(record)
        .with_context(fits)
}
