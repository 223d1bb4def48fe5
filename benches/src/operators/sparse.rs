//! The sparse maps. PyTorch's side is the Python package entmax: its default call, and one with a partial sort of a chosen length.

use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};
use burn_relax::{RelaxOps, entmax, entmax15, sparsemax};

use super::{Beside, Input, Operator, Row, Traffic, largest, upstream};

/// Of the general map: dense enough that most of a row takes part in the search.
const ALPHA: f64 = 1.25;

/// A map from a row to a row.
const MAP: Traffic = Traffic {
    reads: 1,
    writes: 1,
};
/// Its gradient, from one saved row and the upstream one.
const MAP_GRADIENT: Traffic = Traffic {
    reads: 2,
    writes: 1,
};

/// Of the plain loops: the bracket is then a few units of f32 wide.
const HALVINGS: usize = 24;

/// The first `1, 2, …, n` beside a matrix.
fn ranks(x: &Tensor<2>) -> Tensor<2> {
    let [rows, n] = x.dims();
    Tensor::<1, Int>::arange(1..n as i64 + 1, &x.device())
        .float()
        .reshape([1, n])
        .expand([rows, n])
}

/// The threshold at the end of the support, where `inside` holds for the entries of it.
fn at_support(thresholds: Tensor<2>, inside: Tensor<2>) -> Tensor<2> {
    let last = inside.sum_dim(1).sub_scalar(1.0).int();
    thresholds.gather(1, last)
}

fn composed_sparsemax(x: Tensor<2>, _: Tensor<2>) -> Tensor<2> {
    let sorted = x.clone().sort_descending(1);
    let ranks = ranks(&x);
    let thresholds = sorted.clone().cumsum(1).sub_scalar(1.0).div(ranks);
    let inside = sorted.greater(thresholds.clone()).float();
    x.sub(at_support(thresholds, inside)).clamp_min(0.0)
}

fn composed_entmax15(x: Tensor<2>, _: Tensor<2>) -> Tensor<2> {
    let x = x.clone().sub(x.max_dim(1)).div_scalar(2.0);
    let sorted = x.clone().sort_descending(1);
    let ranks = ranks(&x);
    let mean = sorted.clone().cumsum(1).div(ranks.clone());
    let square = sorted.clone().square().cumsum(1).div(ranks.clone());
    let spread = square.sub(mean.clone().square()).mul(ranks.clone());
    let rest = spread.neg().add_scalar(1.0).div(ranks).clamp_min(0.0);
    let thresholds = mean.sub(rest.sqrt());
    let inside = sorted.greater_equal(thresholds.clone()).float();
    x.sub(at_support(thresholds, inside))
        .clamp_min(0.0)
        .square()
}

fn composed_entmax(x: Tensor<2>, _: Tensor<2>) -> Tensor<2> {
    let e = ALPHA - 1.0;
    let x = x.clone().sub(x.max_dim(1)).mul_scalar(e);
    let classes = x.dims()[1] as f64;
    let weights = |t: Tensor<2>| x.clone().sub(t).clamp_min(0.0).powf_scalar(1.0 / e);
    let mut low = x.clone().max_dim(1).sub_scalar(1.0);
    let mut width = 1.0 - classes.powf(-e);
    for _ in 0..HALVINGS {
        width /= 2.0;
        let middle = low.clone().add_scalar(width);
        let more = weights(middle.clone()).sum_dim(1).greater_equal_scalar(1.0);
        low = low.mask_where(more, middle);
    }
    let probs = weights(low);
    probs.clone().div(probs.sum_dim(1))
}

/// A plain loop that halves a bracket of the threshold.
fn halved(x: &[f32], e: f32, out: &mut [f32]) {
    let max = largest(x);
    let (mut low, mut high) = (-1.0, 0.0);
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        let base = |x: &f32| ((x - max) * e - middle).max(0.0);
        if x.iter().map(|x| base(x).powf(1.0 / e)).sum::<f32>() > 1.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    for (out, x) in out.iter_mut().zip(x) {
        *out = ((x - max) * e - low).max(0.0).powf(1.0 / e);
    }
}

/// The entry of a map at one alpha.
const fn map(
    name: &'static str,
    fused: super::Function,
    composed: super::Function,
    backward: super::Prepare,
    naive: Row,
) -> Operator {
    Operator {
        name,
        input: Input::Logits,
        beside: Beside::Nothing,
        learns: [true, false],
        fused,
        composed,
        backward: Some(backward),
        naive,
        forward: MAP,
        gradient: MAP_GRADIENT,
    }
}

/// A backward operation at one alpha.
fn backward(x: Tensor<2>, alpha: f64) -> Box<dyn FnMut() + Send> {
    let (probs, stats) = Dispatch::entmax(x.into_dispatch(), 1, alpha);
    let grad = upstream(&Tensor::from_dispatch(probs.clone()));
    Box::new(move || {
        let (probs, stats, grad) = (probs.clone(), stats.clone(), grad.clone());
        Dispatch::entmax_backward(probs, stats, grad, 1, alpha);
    })
}

pub const OPERATORS: &[Operator] = &[
    map(
        "sparsemax",
        |x, _| sparsemax(x, 1),
        composed_sparsemax,
        |x, _| backward(x, 2.0),
        |x, _, out| halved(x, 1.0, out),
    ),
    map(
        "sparsemax_partial_sort",
        |x, _| sparsemax(x, 1),
        composed_sparsemax,
        |x, _| backward(x, 2.0),
        |x, _, out| halved(x, 1.0, out),
    ),
    map(
        "entmax15",
        |x, _| entmax15(x, 1),
        composed_entmax15,
        |x, _| backward(x, 1.5),
        |x, _, out| halved(x, 0.5, out),
    ),
    map(
        "entmax15_partial_sort",
        |x, _| entmax15(x, 1),
        composed_entmax15,
        |x, _| backward(x, 1.5),
        |x, _, out| halved(x, 0.5, out),
    ),
    map(
        "entmax",
        |x, _| entmax(x, 1, ALPHA),
        composed_entmax,
        |x, _| backward(x, ALPHA),
        |x, _, out| halved(x, ALPHA as f32 - 1.0, out),
    ),
];
