//! The sparse maps. PyTorch's side is the Python package entmax: its default call, and one with a partial sort of a chosen length.

use burn::tensor::{Int, Tensor};
use burn_relax_tests::cases::Args;

use super::twin::{Function, Row, Twin, largest};

/// Of the general map, as in its case: dense enough that most of a row takes part in the search.
const ALPHA: f64 = 1.25;

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

fn composed_sparsemax(x: &Args, _: isize) -> Tensor<2> {
    let x: Tensor<2> = x.logits();
    let sorted = x.clone().sort_descending(1);
    let ranks = ranks(&x);
    let thresholds = sorted.clone().cumsum(1).sub_scalar(1.0).div(ranks);
    let inside = sorted.greater(thresholds.clone()).float();
    x.sub(at_support(thresholds, inside)).clamp_min(0.0)
}

fn composed_entmax15(x: &Args, _: isize) -> Tensor<2> {
    let x: Tensor<2> = x.logits();
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

fn composed_entmax(x: &Args, _: isize) -> Tensor<2> {
    let x: Tensor<2> = x.logits();
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

const fn twin(name: &'static str, composed: Function, plain: Row) -> Twin {
    Twin {
        name,
        composed,
        plain,
    }
}

pub const TWINS: &[Twin] = &[
    twin("sparsemax", composed_sparsemax, |x, _, out| {
        halved(x, 1.0, out)
    }),
    twin("sparsemax_partial_sort", composed_sparsemax, |x, _, out| {
        halved(x, 1.0, out)
    }),
    twin("entmax15", composed_entmax15, |x, _, out| {
        halved(x, 0.5, out)
    }),
    twin("entmax15_partial_sort", composed_entmax15, |x, _, out| {
        halved(x, 0.5, out)
    }),
    twin("entmax", composed_entmax, |x, _, out| {
        halved(x, ALPHA as f32 - 1.0, out)
    }),
];
