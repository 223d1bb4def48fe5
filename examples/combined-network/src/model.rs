//! What `predict` needs of a model folder, be it from `train` or from `import`.

use crate::backend::Backend;
use crate::data::Rows;
use crate::dataset::TableConfig;
use crate::import::ImportConfig;
use crate::network::CombinedNetworkConfig;
use crate::scaling::Scaling;
use crate::{store, table};
use anyhow::Result;
use serde_json::Value;
use std::path::Path;

/// A saved model, but for its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Where it runs if nothing else is asked for.
    pub backend: Backend,
    /// Sizes of the network.
    pub network: CombinedNetworkConfig,
    /// From the network's units to the data's.
    pub scaling: Scaling,
    /// The table it was trained on, unless that was a task's.
    pub table: Option<TableConfig>,
}

impl Model {
    /// Reads a model folder's configuration.
    ///
    /// # Errors
    ///
    /// If the folder is missing or is not a model folder.
    pub fn load(folder: &Path) -> Result<Self> {
        let config: Value = store::read_config(folder)?;
        if config["format"] == ImportConfig::FORMAT {
            let network = store::read_config::<ImportConfig>(folder)?.network;
            return Ok(Self {
                backend: Backend::any(),
                network,
                scaling: Scaling::IDENTITY,
                table: None,
            });
        }
        let config = store::load_config(folder)?;
        Ok(Self {
            backend: config.settings.backend.local(),
            network: config.network,
            scaling: config.scaling,
            table: config.table,
        })
    }

    /// The columns that it takes.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        match &self.table {
            Some(table) => table.names(),
            None => table::numbered(self.network.features),
        }
    }

    /// Rows in the data's units as the network takes them.
    #[must_use]
    pub fn standardise(&self, rows: Rows) -> Rows {
        match &self.table {
            Some(table) => table.standardise(rows),
            None => rows,
        }
    }
}
