use burn_core::tensor::{DType, Device, Tensor};
use burn_relax::*;

use crate::{ints, refusals, zeros};

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
        "soft_argmax_with_variance: dim must be in -1..1 for a tensor of rank 1, got 5" =>
            soft_argmax_with_variance(zeros([2]), 5, 1.0, index()),
        "windowed_soft_argmax: dim must be in -1..1 for a tensor of rank 1, got -2" =>
            windowed_soft_argmax(zeros([2]), -2, 1.0, index(), 1.0),
        // A feature dimension is no place for the classes.
        "soft_argmax_gather: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            soft_argmax_gather(zeros([2, 3]), zeros([2, 3, 4]), 2, 1.0, false),
        "argmax: dim must be in -2..2 for a tensor of rank 2, got 2" => argmax(zeros([2, 3]), 2),
        "argmax_gather: dim must be in -2..2 for a tensor of rank 2, got 2" => argmax_gather(zeros([2, 3]), zeros([2, 3]), 2),
        "gradual_argmax: dim must be in -2..2 for a tensor of rank 2, got 2" => gradual_argmax(zeros([2, 3]), 2, 1.0),
        "power_softmax: dim must be in -2..2 for a tensor of rank 2, got 2" => power_softmax(zeros([2, 3]), 2, 1.0),
        "gumbel_softmax: dim must be in -2..2 for a tensor of rank 2, got 2" => gumbel_softmax(zeros([2, 3]), 2, 1.0, true, 1),
        "gumbel_softmax_with_noise: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            gumbel_softmax_with_noise(zeros([2, 3]), zeros([2, 3]), 2, 1.0, true),
        "gumbel_noise: dim must be in -2..2 for a tensor of rank 2, got 2" => gumbel_noise([2, 3], 2, 1, &Device::flex()),
        "relaxed_categorical_log_density: dim must be in -1..1 for a tensor of rank 1, got 1" =>
            relaxed_categorical_log_density(zeros([2]), zeros([2]), 1, 1.0),
        "straight_through_argmax: dim must be in -2..2 for a tensor of rank 2, got 2" => straight_through_argmax(zeros([2, 3]), 2, 1.0),
        "straight_through_with_indices: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            straight_through_with_indices(zeros([2, 3]), ints([2, 1]), 2, 1.0),
        "straight_through_sample: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            straight_through_sample(zeros([2, 3]), 2, 1.0, 1.0, 1),
        "categorical_log_prob: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            categorical_log_prob(zeros([2, 3]), ints([2, 1]), 2),
        "categorical_entropy: dim must be in -2..2 for a tensor of rank 2, got 2" => categorical_entropy(zeros([2, 3]), 2),
        "sample_categorical: dim must be in -2..2 for a tensor of rank 2, got 2" => sample_categorical(zeros([2, 3]), 2, 1, 1),
        "expected_cost: dim must be in -2..2 for a tensor of rank 2, got 2" => expected_cost(zeros([2, 3]), zeros([2, 3]), 2),
        "free_energy_cost: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            free_energy_cost(zeros([2, 3]), zeros([2, 3]), 2, 1.0),
        "reinmax: dim must be in -2..2 for a tensor of rank 2, got 2" => reinmax(zeros([2, 3]), 2, 1.0, 1),
        "reinmax_with_indices: dim must be in -2..2 for a tensor of rank 2, got -3" =>
            reinmax_with_indices(zeros([2, 3]), ints([2, 1]), -3, 1.0),
        "gumbel_rao: dim must be in -2..2 for a tensor of rank 2, got 2" => gumbel_rao(zeros([2, 3]), 2, 1.0, 1, 1),
        "mixture_nll: dim must be in -2..2 for a tensor of rank 2, got 2" => mixture_nll(zeros([2, 3]), zeros([2, 3]), 2),
        "hard_mixture_nll: dim must be in -2..2 for a tensor of rank 2, got 2" => hard_mixture_nll(zeros([2, 3]), zeros([2, 3]), 2),
        "winner_takes_all_cost: dim must be in -2..2 for a tensor of rank 2, got 2" =>
            winner_takes_all_cost(zeros([2, 3]), zeros([2, 3]), 2),
        "load_balancing_cost: dim must be in -2..2 for a tensor of rank 2, got 2" => load_balancing_cost(zeros([2, 3]), 2),
        "importance_cost: dim must be in -2..2 for a tensor of rank 2, got 2" => importance_cost(zeros([2, 3]), 2),
        "batch_baseline: dim must be in -2..2 for a tensor of rank 2, got 2" => batch_baseline(zeros([2, 3]), 2),
        "Selector: dim must be in -2..2 for a tensor of rank 2, got 5" => {
            let selector = SelectorConfig::new().with_dim(5).init(&Device::flex());
            selector.forward(zeros([2, 3]), zeros([2, 3]), |values| values)
        },
        "Selector: joint_dim must be in -2..2 and differ from dim for a tensor of rank 2, got -1" => {
            let selector = SelectorConfig::new().with_joint_dim(Some(-1)).init(&Device::flex());
            selector.forward(zeros([2, 3]), zeros([2, 3]), |values| values)
        },
        "ScoreFunctionSelector: joint_dim must be in -2..2 and differ from dim for a tensor of rank 2, got 2" => {
            let selector = ScoreFunctionSelectorConfig::new().with_joint_dim(Some(2)).init(&Device::flex().autodiff());
            let zeros = || Tensor::<2>::zeros([2, 3], &Device::flex().autodiff());
            selector.forward(zeros(), zeros())
        },
        "leave_one_out_baseline: dim must be in -2..2 for a tensor of rank 2, got 2" => leave_one_out_baseline(zeros([2, 3]), 2),
        "ScoreFunctionSelector: dim must be in -2..2 for a tensor of rank 2, got 5" => {
            let selector = ScoreFunctionSelectorConfig::new().with_dim(5).init(&Device::flex());
            selector.forward(zeros([2, 3]), zeros([2, 3]))
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
        logits("soft_argmax_with_variance") => soft_argmax_with_variance(zeros([2, 0]), 1, 1.0, index()),
        logits("windowed_soft_argmax") => windowed_soft_argmax(zeros([2, 0]), 1, 1.0, index(), 1.0),
        logits("soft_argmax_gather") => soft_argmax_gather(zeros([2, 0]), zeros([2, 0]), 1, 1.0, true),
        logits("argmax") => argmax(zeros([2, 0]), -1),
        logits("argmax_gather") => argmax_gather(zeros([2, 0]), zeros([2, 0]), 1),
        message("gradual_argmax", "values") => gradual_argmax(zeros([2, 0]), 1, 1.0),
        message("power_softmax", "values") => power_softmax(zeros([2, 0]), 1, 1.0),
        logits("gumbel_softmax") => gumbel_softmax(zeros([2, 0]), 1, 1.0, false, 1),
        logits("gumbel_softmax_with_noise") => gumbel_softmax_with_noise(zeros([2, 0]), zeros([2, 0]), 1, 1.0, false),
        logits("relaxed_categorical_log_density") => relaxed_categorical_log_density(zeros([2, 0]), zeros([2, 0]), 1, 1.0),
        logits("straight_through_argmax") => straight_through_argmax(zeros([2, 0]), 1, 1.0),
        logits("straight_through_with_indices") => straight_through_with_indices(zeros([2, 0]), ints([2, 1]), 1, 1.0),
        logits("straight_through_sample") => straight_through_sample(zeros([2, 0]), 1, 1.0, 1.0, 1),
        logits("categorical_log_prob") => categorical_log_prob(zeros([2, 0]), ints([2, 1]), 1),
        logits("categorical_entropy") => categorical_entropy(zeros([2, 0]), 1),
        logits("sample_categorical") => sample_categorical(zeros([2, 0]), 1, 1, 1),
        logits("expected_cost") => expected_cost(zeros([2, 0]), zeros([2, 0]), 1),
        logits("reinmax") => reinmax(zeros([2, 0]), 1, 1.0, 1),
        logits("reinmax_with_indices") => reinmax_with_indices(zeros([2, 0]), ints([2, 1]), 1, 1.0),
        logits("gumbel_rao") => gumbel_rao(zeros([2, 0]), 1, 1.0, 1, 1),
        logits("mixture_nll") => mixture_nll(zeros([2, 0]), zeros([2, 0]), 1),
        logits("hard_mixture_nll") => hard_mixture_nll(zeros([2, 0]), zeros([2, 0]), 1),
        logits("winner_takes_all_cost") => winner_takes_all_cost(zeros([2, 0]), zeros([2, 0]), 1),
        logits("load_balancing_cost") => load_balancing_cost(zeros([2, 0]), 1),
        logits("importance_cost") => importance_cost(zeros([2, 0]), 1),
        message("batch_baseline", "cost") => batch_baseline(zeros([2, 0]), 1),
        logits("Selector") => {
            let selector = SelectorConfig::new().init(&Device::flex());
            selector.forward(zeros([2, 0]), zeros([2, 0]), |values| values)
        },
        logits("free_energy_cost") => free_energy_cost(zeros([2, 0]), zeros([2, 0]), 1, 1.0),
        "spatial_soft_argmax: heatmap must have at least one entry along dim 2, got shape [2, 3, 0]" =>
            spatial_soft_argmax::<3, 2>(zeros([2, 3, 0]), Grid::Pixels, 1.0),
        "spatial_soft_argmax_with_variance: heatmap must have at least one entry along dim 1, got shape [2, 0, 3]" =>
            spatial_soft_argmax_with_variance::<3, 2>(zeros([2, 0, 3]), Grid::Pixels, 1.0),
        "windowed_spatial_soft_argmax: heatmap must have at least one entry along dim 0, got shape [0, 3]" =>
            windowed_spatial_soft_argmax::<2, 1>(zeros([0, 3]), Grid::Pixels, 1.0, 1.0),
        logits("ScoreFunctionSelector") => {
            let selector = ScoreFunctionSelectorConfig::new().init(&Device::flex());
            selector.forward(zeros([2, 0]), zeros([2, 0]))
        },
    }
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    refusals! {
        "soft_argmax_gather: values must have the logits' shape [2, 3], then any feature dimensions, got [2, 4]" =>
            soft_argmax_gather(zeros([2, 3]), zeros([2, 4]), 1, 1.0, false),
        "soft_argmax_gather: values must have the logits' shape [2, 3], then any feature dimensions, got [3, 2, 3]" =>
            soft_argmax_gather(zeros([2, 3]), zeros([3, 2, 3]), 1, 1.0, false),
        "soft_argmax_gather: values must have the logits' shape [2, 3], then any feature dimensions, got [2]" =>
            soft_argmax_gather(zeros([2, 3]), zeros([2]), 1, 1.0, false),
        // No broadcasting by accident.
        "soft_argmax_gather: values must have the logits' shape [2, 3], then any feature dimensions, got [1, 3]" =>
            soft_argmax_gather(zeros([2, 3]), zeros([1, 3]), 1, 1.0, false),
        "argmax_gather: values must have the logits' shape [2, 3], then any feature dimensions, got [2, 2]" =>
            argmax_gather(zeros([2, 3]), zeros([2, 2]), 1),
        "ScoreFunctionSelector: values must have the logits' shape [2, 3], then any feature dimensions, got [2, 2]" => {
            let selector = ScoreFunctionSelectorConfig::new().init(&Device::flex());
            selector.forward(zeros([2, 3]), zeros([2, 2]))
        },
        "expected_cost: cost must have the shape of the logits, [2, 3], got [2, 1]" =>
            expected_cost(zeros([2, 3]), zeros([2, 1]), 1),
        "free_energy_cost: cost must have the shape of the logits, [2, 3], got [3, 2]" =>
            free_energy_cost(zeros([2, 3]), zeros([3, 2]), 1, 1.0),
        "gumbel_softmax_with_noise: noise must have the shape of the logits, [2, 3], got [1, 3]" =>
            gumbel_softmax_with_noise(zeros([2, 3]), zeros([1, 3]), 1, 1.0, false),
        "relaxed_categorical_log_density: weights must have the shape of the logits, [3], got [2]" =>
            relaxed_categorical_log_density(zeros([3]), zeros([2]), 0, 1.0),
        "straight_through: hard must have the shape of soft, [3], got [2]" => straight_through(zeros([2]), zeros([3])),
        "straight_through_with_indices: indices must have the shape of one row of the logits, [2, 1], got [2, 2]" =>
            straight_through_with_indices(zeros([2, 3]), ints([2, 2]), 1, 1.0),
        "categorical_log_prob: indices must have the logits' shape [2, 3] outside dim 1, got [3, 1]" =>
            categorical_log_prob(zeros([2, 3]), ints([3, 1]), 1),
        "score_function_cost: cost must have the shape of log_prob, [2], got [3]" =>
            score_function_cost(zeros([2]), zeros([3]), None),
        "score_function_cost: baseline must have the shape of log_prob, [2], got [1]" =>
            score_function_cost(zeros([2]), zeros([2]), Some(zeros([1]))),
        "reinmax_with_indices: indices must have the shape of one row of the logits, [2, 1], got [2, 2]" =>
            reinmax_with_indices(zeros([2, 3]), ints([2, 2]), 1, 1.0),
        "dice_cost: cost must have the shape of log_prob, [2], got [3]" => dice_cost(zeros([2]), zeros([3]), None),
        "dice_cost: baseline must have the shape of log_prob, [2], got [1]" =>
            dice_cost(zeros([2]), zeros([2]), Some(zeros([1]))),
        "mixture_nll: log_likelihood must have the shape of the logits, [2, 3], got [2, 1]" =>
            mixture_nll(zeros([2, 3]), zeros([2, 1]), 1),
        "hard_mixture_nll: log_likelihood must have the shape of the logits, [2, 3], got [2, 1]" =>
            hard_mixture_nll(zeros([2, 3]), zeros([2, 1]), 1),
        "winner_takes_all_cost: cost must have the shape of the logits, [2, 3], got [3, 2]" =>
            winner_takes_all_cost(zeros([2, 3]), zeros([3, 2]), 1),
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
            selector.forward(zeros([2, 3]), zeros([2, 2]), |values| values)
        },
        "Selector: cost must have the shape [2, 1] for the values it was given, got [2, 2]" => {
            let selector = SelectorConfig::new().init(&Device::flex());
            selector.forward(zeros([2, 3]), zeros([2, 3]), |values| values.repeat_dim(1, 2))
        },
        "Selector: the number of outcomes must be at most 65536 to list them all, got 3 to the power of 12 = 531441" => {
            let device = Device::flex().autodiff();
            let selector = SelectorConfig::new().with_joint_dim(Some(0)).init(&device);
            let zeros = || Tensor::<2>::zeros([12, 3], &device);
            selector.forward(zeros(), zeros(), |values| values.sum_dim(0))
        },
        "soft_argmax: coordinates must have one entry for each of the 3 classes, got 2" =>
            soft_argmax(zeros([2, 3]), 1, 1.0, zeros([2])),
        "soft_argmax_with_variance: coordinates must have one entry for each of the 2 classes, got 3" =>
            soft_argmax_with_variance(zeros([2, 3]), 0, 1.0, zeros([3])),
        "windowed_soft_argmax: coordinates must have one entry for each of the 3 classes, got 4" =>
            windowed_soft_argmax(zeros([2, 3]), 1, 1.0, zeros([4]), 1.0),
        "spatial_soft_argmax: the output rank must be in 1..=2 for a heatmap of rank 2, got 3" =>
            spatial_soft_argmax::<2, 3>(zeros([2, 3]), Grid::Pixels, 1.0),
        "ScoreFunctionSelector: cost must have the shape of the indices, [2, 1], got [2, 2]" => {
            let selector = ScoreFunctionSelectorConfig::new().init(&Device::flex());
            let selection = selector.forward(zeros([2, 3]), zeros([2, 3]));
            selector.surrogate(selection, |values| values.repeat_dim(1, 2))
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
            soft_argmax_gather(zeros([2, 3]), zeros([2, 3]), 1, zeros([3, 1]), false),
        "gradual_argmax: power must have size 1 along dim 1 and 1 or the size of [2, 3] elsewhere, got [2, 3]" =>
            gradual_argmax(zeros([2, 3]), 1, zeros([2, 3])),
        "power_softmax: power must have size 1 along dim 0 and 1 or the size of [2, 3] elsewhere, got [2, 1]" =>
            power_softmax(zeros([2, 3]), 0, zeros([2, 1])),
        "free_energy_cost: temperature must have size 1 along dim 1 and 1 or the size of [2, 3] elsewhere, got [4, 1]" =>
            free_energy_cost(zeros([2, 3]), zeros([2, 3]), 1, zeros([4, 1])),
        "gumbel_softmax: temperature must have size 1 along dim 1 and 1 or the size of [2, 3] elsewhere, got [2, 2]" =>
            gumbel_softmax(zeros([2, 3]), 1, zeros([2, 2]), false, 1),
        "straight_through_argmax: temperature must have size 1 along dim 1 and 1 or the size of [2, 3] elsewhere, got [2, 3]" =>
            straight_through_argmax(zeros([2, 3]), 1, zeros([2, 3])),
        "spatial_soft_argmax: temperature must have size 1 along dim 2 and 1 or the size of [2, 3, 4] elsewhere, got [2, 1, 4]" =>
            spatial_soft_argmax::<3, 2>(zeros([2, 3, 4]), Grid::Pixels, zeros([2, 1, 4])),
    }
}

/// Two float types in one kernel would read each other's bits.
#[test]
fn tensors_of_two_dtypes_are_refused() {
    let double = |shape: [usize; 2]| Tensor::<2>::zeros(shape, (&Device::flex(), DType::F64));
    refusals! {
        "soft_argmax_gather: values must have the dtype of the logits, F32, got F64" =>
            soft_argmax_gather(zeros([2, 3]), double([2, 3]), 1, 1.0, false),
        "softmax: temperature must have the dtype of the logits, F32, got F64" => softmax(zeros([2, 3]), 1, double([2, 1])),
        "expected_cost: cost must have the dtype of the logits, F32, got F64" => expected_cost(zeros([2, 3]), double([2, 3]), 1),
        "free_energy_cost: cost must have the dtype of the logits, F64, got F32" =>
            free_energy_cost(double([2, 3]), zeros([2, 3]), 1, 1.0),
    }
}
