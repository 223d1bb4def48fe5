//! What `predict` needs of a model folder, be it from `train` or from `import`.

use crate::data::samples::Samples;
use crate::data::scaling::Scaling;
use crate::data::table;
use crate::data::table_config::TableConfig;
use crate::models::folder;
use crate::models::pytorch::ImportConfig;
use crate::place::backend::Backend;
use crate::store::files::CONFIG;
use anyhow::{Context, Result, ensure};
use combined_network::network::CombinedNetworkConfig;
use combined_network::task::Rows;
use serde_json::Value;
use std::collections::HashSet;
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
    pub fn load(folder: &Path) -> Result<Self> {
        let config: Value = folder::read_config(folder)?;
        if config["format"] == ImportConfig::FORMAT {
            let network = folder::read_config::<ImportConfig>(folder)?.network;
            return Ok(Self {
                backend: Backend::any(),
                network,
                scaling: Scaling::IDENTITY,
                table: None,
            });
        }
        let config = folder::load_config(folder)?;
        let model = Self {
            backend: config.settings.backend.local(),
            network: config.network,
            scaling: config.scaling,
            table: config.table,
        };
        let misfit = || format!("{}/{CONFIG} does not fit itself", folder.display());
        model.check().with_context(misfit)?;
        Ok(model)
    }

    /// Whether the parts of a configuration belong together.
    fn check(&self) -> Result<()> {
        ensure!(self.scaling.is_sound(), "the scaling {:?}", self.scaling);
        let Some(table) = &self.table else {
            return Ok(());
        };
        let (inputs, columns) = (self.network.features, table.features.len());
        ensure!(
            inputs == columns,
            "the network takes {inputs} features, the table has {columns}"
        );
        let mut names = HashSet::new();
        for feature in &table.features {
            let name = &feature.name;
            ensure!(feature.scaling.is_sound(), "the scaling of {name}");
            ensure!(names.insert(name), "the table has the column {name} twice");
        }
        Ok(())
    }

    /// The columns that it takes.
    pub fn names(&self) -> Vec<String> {
        match &self.table {
            Some(table) => table.names(),
            None => table::numbered(self.network.features),
        }
    }

    /// Rows in the data's units as the network takes them.
    pub fn rescaled(&self, rows: &Samples) -> Rows {
        rows.rescaled(self.table.as_ref(), self.scaling)
    }
}
