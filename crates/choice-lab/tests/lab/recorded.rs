//! Training curves that were recorded: a change of the library or of this program that moves a number does not go unnoticed.

use crate::common::settings;
use crate::run;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use choice_lab::data::random::network;
use choice_lab::place::backend::Backend;
use choice_lab::strategy::names::Strategy;
use choice_lab::training::minibatches::BATCH;
use choice_lab::training::settings::Settings;
use combined_network::network::CombinedNetworkConfig;

/// The first 300 training costs of task A, seed 0, on Flex: the hash of their bits, and the last one.
///
/// They change where a kernel, or an operation of Burn's, rounds otherwise than before. If that is on purpose, record what the
/// failed test prints.
const RECORDED: [(Strategy, u64, f64); 3] = [
    (Strategy::Auto, 0xe544_4f99_23ed_7666, 0.082_083),
    (Strategy::GumbelHard, 0x7c5e_1195_eb3c_9974, 0.040_785),
    (
        Strategy::ScoreFunctionLeaveOneOut,
        0xbff5_3861_b374_086a,
        0.596_607,
    ),
];

/// FNV-1a of the bits.
fn hash(numbers: &[f64]) -> u64 {
    let bytes = numbers
        .iter()
        .flat_map(|number| number.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The bits of Burn's part alone: the network trained without a choice, by an optimiser of Burn's.
///
/// How Burn multiplies and adds depends on the processor. Where this number is another one, so are the costs.
const RECORDED_WITHOUT_CHOICE: u64 = 0x83bb_007a_74d4_9026;

fn costs_without_choice() -> Vec<f64> {
    let device = Device::flex().autodiff();
    let sizes = CombinedNetworkConfig {
        features: 2,
        hidden: 32,
        classes: 3,
    };
    let mut network = network(sizes, 0, &device);
    let mut adam = AdamConfig::new().init();
    let inputs = (0..2 * BATCH as i64).map(|i| (i * i % 101) as f32 / 50.0 - 1.0);
    let inputs = Tensor::<1>::from_data(&*inputs.collect::<Vec<_>>(), &device);
    let inputs = inputs.reshape([BATCH, sizes.features]);
    let step = |_| {
        let (logits, values) = network.forward(inputs.clone());
        let cost = (logits - 1.0).square().mean() + (values + 1.0).square().mean();
        let grads = GradientsParams::from_grads(cost.backward(), &network);
        network = adam.step(0.01, network.clone(), grads);
        f64::from(cost.into_scalar::<f32>())
    };
    (0..50).map(step).collect()
}

#[test]
fn training_costs_have_the_recorded_bits() {
    let without_choice = hash(&costs_without_choice());
    let as_recorded = without_choice == RECORDED_WITHOUT_CHOICE;
    println!("without a choice the bits are {without_choice:#018x}");
    for (strategy, bits, last) in RECORDED {
        let settings = settings(Backend::Flex, strategy, 300);
        let cost = run(Settings {
            seed: 0,
            ..settings
        })
        .curves
        .cost;
        let (found, end) = (hash(&cost), cost[cost.len() - 1]);
        // The cost of a step, not the course of it, where Burn rounds otherwise.
        let near = (end - last).abs() < 0.02;
        assert!(
            if as_recorded { found == bits } else { near },
            "{strategy:?}: the bits {found:#018x} and the end {end}, recorded were {bits:#018x} and {last}"
        );
    }
}
