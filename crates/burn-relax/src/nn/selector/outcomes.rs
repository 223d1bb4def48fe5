//! Several choices that share one cost, as one choice among all their combinations.

use burn_core::tensor::{DType, Int, Tensor, TensorData};

use crate::{
    check,
    parts::{centred::spread, choose::gather_classes, labels::index_dtype},
    relax::log_softmax,
};

/// More combinations than this are not listed: estimators that draw are made for them.
pub(crate) const MOST_OUTCOMES: usize = 65_536;

/// How many combinations `choices` of `classes` have, if they may be listed.
#[track_caller]
pub(crate) fn count(op: &str, classes: usize, choices: usize) -> usize {
    let exponent = u32::try_from(choices).unwrap_or(u32::MAX);
    let count = classes.checked_pow(exponent);
    check::enumerable(op, classes, choices, MOST_OUTCOMES, count);
    count.unwrap_or(MOST_OUTCOMES)
}

/// The class of every choice in every combination: `choices` along `joint`, combinations along `dim`, size 1 elsewhere. The
/// first choice changes fastest.
fn digits<const D: usize>(
    logits: &Tensor<D>,
    dim: usize,
    joint: usize,
    count: usize,
) -> Tensor<D, Int> {
    let (classes, choices) = (logits.dims()[dim], logits.dims()[joint]);
    let digit =
        |choice: usize, outcome: usize| (outcome / classes.pow(choice as u32) % classes) as i64;
    let table: Vec<i64> = if joint < dim {
        (0..choices)
            .flat_map(|choice| (0..count).map(move |outcome| digit(choice, outcome)))
            .collect()
    } else {
        (0..count)
            .flat_map(|outcome| (0..choices).map(move |choice| digit(choice, outcome)))
            .collect()
    };
    let mut shape = [1; D];
    shape[joint] = choices;
    shape[dim] = count;
    let mut full = logits.dims();
    full[dim] = count;
    let data = TensorData::new(table, shape);
    let device = logits.device();
    let options = (&device, DType::from(index_dtype(&device)));
    spread(Tensor::from_data(data, options), full)
}

/// Log-probabilities `[.., 1, .., outcomes, ..]` and values `[.., choices, .., outcomes, ..]` of all combinations.
#[track_caller]
pub(crate) fn combine<const D: usize, const DV: usize>(
    op: &str,
    logits: Tensor<D>,
    values: Tensor<DV>,
    dim: usize,
    joint: usize,
) -> (Tensor<D>, Tensor<DV>) {
    let count = count(op, logits.dims()[dim], logits.dims()[joint]);
    let digits = digits(&logits, dim, joint, count);
    let values = gather_classes(&logits, values, digits.clone(), dim);
    let log_probs = log_softmax(logits, dim).gather(dim, digits).sum_dim(joint);
    (log_probs, values)
}
