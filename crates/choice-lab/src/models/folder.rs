//! Model folders: how one is written and read back.

use crate::models::finite::not_finite;
use crate::store::draft::Draft;
use crate::store::files::{CONFIG, MODEL};
use crate::training::settings::RunConfig;
use anyhow::{Context, Result, anyhow, bail};
use burn::module::Module;
use burn::tensor::Device;
use combined_network::network::{CombinedNetwork, CombinedNetworkConfig};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Writes parameters and configuration into a folder in the making.
pub fn save(draft: &Draft, network: CombinedNetwork, config: &impl Serialize) -> Result<()> {
    network
        .into_record()
        .save(draft.path(MODEL))
        .map_err(|error| anyhow!("cannot save the model: {error}"))?;
    draft.write_json(CONFIG, config)
}

/// Reads a run folder's configuration.
pub fn load_config(folder: &Path) -> Result<RunConfig> {
    let config: RunConfig = read_config(folder)?;
    if config.format != RunConfig::FORMAT {
        bail!(
            "{}/{CONFIG} has the format '{}'; this program reads '{}'",
            folder.display(),
            config.format,
            RunConfig::FORMAT
        );
    }
    Ok(config)
}

/// Reads a model folder's configuration, whatever form it has.
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
    let network = CombinedNetwork::load_parameters(config, &path, device);
    let network = network
        .with_context(|| format!("{} is damaged or holds another network", path.display()))?;
    match not_finite(&network) {
        Some(name) => bail!("{}: the parameter {name} is not finite", path.display()),
        None => Ok(network),
    }
}
