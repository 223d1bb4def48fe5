//! `softmax(x / T)` and `log_softmax(x)`, with their gradients.
//!
//! A row's lanes find what belongs to the whole row (forward its maximum and normaliser, backward one sum), then write their classes. The
//! parts of a split row find the same of themselves first.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use crate::parts::{
    math::{exp_nonpositive, ln_positive},
    prelude::*,
    reduce::{SOFTMAX_PARTS, find_softmax},
    special::{divisor, gap, is_excluded, is_forbidden, raw_weight},
    stats::{known, write_stats},
};

/// What a kernel writes, or the backward kernel reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Probabilities. Their gradient needs `<p, g>` over the classes with any.
    Probs,
    /// Their logarithms. The gradient needs `Σ g` over the allowed classes.
    LogProbs,
    /// Logits, of which the backward kernel makes the probabilities again.
    Logits,
}

/// The maximum and a sum; at most three walks with blocks.
const NEED: Need = Need::walks(4).numbers(2);

#[cube(launch_unchecked, address_type = "dynamic")]
fn softmax_kernel<F: Float, A: Float, N: Size>(
    logits: &Grid<'_, F, N>,        // [outer, classes, inner]
    out: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    stats: &mut Tensor<A>,          // [outer, 2, inner]
    partials: &mut Tensor<A>,       // [rows, chunks, 2]
    rows: Rows,
    reciprocal: InputScalar,
    never: InputScalar,
    #[comptime] kind: Kind,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let logits = logits.row(&place);
    let reciprocal = reciprocal.get::<A>();
    let (max, sum) = find_softmax::<F, A, N>(&logits, partials, &place, reciprocal);
    if comptime!(phase != Phase::Partial) {
        write_stats::<A>(stats, &place, max, sum);
        let divisor = divisor::<A>(sum);
        if comptime!(kind == Kind::LogProbs) {
            let never = never.get::<A>();
            let log_sum = ln_positive::<A>(divisor);
            logits.entries().write::<A>(out, &place, |x, _| {
                let log = gap::<A>(x, max, one::<A>()) - log_sum;
                select(is_excluded::<A>(x, max), never, log)
            });
        } else {
            logits.entries().write::<A>(out, &place, |x, _| {
                raw_weight::<A>(x, max, reciprocal) / divisor
            });
        }
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn softmax_backward_kernel<F: Float, A: Float, N: Size>(
    result: &Grid<'_, F, N>,                // [outer, classes, inner]
    grad: &Grid<'_, F, N>,                  // [outer, classes, inner]
    stats: &Grid<'_, A, Const<1>>,          // [outer, 2, inner]
    grad_logits: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    partials: &mut Tensor<A>,               // [rows, chunks, 1]
    rows: Rows,
    reciprocal: InputScalar,
    #[comptime] kind: Kind,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let zero = zero::<A>();
    let reciprocal = reciprocal.get::<A>();
    let row = known::<A>(stats, &place);
    let both = result.row(&place).beside(&grad.row(&place));
    let sums = both.split_sums::<A>(partials, 1usize, &place, 1usize, |sums, _, y, upstream| {
        let term = match comptime!(kind) {
            Kind::Probs => select(y == zero, zero, y * upstream),
            Kind::LogProbs => select(is_forbidden::<A>(y), zero, upstream),
            Kind::Logits => {
                let p = row.weight(y, reciprocal);
                select(p == zero, zero, p * upstream)
            }
        };
        sums[0] += term;
    });
    let sum = sums[0];
    if comptime!(phase != Phase::Partial) {
        both.write::<A>(grad_logits, &place, |y, upstream| {
            if comptime!(kind == Kind::LogProbs) {
                let slope = upstream - exp_nonpositive::<A>(y) * sum;
                select(row.decided || is_forbidden::<A>(y), zero, slope)
            } else {
                let p = match comptime!(kind) {
                    Kind::Logits => row.weight(y, reciprocal),
                    Kind::Probs | Kind::LogProbs => y,
                };
                let slope = p * (upstream - sum) * reciprocal;
                select(row.decided || p == zero, zero, slope)
            }
        });
    }
}

/// The weights `softmax(logits / temperature)` along `dim`, and the row statistics.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - first result: that of `logits`
/// - second result: the statistics, see the crate's documentation
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn softmax(logits: CubeTensor, dim: usize, temperature: f64) -> (CubeTensor, CubeTensor) {
    forward("softmax", logits, dim, temperature, Kind::Probs)
}

/// The log-probabilities `log_softmax(logits)` along `dim`, and the row statistics; shapes as for [`softmax`].
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn log_softmax(logits: CubeTensor, dim: usize) -> (CubeTensor, CubeTensor) {
    forward("log_softmax", logits, dim, 1.0, Kind::LogProbs)
}

/// Gradient of [`softmax`] from its results: `p (g - <p, g>) / T`. What `grad` holds where `p` is 0 does not matter.
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn softmax_backward(
    probs: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
) -> CubeTensor {
    let op = "softmax_backward";
    backward(op, [probs, stats, grad], dim, temperature, Kind::Probs)
}

/// Gradient of [`log_softmax`] from its results: `g - p Σ g` over the allowed entries.
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn log_softmax_backward(
    log_probs: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
) -> CubeTensor {
    let op = "log_softmax_backward";
    backward(op, [log_probs, stats, grad], dim, 1.0, Kind::LogProbs)
}

/// Launches the forward kernel.
fn forward(
    op: &'static str,
    logits: CubeTensor,
    dim: usize,
    temperature: f64,
    kind: Kind,
) -> (CubeTensor, CubeTensor) {
    let mut call = Call::new(op, &logits, dim);
    let (out, stats) = (call.per_class(), call.stats(2));
    let logits = call.view(logits);
    launch!(
        softmax_kernel, call.walk(&[&logits]).split(SOFTMAX_PARTS, NEED), |at|
        vectors [logits] results [out, stats] partials;
        call.reciprocal(temperature), call.scalar(f64::NEG_INFINITY), kind, call.elements
    );
    (out, stats)
}

/// Launches the backward kernel for a result or logits, the statistics and the upstream gradient.
pub(super) fn backward(
    op: &'static str,
    [result, stats, grad]: [CubeTensor; 3],
    dim: usize,
    temperature: f64,
    kind: Kind,
) -> CubeTensor {
    let mut call = Call::backward(op, &result, &grad, dim);
    let out = call.per_class();
    let [result, stats, grad] = call.views([result, stats, grad]);
    launch!(
        softmax_backward_kernel, call.walk(&[&result, &grad]).split(1, NEED), |at|
        vectors [result, grad] singles [stats] results [out] partials;
        call.reciprocal(temperature), kind, call.elements
    );
    out
}
