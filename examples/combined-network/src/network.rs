//! The network: a classifier that picks, a regression layer that is picked from.

use anyhow::{Context, Result};
use burn::config::Config;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::store::ModuleRecord;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor};
use burn_relax::{argmax, argmax_gather, softmax};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The sizes of a [`CombinedNetwork`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CombinedNetworkConfig {
    /// Input features.
    pub features: usize,
    /// Hidden units of the classifier.
    pub hidden: usize,
    /// Classes, and values to pick from.
    pub classes: usize,
}

impl Config for CombinedNetworkConfig {}

impl CombinedNetworkConfig {
    /// A network with random parameters.
    pub fn init(&self, device: &Device) -> CombinedNetwork {
        CombinedNetwork {
            hidden: LinearConfig::new(self.features, self.hidden).init(device),
            classifier: LinearConfig::new(self.hidden, self.classes).init(device),
            regression: LinearConfig::new(self.features, self.classes).init(device),
        }
    }
}

/// Classifier `Linear–ReLU–Linear` and regression `Linear`; the output is the value of the classifier's argmax.
#[derive(Module, Debug)]
pub struct CombinedNetwork {
    /// First layer of the classifier.
    pub hidden: Linear,
    /// Second layer of the classifier: one logit per class.
    pub classifier: Linear,
    /// One value per class.
    pub regression: Linear,
}

impl CombinedNetwork {
    /// Logits and values, both `[rows, classes]`.
    pub fn forward(&self, inputs: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let hidden = relu(self.hidden.forward(inputs.clone()));
        let logits = self.classifier.forward(hidden);
        (logits, self.regression.forward(inputs))
    }

    /// What the network is for, the hard choice: class, its probability and its value, each `[rows, 1]`.
    pub fn choose(&self, inputs: Tensor<2>) -> (Tensor<2, Int>, Tensor<2>, Tensor<2>) {
        let (logits, values) = self.forward(inputs);
        let class = argmax(logits.clone(), 1);
        let probability = softmax(logits.clone(), 1, 1.0).max_dim(1);
        (class, probability, argmax_gather(logits, values, 1))
    }

    /// Saves sizes and parameters in a folder.
    pub fn save(self, sizes: CombinedNetworkConfig, folder: &Path) -> Result<()> {
        let context = || format!("cannot write to {}", folder.display());
        std::fs::create_dir_all(folder).with_context(context)?;
        let [json, bpk] = ["network.json", "network.bpk"].map(|file| folder.join(file));
        sizes.save(json).with_context(context)?;
        self.into_record().save(bpk).with_context(context)
    }

    /// Reads back what was saved.
    pub fn load(folder: &Path, device: &Device) -> Result<(CombinedNetworkConfig, Self)> {
        let context = || format!("{} holds no network of this program", folder.display());
        let [json, bpk] = ["network.json", "network.bpk"].map(|file| folder.join(file));
        let sizes = CombinedNetworkConfig::load(json).with_context(context)?;
        let record = ModuleRecord::load(bpk).with_context(context)?;
        let network = sizes.init(device).try_load_record(record);
        Ok((sizes, network.with_context(context)?))
    }
}
