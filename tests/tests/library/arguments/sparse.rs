use burn_core::tensor::Device;
use burn_nn::loss::Reduction;
use burn_relax::{loss::*, nn::*, relax::*, sparse::*};

use super::{ints, refusals, zeros};

#[test]
fn an_alpha_or_budget_outside_its_domain_is_named() {
    refusals! {
        "entmax: alpha must be a finite number greater than 0, got 0" => entmax(zeros([2]), 0, 0.0),
        "entmax: alpha must be a finite number greater than 0, got NaN" => entmax(zeros([2]), 0, f64::NAN),
        "log_entmax: alpha must be a finite number greater than 0, got inf" => log_entmax(zeros([2]), 0, f64::INFINITY),
        "normmax: alpha must be a finite number greater than 1, got 1" => normmax(zeros([2]), 0, 1.0),
        "entmax_loss: alpha must be a finite number greater than 0, got -1" =>
            entmax_loss(zeros([2]), zeros([2]), 0, -1.0),
        "budget: budget must be a finite number greater than 0, got 0" => budget(zeros([2]), 0, 0.0),
        "budget: budget must be at most the number of classes, 2, got 2.5" => budget(zeros([2]), 0, 2.5),
        "Relaxation: alpha must be a finite number greater than 0, got 0" =>
            Relaxation::entmax(0, 1).weights(zeros([2]), 0),
        "Relaxation: temperature must be a finite number greater than 0, got 0" =>
            Relaxation::sparsemax(0).weights(zeros([2]), 0),
    }
}

#[test]
fn shapes_and_axes_that_do_not_fit_are_named() {
    refusals! {
        "sparsemax: dim must be in -1..1 for a tensor of rank 1, got 1" => sparsemax(zeros([2]), 1),
        "entmax15: logits must have at least one entry along dim 1, got shape [2, 0]" => entmax15(zeros([2, 0]), -1),
        "entmax: alpha must have size 1 along dim 1 and 1 or the size of [2, 3] elsewhere, got [2, 3]" =>
            entmax(zeros([2, 3]), 1, zeros([2, 3])),
        "sparsemax_loss: targets must have the shape of the logits, [2, 3], got [3, 2]" =>
            sparsemax_loss(zeros([2, 3]), zeros([3, 2]), 1),
        "EntmaxLoss: targets must have the shape of the batch, [2], got [3]" =>
            EntmaxLossConfig::new().init().forward(zeros([2, 3]), ints([3]), Reduction::Mean),
        "Entmax: learned must have at most the rank of the logits, 1, got shape [1, 1]" =>
            EntmaxConfig::new().with_learned(Some(vec![1, 1])).init(&Device::flex()).forward(zeros([2])),
    }
}

#[test]
fn a_bad_sparse_configuration_dies_in_init() {
    let map = RelaxationConfig::entmax(-1, 1);
    refusals! {
        "Entmax: alpha must be a finite number greater than 0, got 0" =>
            EntmaxConfig::new().with_alpha(0.0).init(&Device::flex()),
        "Entmax: alpha must be a finite number greater than 1, got 1" =>
            EntmaxConfig::new().with_alpha(1.0).with_learned(Some(vec![])).init(&Device::flex()),
        "EntmaxLoss: alpha must be a finite number greater than 0, got -2" => EntmaxLossConfig::new().with_alpha(-2.0).init(),
        "SoftArgmax: alpha must be a finite number greater than 0, got -1" => SoftArgmaxConfig::new().with_relaxation(map).init(),
        "SoftArgmaxGather: alpha must be a finite number greater than 0, got -1" =>
            SoftArgmaxGatherConfig::new().with_relaxation(map).init(),
        "Choice: alpha must be a finite number greater than 0, got -1" =>
            ChoiceConfig::new().with_relaxation(map.hard()).init(),
        "Choice: alpha must be a finite number greater than 0, got -1" =>
            ChoiceConfig::new().with_relaxation(map.gumbel()).init(),
    }
}
