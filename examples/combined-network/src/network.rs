//! The network: a classifier that picks, a regression layer that is picked from.

use anyhow::{Context, Result, ensure};
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
    /// Whether a file of so many bytes has room for the parameters, 4 bytes each: sizes that are wrong are found before a
    /// network of them is made.
    pub fn check(&self, bytes: u64) -> Result<()> {
        let Self {
            features,
            hidden,
            classes,
        } = *self;
        let sizes = format!("{features} features, {hidden} hidden units and {classes} classes");
        ensure!(
            features > 0 && hidden > 0 && classes > 0,
            "there is no network of {sizes}"
        );
        // Of sizes that fit, an f64 is exact; it has room for those that do not.
        let layers = [(features, hidden), (hidden, classes), (features, classes)];
        let numbers = |(inputs, outputs)| (inputs as f64 + 1.0) * outputs as f64;
        let needed = 4.0 * layers.map(numbers).iter().sum::<f64>();
        ensure!(
            needed <= bytes as f64,
            "{bytes} bytes are too few for the parameters of {sizes}"
        );
        Ok(())
    }

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
        let network = Self::load_parameters(sizes, &bpk, device).with_context(context)?;
        Ok((sizes, network))
    }

    /// A network of these sizes with the parameters of a file.
    pub fn load_parameters(
        sizes: CombinedNetworkConfig,
        file: &Path,
        device: &Device,
    ) -> Result<Self> {
        sizes.check(std::fs::metadata(file)?.len())?;
        let record = ModuleRecord::load(file)?;
        Ok(sizes.init(device).try_load_record(record)?)
    }
}
