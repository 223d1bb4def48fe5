//! Weights of a network trained with PyTorch.
//!
//! The module in PyTorch, whose state dict is read:
//!
//! ```python
//! self.classifier_fc1 = nn.Linear(features, hidden)
//! self.classifier_fc2 = nn.Linear(hidden, classes)   # of relu(classifier_fc1(x))
//! self.regression_fc = nn.Linear(features, classes)  # of x
//! ```

use crate::models::finite::not_finite;
use crate::models::state_dict::{self, Tensors};
use anyhow::{Context, Result, anyhow, bail};
use burn::store::burn_pack::Tensor as Stored;
use burn::store::{ModuleAdapter, ModuleContext, ModuleSnapshot, PyTorchToBurnAdapter, bridge};
use burn::tensor::{DType, Device};
use combined_network::network::{CombinedNetwork, CombinedNetworkConfig};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The layers' names in PyTorch and here.
const LAYERS: [(&str, &str); 3] = [
    ("classifier_fc1", "hidden"),
    ("classifier_fc2", "classifier"),
    ("regression_fc", "regression"),
];

/// The configuration of an imported model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportConfig {
    /// Which program reads it.
    pub format: String,
    /// The file that the weights came from.
    pub weights: PathBuf,
    /// Sizes of the network.
    pub network: CombinedNetworkConfig,
}

impl ImportConfig {
    pub(crate) const FORMAT: &str = "combined-network import 1";
}

/// Reads a state dict; the sizes are those of its tensors.
pub fn read(path: &Path, device: &Device) -> Result<(CombinedNetworkConfig, CombinedNetwork)> {
    let file = path.display();
    let tensors = state_dict::read(path)?;
    let config = sizes(&tensors).with_context(|| format!("{file} does not fit"))?;
    let mut network = config.init(device);
    let adapter = PyTorchToBurnAdapter.chain(Single);
    let result = network.apply(renamed(tensors), None, Some(Box::new(adapter)), false);
    if let Some(error) = result.errors.first() {
        bail!("{file}: {error}");
    }
    if let Some(name) = not_finite(&network) {
        let layer = LAYERS.iter().find_map(|(theirs, ours)| {
            let parameter = name.strip_prefix(ours)?;
            Some(format!("{theirs}{parameter}"))
        });
        bail!(
            "{file}: '{}' holds a NaN, an infinity or a number beyond 3.4e38, the range of 32 bits",
            layer.unwrap_or(name)
        );
    }
    Ok((config, network))
}

/// The sizes, from the two weights of the classifier; then everything must fit them.
fn sizes(tensors: &Tensors) -> Result<CombinedNetworkConfig> {
    let [hidden, features] = matrix(tensors, "classifier_fc1.weight", "[hidden, features]")?;
    let [classes, _] = matrix(tensors, "classifier_fc2.weight", "[classes, hidden]")?;
    let shapes = [[hidden, features], [classes, hidden], [classes, features]];
    for ((layer, _), [outputs, inputs]) in LAYERS.into_iter().zip(shapes) {
        check(tensors, &format!("{layer}.weight"), &[outputs, inputs])?;
        check(tensors, &format!("{layer}.bias"), &[outputs])?;
    }
    let ours = |name: &String| {
        LAYERS.iter().any(|(layer, _)| {
            let parameter = name.strip_prefix(layer);
            matches!(parameter, Some(".weight" | ".bias"))
        })
    };
    if let Some(name) = tensors.keys().find(|name| !ours(name)) {
        bail!("the network has no place for '{name}'");
    }
    Ok(CombinedNetworkConfig {
        features,
        hidden,
        classes,
    })
}

fn matrix(tensors: &Tensors, name: &str, wanted: &str) -> Result<[usize; 2]> {
    let tensor = find(tensors, name, wanted)?;
    match tensor.shape[..] {
        [outputs, inputs] if outputs > 0 && inputs > 0 => Ok([outputs, inputs]),
        ref shape => bail!("'{name}' has the shape {shape:?}, the network needs {wanted}"),
    }
}

fn check(tensors: &Tensors, name: &str, wanted: &[usize]) -> Result<()> {
    let tensor = find(tensors, name, &format!("{wanted:?}"))?;
    if tensor.shape[..] != *wanted {
        bail!(
            "'{name}' has the shape {:?}, the network needs {wanted:?}",
            &tensor.shape[..]
        );
    }
    if !tensor.dtype.is_float() {
        bail!("'{name}' holds {:?}, not floats", tensor.dtype);
    }
    Ok(())
}

fn find<'a>(tensors: &'a Tensors, name: &str, wanted: &str) -> Result<&'a Stored> {
    tensors.get(name).ok_or_else(|| {
        let present: Vec<_> = tensors
            .iter()
            .map(|(name, tensor)| format!("{name} {:?}", &tensor.shape[..]))
            .collect();
        anyhow!(
            "no tensor '{name}' of the shape {wanted}; there are: {}",
            present.join(", ")
        )
    })
}

/// The tensors under this program's names.
fn renamed(tensors: Tensors) -> Vec<Stored> {
    let rename = |mut tensor: Stored| {
        for (theirs, ours) in LAYERS {
            if let Some(parameter) = tensor.name.strip_prefix(theirs) {
                tensor.name = format!("{ours}{parameter}");
                break;
            }
        }
        tensor
    };
    tensors.into_values().map(rename).collect()
}

/// Casts every float to 32 bits, those that the network runs in.
#[derive(Clone)]
struct Single;

impl ModuleAdapter for Single {
    fn adapt(&self, tensor: Stored, _: ModuleContext<'_>) -> Stored {
        let (name, shape) = (tensor.name.clone(), tensor.shape.clone());
        bridge::map_data(tensor, name, DType::F32, shape, |data| {
            data.convert_dtype(DType::F32)
        })
    }

    fn clone_box(&self) -> Box<dyn ModuleAdapter> {
        Box::new(self.clone())
    }
}
