//! Which network of a run is kept: the last, or the one that validation finds best.

use crate::data::exact::Exact;
use anyhow::{Context, Result};
use burn::module::{Module, Param};
use burn::store::ModuleRecord;
use burn::tensor::{Device, Tensor};
use combined_network::network::{CombinedNetwork, CombinedNetworkConfig};
use serde::{Deserialize, Serialize};

/// The network to keep of those that were validated: the latest whose validation error is within one standard error of the lowest.
///
/// Errors of neighbouring validations differ by chance. Taking the lowest would prefer an earlier network for its luck; the
/// one-standard-error rule (Breiman, Friedman, Olshen and Stone, 1984) prefers it only where the later one is worse for sure. The
/// standard error is that of the rows' differences.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// The kept network, and what validation said of it.
    pub network: Option<(CombinedNetwork, Validated)>,
    /// The squared errors of the validation with the lowest mean, row by row.
    pub lowest: Vec<f32>,
}

/// When a network was validated, and how well it did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validated {
    /// Steps done by then.
    pub step: usize,
    /// Mean squared error of the hard choice, in the network's units.
    pub mse: Exact,
}

/// What a checkpoint holds of it.
#[derive(Module, Debug)]
struct Parameters {
    network: CombinedNetwork,
    lowest: Param<Tensor<1>>,
}

impl Kept {
    /// Another validation, with the squared error of each row.
    pub fn offer(
        &mut self,
        step: usize,
        errors: Vec<f32>,
        network: impl FnOnce() -> CombinedNetwork,
    ) {
        let mse = mean(errors.iter().copied().map(f64::from));
        let lowest = mean(self.lowest.iter().copied().map(f64::from));
        // Of nothing, and of what is not a number, the mean is NaN.
        let lower = lowest.is_nan() || mse <= lowest;
        if lower || !self.is_worse(&errors) {
            let mse = Exact(mse);
            self.network = Some((network(), Validated { step, mse }));
        }
        if lower {
            self.lowest = errors;
        }
    }

    /// The network and the lowest errors as a record, if there are any.
    pub fn record(&self, device: &Device) -> Option<ModuleRecord> {
        let network = self.network.as_ref()?.0.clone();
        let lowest = Param::from_data(&*self.lowest, device);
        Some(Parameters { network, lowest }.into_record())
    }

    /// What was recorded of a network of these sizes and of so many validated rows.
    pub fn restore(
        (record, validated): (ModuleRecord, Validated),
        sizes: CombinedNetworkConfig,
        rows: usize,
        device: &Device,
    ) -> Result<Self> {
        let empty = Parameters {
            network: sizes.init(device),
            lowest: Param::from_tensor(Tensor::zeros([rows], device)),
        };
        let read = empty.try_load_record(record);
        let Parameters { network, lowest } =
            read.context("the checkpoint holds another network")?;
        Ok(Self {
            network: Some((network, validated)),
            lowest: lowest.val().try_into_data()?.iter().collect(),
        })
    }

    /// Whether errors are above the lowest by more than the standard error of the difference; those that are NaN are.
    fn is_worse(&self, errors: &[f32]) -> bool {
        let pairs = errors.iter().zip(&self.lowest);
        let differences: Vec<_> = pairs
            .map(|(new, low)| f64::from(*new) - f64::from(*low))
            .collect();
        let count = differences.len() as f64;
        let difference = mean(differences.iter().copied());
        let variance = mean(differences.iter().map(|d| (d - difference).powi(2)));
        let within = difference <= (variance / (count - 1.0)).sqrt();
        !within
    }
}

fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len() as f64;
    numbers.sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use combined_network::network::CombinedNetworkConfig;

    fn kept(validations: &[&[f32]]) -> usize {
        let sizes = CombinedNetworkConfig {
            features: 1,
            hidden: 1,
            classes: 1,
        };
        let mut kept = Kept::default();
        for (index, errors) in validations.iter().enumerate() {
            let network = || sizes.init(&Device::flex());
            kept.offer(index + 1, errors.to_vec(), network);
        }
        kept.network.expect("there was a validation").1.step
    }

    #[test]
    fn a_later_network_is_kept_unless_it_is_worse_for_sure() {
        let low: &[f32] = &[1.0, 1.0, 1.0, 1.0];
        // The difference is .25 ± .25.
        let unlucky: &[f32] = &[2.0, 1.0, 1.0, 1.0];
        let worse: &[f32] = &[2.0, 2.0, 2.0, 1.5];
        assert_eq!(kept(&[worse, low]), 2);
        assert_eq!(kept(&[low, unlucky]), 2);
        assert_eq!(kept(&[low, worse]), 1);
        // Measured against the lowest, not against what is kept.
        let between: &[f32] = &[2.0, 1.2, 1.2, 1.2];
        assert_eq!(kept(&[low, unlucky, between]), 2);
    }

    #[test]
    fn what_is_not_a_number_is_never_kept() {
        let (low, lost): (&[f32], &[f32]) = (&[1.0, 1.0], &[f32::NAN, 0.0]);
        assert_eq!(kept(&[low, lost]), 1);
        assert_eq!(kept(&[lost, low]), 2);
    }
}
