use burn_core::tensor::{DType, Device, Tensor};
use burn_relax::{distribution::*, estimate::*, loss::*, nn::*, relax::*};

use super::{ints, refusals, zeros};

fn index() -> Coordinates {
    Coordinates::index()
}

#[test]
fn a_dim_out_of_range_is_named() {
    refusals! {
        "softmax: dim must be in -2..2 for a tensor of rank 2, got 2" => softmax(zeros([2, 3]), 2, 1.0),
        "softmax: dim must be in -2..2 for a tensor of rank 2, got -3" => softmax(zeros([2, 3]), -3, 1.0),
        "log_softmax: dim must be in -1..1 for a tensor of rank 1, got 1" => log_softmax(zeros([3]), 1),
        "soft_argmax: dim must be in -3..3 for a tensor of rank 3, got 3" => soft_argmax(zeros([2, 3, 4]), 3, 1.0, index()),
        "Relaxation: dim must be in -1..1 for a tensor of rank 1, got 5" =>
            Relaxation::softmax(1).coordinate_with_variance(zeros([2]), 5, index()),
        "Relaxation: dim must be in -1..1 for a tensor of rank 1, got -2" =>
            Relaxation::softmax(1).windowed_coordinate(zeros([2]), -2, index(), 1.0),
        // A feature dimension is no place for the classes.
        "soft_argmax_gather: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            soft_argmax_gather(zeros([2, 3]), zeros([2, 3, 4]), 2, 1.0),
        "argmax: dim must be in -2..2 for a tensor of rank 2, got 2" => argmax(zeros([2, 3]), 2),
        "argmax_gather: dim must be in -2..2 for a tensor of rank 2, got 2" => argmax_gather(zeros([2, 3]), zeros([2, 3]), 2),
        "gradual_argmax: dim must be in -2..2 for a tensor of rank 2, got 2" => gradual_argmax(zeros([2, 3]), 2, 1.0),
        "power_softmax: dim must be in -2..2 for a tensor of rank 2, got 2" => power_softmax(zeros([2, 3]), 2, 1.0),
        "gumbel_softmax: dim must be in -2..2 for a tensor of rank 2, got 2" => gumbel_softmax(zeros([2, 3]), 2, 1.0, 1),
        "Relaxation: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            Relaxation::softmax(1).noise(zeros([2, 3])).weights(zeros([2, 3]), 2),
        "gumbel_noise: dim must be in -2..2 for a tensor of rank 2, got 2" => gumbel_noise([2, 3], 2, 1, &Device::flex()),
        "relaxed_categorical_log_density: dim must be in -1..1 for a tensor of rank 1, got 1" =>
            relaxed_categorical_log_density(zeros([2]), zeros([2]), 1, 1.0),
        "straight_through_argmax: dim must be in -2..2 for a tensor of rank 2, got 2" => straight_through_argmax(zeros([2, 3]), 2, 1.0),
        "straight_through_with_indices: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            straight_through_with_indices(zeros([2, 3]), ints([2, 1]), 2, 1.0),
        "Relaxation: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            Relaxation::softmax(1).sampled(1).weights(zeros([2, 3]), 2),
        "categorical_log_prob: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            categorical_log_prob(zeros([2, 3]), ints([2, 1]), 2),
        "categorical_entropy: dim must be in -2..2 for a tensor of rank 2, got 2" => categorical_entropy(zeros([2, 3]), 2),
        "sample_categorical: dim must be in -2..2 for a tensor of rank 2, got 2" => sample_categorical(zeros([2, 3]), 2, 1, 1),
        "expected_loss: dim must be in -2..2 for a tensor of rank 2, got 2" => expected_loss(zeros([2, 3]), zeros([2, 3]), 2),
        "free_energy_loss: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            free_energy_loss(zeros([2, 3]), zeros([2, 3]), 2, 1.0),
        "reinmax: dim must be in -2..2 for a tensor of rank 2, got 2" => reinmax(zeros([2, 3]), 2, 1.0, 1),
        "reinmax_with_indices: dim must be in -2..2 for a tensor of rank 2, got -3" =>
            reinmax_with_indices(zeros([2, 3]), ints([2, 1]), -3, 1.0),
        "Relaxation: dim must be in -2..2 for a tensor of rank 2, got 2" => Relaxation::softmax(1).gumbel(1).rao(1).weights(zeros([2, 3]), 2),
        "mixture_loss: dim must be in -2..2 for a tensor of rank 2, got 2" => mixture_loss(zeros([2, 3]), zeros([2, 3]), 2),
        "hard_mixture_loss: dim must be in -2..2 for a tensor of rank 2, got 2" => hard_mixture_loss(zeros([2, 3]), zeros([2, 3]), 2),
        "winner_takes_all_loss: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            winner_takes_all_loss(zeros([2, 3]), zeros([2, 3]), 2),
        "load_balancing_loss: dim must be in -2..2 for a tensor of rank 2, got 2" => load_balancing_loss(zeros([2, 3]), 2),
        "importance_loss: dim must be in -2..2 for a tensor of rank 2, got 2" => importance_loss(zeros([2, 3]), 2),
        "batch_baseline: dim must be in -2..2 for a tensor of rank 2, got 2" => batch_baseline(zeros([2, 3]), 2),
        "Selector: dim must be in -2..2 for a tensor of rank 2, got 5" => {
            let selector = SelectorConfig::new().with_dim(5).init(&Device::flex());
            selector.loss(zeros([2, 3]), zeros([2, 3]), |values| values)
        },
        "Selector: joint_dim must be in -2..2 and differ from dim for a tensor of rank 2, got -1" => {
            let selector = SelectorConfig::new().with_joint_dim(Some(-1)).init(&Device::flex());
            selector.loss(zeros([2, 3]), zeros([2, 3]), |values| values)
        },
        "ScoreFunctionSelector: joint_dim must be in -2..2 and differ from dim for a tensor of rank 2, got 2" => {
            let selector = ScoreFunctionSelectorConfig::new().with_joint_dim(Some(2)).init(&Device::flex().autodiff());
            let zeros = || Tensor::<2>::zeros([2, 3], &Device::flex().autodiff());
            selector.choose(zeros(), zeros())
        },
        "leave_one_out_baseline: dim must be in -2..2 for a tensor of rank 2, got 2" => leave_one_out_baseline(zeros([2, 3]), 2),
        "ScoreFunctionSelector: dim must be in -2..2 for a tensor of rank 2, got 5" => {
            let selector = ScoreFunctionSelectorConfig::new().with_dim(5).init(&Device::flex());
            selector.choose(zeros([2, 3]), zeros([2, 3]))
        },
    }
}

#[test]
fn an_empty_axis_is_named() {
    const SUFFIX: &str = "must have at least one entry along dim 1, got shape [2, 0]";
    let message =
        |op: &str, argument: &str| -> &'static str { format!("{op}: {argument} {SUFFIX}").leak() };
    let logits = |op| message(op, "logits");
    refusals! {
        logits("softmax") => softmax(zeros([2, 0]), 1, 1.0),
        logits("log_softmax") => log_softmax(zeros([2, 0]), 1),
        logits("soft_argmax") => soft_argmax(zeros([2, 0]), 1, 1.0, index()),
        logits("Relaxation") => Relaxation::softmax(1).coordinate_with_variance(zeros([2, 0]), 1, index()),
        logits("Relaxation") => Relaxation::softmax(1).windowed_coordinate(zeros([2, 0]), 1, index(), 1.0),
        logits("soft_argmax_gather") => soft_argmax_gather(zeros([2, 0]), zeros([2, 0]), 1, 1.0),
        logits("argmax") => argmax(zeros([2, 0]), -1),
        logits("argmax_gather") => argmax_gather(zeros([2, 0]), zeros([2, 0]), 1),
        message("gradual_argmax", "values") => gradual_argmax(zeros([2, 0]), 1, 1.0),
        message("power_softmax", "values") => power_softmax(zeros([2, 0]), 1, 1.0),
        logits("gumbel_softmax") => gumbel_softmax(zeros([2, 0]), 1, 1.0, 1),
        logits("Relaxation") => Relaxation::softmax(1).noise(zeros([2, 0])).weights(zeros([2, 0]), 1),
        logits("relaxed_categorical_log_density") => relaxed_categorical_log_density(zeros([2, 0]), zeros([2, 0]), 1, 1.0),
        logits("straight_through_argmax") => straight_through_argmax(zeros([2, 0]), 1, 1.0),
        logits("straight_through_with_indices") => straight_through_with_indices(zeros([2, 0]), ints([2, 1]), 1, 1.0),
        logits("Relaxation") => Relaxation::softmax(1).sampled(1).weights(zeros([2, 0]), 1),
        logits("categorical_log_prob") => categorical_log_prob(zeros([2, 0]), ints([2, 1]), 1),
        logits("categorical_entropy") => categorical_entropy(zeros([2, 0]), 1),
        logits("sample_categorical") => sample_categorical(zeros([2, 0]), 1, 1, 1),
        logits("expected_loss") => expected_loss(zeros([2, 0]), zeros([2, 0]), 1),
        logits("reinmax") => reinmax(zeros([2, 0]), 1, 1.0, 1),
        logits("reinmax_with_indices") => reinmax_with_indices(zeros([2, 0]), ints([2, 1]), 1, 1.0),
        logits("Relaxation") => Relaxation::softmax(1).gumbel(1).rao(1).weights(zeros([2, 0]), 1),
        logits("mixture_loss") => mixture_loss(zeros([2, 0]), zeros([2, 0]), 1),
        logits("hard_mixture_loss") => hard_mixture_loss(zeros([2, 0]), zeros([2, 0]), 1),
        logits("winner_takes_all_loss") => winner_takes_all_loss(zeros([2, 0]), zeros([2, 0]), 1),
        logits("load_balancing_loss") => load_balancing_loss(zeros([2, 0]), 1),
        logits("importance_loss") => importance_loss(zeros([2, 0]), 1),
        message("batch_baseline", "cost") => batch_baseline(zeros([2, 0]), 1),
        logits("Selector") => {
            let selector = SelectorConfig::new().init(&Device::flex());
            selector.loss(zeros([2, 0]), zeros([2, 0]), |values| values)
        },
        logits("free_energy_loss") => free_energy_loss(zeros([2, 0]), zeros([2, 0]), 1, 1.0),
        "Relaxation: heatmap must have at least one entry along dim 2, got shape [2, 3, 0]" =>
            Relaxation::<3>::softmax(1.0).spatial::<2>(zeros([2, 3, 0]), Grid::Pixels),
        "Relaxation: heatmap must have at least one entry along dim 1, got shape [2, 0, 3]" =>
            Relaxation::<3>::softmax(1).spatial_with_variance::<2>(zeros([2, 0, 3]), Grid::Pixels),
        "Relaxation: heatmap must have at least one entry along dim 0, got shape [0, 3]" =>
            Relaxation::<2>::softmax(1).windowed_spatial::<1>(zeros([0, 3]), Grid::Pixels, 1.0),
        logits("ScoreFunctionSelector") => {
            let selector = ScoreFunctionSelectorConfig::new().init(&Device::flex());
            selector.choose(zeros([2, 0]), zeros([2, 0]))
        },
    }
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    refusals! {
        "soft_argmax_gather: values must have the logits' shape [2, 3], then any feature dimensions, got [2, 4]" =>
            soft_argmax_gather(zeros([2, 3]), zeros([2, 4]), 1, 1.0),
        "soft_argmax_gather: values must have the logits' shape [2, 3], then any feature dimensions, got [3, 2, 3]" =>
            soft_argmax_gather(zeros([2, 3]), zeros([3, 2, 3]), 1, 1.0),
        "soft_argmax_gather: values must have the logits' shape [2, 3], then any feature dimensions, got [2]" =>
            soft_argmax_gather(zeros([2, 3]), zeros([2]), 1, 1.0),
        // No broadcasting by accident.
        "soft_argmax_gather: values must have the logits' shape [2, 3], then any feature dimensions, got [1, 3]" =>
            soft_argmax_gather(zeros([2, 3]), zeros([1, 3]), 1, 1.0),
        "argmax_gather: values must have the logits' shape [2, 3], then any feature dimensions, got [2, 2]" =>
            argmax_gather(zeros([2, 3]), zeros([2, 2]), 1),
        "ScoreFunctionSelector: values must have the logits' shape [2, 3], then any feature dimensions, got [2, 2]" => {
            let selector = ScoreFunctionSelectorConfig::new().init(&Device::flex());
            selector.choose(zeros([2, 3]), zeros([2, 2]))
        },
        "expected_loss: cost must have the shape of the logits, [2, 3], got [2, 1]" =>
            expected_loss(zeros([2, 3]), zeros([2, 1]), 1),
        "free_energy_loss: cost must have the shape of the logits, [2, 3], got [3, 2]" =>
            free_energy_loss(zeros([2, 3]), zeros([3, 2]), 1, 1.0),
        "Relaxation: noise must have the shape of the logits, [2, 3], got [1, 3]" =>
            Relaxation::softmax(1).noise(zeros([1, 3])).weights(zeros([2, 3]), 1),
        "relaxed_categorical_log_density: weights must have the shape of the logits, [3], got [2]" =>
            relaxed_categorical_log_density(zeros([3]), zeros([2]), 0, 1.0),
        "straight_through: hard must have the shape of soft, [3], got [2]" => straight_through(zeros([2]), zeros([3])),
        "straight_through_with_indices: indices must have the shape of one row of the logits, [2, 1], got [2, 2]" =>
            straight_through_with_indices(zeros([2, 3]), ints([2, 2]), 1, 1.0),
        "categorical_log_prob: indices must have the logits' shape [2, 3] outside dim 1, got [3, 1]" =>
            categorical_log_prob(zeros([2, 3]), ints([3, 1]), 1),
        "score_function_loss: cost must have the shape of log_prob, [2], got [3]" =>
            score_function_loss(zeros([2]), zeros([3]), None),
        "score_function_loss: baseline must have the shape of log_prob, [2], got [1]" =>
            score_function_loss(zeros([2]), zeros([2]), Some(zeros([1]))),
        "reinmax_with_indices: indices must have the shape of one row of the logits, [2, 1], got [2, 2]" =>
            reinmax_with_indices(zeros([2, 3]), ints([2, 2]), 1, 1.0),
        "dice_loss: cost must have the shape of log_prob, [2], got [3]" => dice_loss(zeros([2]), zeros([3]), None),
        "dice_loss: baseline must have the shape of log_prob, [2], got [1]" =>
            dice_loss(zeros([2]), zeros([2]), Some(zeros([1]))),
        "mixture_loss: log_likelihood must have the shape of the logits, [2, 3], got [2, 1]" =>
            mixture_loss(zeros([2, 3]), zeros([2, 1]), 1),
        "hard_mixture_loss: log_likelihood must have the shape of the logits, [2, 3], got [2, 1]" =>
            hard_mixture_loss(zeros([2, 3]), zeros([2, 1]), 1),
        "winner_takes_all_loss: cost must have the shape of the logits, [2, 3], got [3, 2]" =>
            winner_takes_all_loss(zeros([2, 3]), zeros([3, 2]), 1),
        "gaussian_log_likelihood: target must have size 1 or that of [2, 3] in every dimension, got [2, 2]" =>
            gaussian_log_likelihood(zeros([2, 3]), zeros([2, 2]), 1.0),
        "gaussian_log_likelihood: deviation must have size 1 or that of [2, 3] in every dimension, got [3, 1]" =>
            gaussian_log_likelihood(zeros([2, 3]), zeros([2, 1]), zeros([3, 1])),
        "categorical_log_likelihood: target must have size 1 or that of [2, 1] in every dimension, got [2, 4]" =>
            categorical_log_likelihood::<1, 2>(zeros([2, 4]), ints([2, 4])),
        "categorical_log_likelihood: outputs must have rank 3 for a result of rank 2, got 2" =>
            categorical_log_likelihood::<2, 2>(zeros([2, 4]), ints([2, 1])),
        "Selector: values must have the logits' shape [2, 3], then any feature dimensions, got [2, 2]" => {
            let selector = SelectorConfig::new().init(&Device::flex());
            selector.loss(zeros([2, 3]), zeros([2, 2]), |values| values)
        },
        "Selector: cost must have the shape [2, 1] for the values it was given, got [2, 2]" => {
            let selector = SelectorConfig::new().init(&Device::flex());
            selector.loss(zeros([2, 3]), zeros([2, 3]), |values| values.repeat_dim(1, 2))
        },
        "Selector: the number of outcomes must be at most 65536 to list them all, got 3 to the power of 12 = 531441" => {
            let device = Device::flex().autodiff();
            let selector = SelectorConfig::new().with_joint_dim(Some(0)).init(&device);
            let zeros = || Tensor::<2>::zeros([12, 3], &device);
            selector.loss(zeros(), zeros(), |values| values.sum_dim(0))
        },
        "soft_argmax: coordinates must have one entry for each of the 3 classes, got 2" =>
            soft_argmax(zeros([2, 3]), 1, 1.0, zeros([2])),
        "Relaxation: coordinates must have one entry for each of the 2 classes, got 3" =>
            Relaxation::softmax(1).coordinate_with_variance(zeros([2, 3]), 0, zeros([3])),
        "Relaxation: coordinates must have one entry for each of the 3 classes, got 4" =>
            Relaxation::softmax(1).windowed_coordinate(zeros([2, 3]), 1, zeros([4]), 1.0),
        "Relaxation: the output rank must be in 1..=2 for a heatmap of rank 2, got 3" =>
            Relaxation::<2>::softmax(1.0).spatial::<3>(zeros([2, 3]), Grid::Pixels),
        "ScoreFunctionSelector: cost must have the shape of the indices, [2, 1], got [2, 2]" => {
            let selector = ScoreFunctionSelectorConfig::new().init(&Device::flex());
            let selection = selector.choose(zeros([2, 3]), zeros([2, 3]));
            selector.loss(selection, |values| values.repeat_dim(1, 2))
        },
    }
}

/// One per row means size 1 along the axis; elsewhere 1 or the logits' size.
#[test]
fn a_coefficient_that_is_not_per_row_is_named() {
    refusals! {
        "softmax: temperature must have size 1 along dim 1 and 1 or the size of [2, 3] elsewhere, got [2, 3]" =>
            softmax(zeros([2, 3]), 1, zeros([2, 3])),
        "softmax: temperature must have size 1 along dim 0 and 1 or the size of [2, 3] elsewhere, got [1, 2]" =>
            softmax(zeros([2, 3]), 0, zeros([1, 2])),
        "soft_argmax_gather: temperature must have size 1 along dim 1 and 1 or the size of [2, 3] elsewhere, got [3, 1]" =>
            soft_argmax_gather(zeros([2, 3]), zeros([2, 3]), 1, zeros([3, 1])),
        "gradual_argmax: power must have size 1 along dim 1 and 1 or the size of [2, 3] elsewhere, got [2, 3]" =>
            gradual_argmax(zeros([2, 3]), 1, zeros([2, 3])),
        "power_softmax: power must have size 1 along dim 0 and 1 or the size of [2, 3] elsewhere, got [2, 1]" =>
            power_softmax(zeros([2, 3]), 0, zeros([2, 1])),
        "free_energy_loss: temperature must have size 1 along dim 1 and 1 or the size of [2, 3] elsewhere, got [4, 1]" =>
            free_energy_loss(zeros([2, 3]), zeros([2, 3]), 1, zeros([4, 1])),
        "gumbel_softmax: temperature must have size 1 along dim 1 and 1 or the size of [2, 3] elsewhere, got [2, 2]" =>
            gumbel_softmax(zeros([2, 3]), 1, zeros([2, 2]), 1),
        "straight_through_argmax: temperature must have size 1 along dim 1 and 1 or the size of [2, 3] elsewhere, got [2, 3]" =>
            straight_through_argmax(zeros([2, 3]), 1, zeros([2, 3])),
        "Relaxation: temperature must have size 1 along dim 2 and 1 or the size of [2, 3, 4] elsewhere, got [2, 1, 4]" =>
            Relaxation::<3>::softmax(zeros([2, 1, 4])).spatial::<2>(zeros([2, 3, 4]), Grid::Pixels),
    }
}

/// Two float types in one kernel would read each other's bits.
#[test]
fn tensors_of_two_dtypes_are_refused() {
    let double = |shape: [usize; 2]| Tensor::<2>::zeros(shape, (&Device::flex(), DType::F64));
    refusals! {
        "soft_argmax_gather: values must have the dtype of the logits, F32, got F64" =>
            soft_argmax_gather(zeros([2, 3]), double([2, 3]), 1, 1.0),
        "softmax: temperature must have the dtype of the logits, F32, got F64" => softmax(zeros([2, 3]), 1, double([2, 1])),
        "expected_loss: cost must have the dtype of the logits, F32, got F64" => expected_loss(zeros([2, 3]), double([2, 3]), 1),
        "free_energy_loss: cost must have the dtype of the logits, F64, got F32" =>
            free_energy_loss(double([2, 3]), zeros([2, 3]), 1, 1.0),
    }
}
