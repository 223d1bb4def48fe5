//! Entmax without sorting: the threshold by halving a bracket a fixed number of times.
//!
//! With `e = alpha - 1` and `z = x - max`, the weights are `r / Σ r`, `r = (1 + e z / v)^(1/e)` where that base is positive, and
//! `v = (max p)^e` solves `v (Σ r)^e = 1`. Relative to the largest weight every term keeps its digits, at `alpha = 1` too.
//!
//! Away from `alpha = 1` the rounding of `v` may decide over much weight: an entry near the threshold joins with `(1e-8)^(1/e)`, and thousands
//! there gain and lose together. A second search therefore counts from the entry nearest to the threshold: its base `w`, which may be
//! negative, solves `Σ (e (x - x_near) + w)^(1/e) = 1`.

use burn_core::backend::Backend;

use super::{
    float::Float,
    row::{Row, decided, normalise, row},
};

/// Stands for an `alpha - 1` of 0: `log1p(e z) / e` is `z` to the last digit, and nothing divides by 0.
const ALMOST_NO_EXCESS: f64 = 1e-20;

/// Below this `alpha - 1` no entry is near the threshold.
const SMOOTH: f64 = 1.0 / 16.0;

/// Below this a logarithm of `1 + t` is summed from its series, which keeps the digits of a small `t`.
const LOG_NEAR: f64 = 0.25;

/// Terms of that series: the next is 1e-18 of the first.
const LOG_TERMS: i32 = 11;

/// Below this `-(e^-w - 1 + w) / w²` is summed from its series: the formula loses no more than two bits beyond.
const CHANGE_NEAR: f64 = 0.5;

/// Terms of that series: the next is 6e-18 of the first.
const CHANGE_TERMS: usize = 14;

/// A bound of what rounding leaves in `v`, in parts of it.
const ROUNDING: f64 = 1e-4;

/// What the precision of the computation decides.
struct Precision {
    /// Largest `alpha - 1` that is told apart, and bound of a slope: the square root of the largest number, about.
    limit: f64,
    /// Smallest positive normal number.
    tiny: f64,
    /// Halvings that leave no number between the ends of a bracket, however wide it was.
    halvings: usize,
}

impl Precision {
    fn of<B: Backend>(like: &Float<B>) -> Self {
        if like.limits().1 > f64::from(f32::MAX) {
            Self {
                limit: 2f64.powi(512),
                tiny: f64::MIN_POSITIVE,
                halvings: 64,
            }
        } else {
            Self {
                limit: 2f64.powi(64),
                tiny: f64::from(f32::MIN_POSITIVE),
                halvings: 32,
            }
        }
    }
}

/// `ln(1 + t)` for `t > -1`; a device's own may be that of the rounded sum.
fn log1p<B: Backend>(t: Float<B>) -> Float<B> {
    let far = t.lower(-LOG_NEAR).or(&t.greater(LOG_NEAR));
    let log = t.clone().add_scalar(1.0).ln();
    // 2 atanh(s) with s = t / (2 + t)
    let s = t.clone().div(&t.add_scalar(2.0));
    let square = s.clone().mul(&s);
    let term = |k: i32| 2.0 / f64::from(2 * k + 1);
    let last = square
        .clone()
        .mul_scalar(0.0)
        .add_scalar(term(LOG_TERMS - 1));
    let series = (0..LOG_TERMS - 1)
        .rev()
        .fold(last, |sum, k| sum.mul(&square).add_scalar(term(k)));
    series.mul(&s).replace(&far, &log)
}

/// `alpha - 1`, limited and never 0.
fn nonzero<B: Backend>(excess: Float<B>) -> Float<B> {
    let limit = Precision::of(&excess).limit;
    let zero = excess.equal_to(0.0);
    let large = excess.greater(limit);
    excess.fill(&zero, ALMOST_NO_EXCESS).fill(&large, limit)
}

/// Unnormalised weights at `v`: 1 at the maximum.
fn unnormalised<B: Backend>(row: &Row<B>, e: &Float<B>, v: &Float<B>) -> Float<B> {
    let t = row.gaps.clone().mul(&e.clone().div(v));
    let base = t.clone().add_scalar(1.0);
    let outside = base.lower(Precision::of(&t).tiny).or(&row.forbidden);
    log1p(t.fill(&outside, 0.0))
        .div(e)
        .exp()
        .fill(&outside, 0.0)
}

/// Weights whose base is counted from the entry nearest to the threshold; `v` is about right.
fn from_nearest<B: Backend>(
    logits: &Float<B>,
    row: &Row<B>,
    e: &Float<B>,
    v: &Float<B>,
    dim: usize,
) -> Float<B> {
    let (shape, (lowest, largest)) = (logits.shape(), logits.limits());
    let Precision { tiny, halvings, .. } = Precision::of(logits);
    let blocked = decided(&row.max).expand(shape.clone()).or(&row.forbidden);
    let x = logits.clone().fill(&blocked, 0.0);

    let base = row.gaps.clone().mul(e).add(v);
    let distance = base.clone().replace(&base.lower(0.0), &base.neg());
    let distance = distance.fill(&blocked, largest);
    let nearest = distance.clone().neg().max_dim(dim).neg();
    let others = nearest.clone().expand(shape).lower_than(&distance);
    let near = x.clone().fill(&others, lowest).max_dim(dim);
    let beyond = x.sub(&near).mul(e);

    let weights = |w: &Float<B>| {
        let base = beyond.clone().add(w);
        let outside = base.lower(tiny).or(&blocked);
        base.fill(&outside, 1.0)
            .ln()
            .div(e)
            .exp()
            .fill(&outside, 0.0)
    };
    // It has weight if the entries above leave some.
    let zero = near.mul_scalar(0.0);
    let joins = weights(&zero).sum_dim(dim).lower(1.0);
    let sign = zero.clone().add_scalar(-1.0).fill(&joins, 1.0);
    let mut low = zero.add_scalar(tiny);
    let mut high = nearest.mul_scalar(2.0).add(&v.clone().mul_scalar(ROUNDING));
    for _ in 0..halvings {
        let middle = low.clone().sqrt().mul(&high.clone().sqrt());
        let total = weights(&middle.clone().mul(&sign)).sum_dim(dim);
        let above = total.add_scalar(-1.0).mul(&sign).greater(0.0);
        high = high.replace(&above, &middle);
        low = middle.replace(&above, &low);
    }
    weights(&high.mul(&sign))
}

/// Weights and row statistics: the maximum and the number of entries with weight.
fn weights<B: Backend>(logits: &Float<B>, excess: Float<B>, dim: usize) -> (Float<B>, Float<B>) {
    let row = row(logits, dim, 1.0);
    let Precision {
        limit,
        tiny,
        halvings,
    } = Precision::of(logits);
    let e = nonzero(excess);
    // With all entries tied v would be n^-e. `e / v` stays finite.
    let log_classes = (logits.shape()[dim] as f64).ln();
    let tied = e.clone().mul_scalar(-log_classes).exp();
    let least = e.clone().mul_scalar(4.0 * tiny);
    let tied = tied.clone().replace(&tied.lower_than(&least), &least);
    let one = row.max.clone().mul_scalar(0.0).add_scalar(1.0);
    let tied = tied.mul(&one);
    let tied = tied.clone().fill(&tied.greater(limit), limit);
    let (mut low, mut high) = (
        one.clone().replace(&tied.lower_than(&one), &tied),
        one.clone().replace(&one.lower_than(&tied), &tied),
    );
    for _ in 0..halvings {
        let middle = low.clone().mul(&high).sqrt();
        let total = unnormalised(&row, &e, &middle).sum_dim(dim);
        let total = total.clone().fill(&total.equal_to(0.0), 1.0);
        let goal = total.ln().mul(&e).neg().exp();
        let above = goal.lower_than(&middle);
        high = high.replace(&above, &middle);
        low = middle.replace(&above, &low);
    }
    let r = unnormalised(&row, &e, &high);
    let smooth = e.greater(SMOOTH).not();
    let (nearest, shape) = (from_nearest(logits, &row, &e, &high, dim), r.shape());
    let first = decided(&row.max)
        .expand(shape.clone())
        .or(&smooth.expand(shape));
    let r = nearest.replace(&first, &r);
    let total = r.clone().sum_dim(dim);
    let support = r.equal_to(0.0).not().float(&r).sum_dim(dim);
    let unknown = total.is_nan();
    let (max, support) = (
        row.max.replace(&unknown, &total),
        support.replace(&unknown, &total),
    );
    (normalise(r, &total), Float::cat(vec![max, support], dim))
}

/// `value` as a tensor that broadcasts over the rows of `like`.
fn constant<B: Backend>(like: &Float<B>, dim: usize, value: f64) -> Float<B> {
    let rows = like.clone().max_dim(dim);
    let zero = rows.clone().fill(&rows.equal_to(0.0).not(), 0.0);
    zero.add_scalar(value.min(Precision::of(like).limit))
}

/// See [`RelaxOps::entmax`](crate::dispatch::RelaxOps::entmax).
pub(super) fn entmax<B: Backend>(logits: Float<B>, dim: usize, alpha: f64) -> (Float<B>, Float<B>) {
    let excess = constant(&logits, dim, alpha - 1.0);
    weights(&logits, excess, dim)
}

/// See [`RelaxOps::entmax_rows`](crate::dispatch::RelaxOps::entmax_rows).
pub(super) fn entmax_rows<B: Backend>(
    logits: Float<B>,
    alpha: Float<B>,
    dim: usize,
) -> (Float<B>, Float<B>) {
    weights(&logits, alpha.add_scalar(-1.0), dim)
}

/// `exp(power · log)`, bounded.
fn raised<B: Backend>(log: &Float<B>, power: &Float<B>) -> Float<B> {
    let bound = Precision::of(log).limit.ln();
    let exponent = log.clone().mul(power);
    let high = exponent.greater(bound);
    exponent.fill(&high, bound).exp()
}

/// What the backward pass needs of a row: weights, their logarithms, and `g - Σ s g / Σ s` with the slopes `s = p^(2 - alpha)`.
struct Slopes<B: Backend> {
    probs: Float<B>,
    logs: Float<B>,
    slopes: Float<B>,
    centred: Float<B>,
}

fn slopes<B: Backend>(probs: Float<B>, grad: Float<B>, excess: &Float<B>, dim: usize) -> Slopes<B> {
    let zero = probs.equal_to(0.0);
    let logs = probs.clone().fill(&zero, 1.0).ln();
    let power = excess.clone().neg().add_scalar(1.0);
    let slopes = raised(&logs, &power).fill(&zero, 0.0);
    let slopes = slopes.replace(&probs.is_nan(), &probs);
    let grad = grad.fill(&zero, 0.0);
    let mean = normalise(
        slopes.clone().mul(&grad).sum_dim(dim),
        &slopes.clone().sum_dim(dim),
    );
    Slopes {
        probs,
        logs,
        slopes,
        centred: grad.sub(&mean),
    }
}

/// `s (g - Σ s g / Σ s)`; see [`RelaxOps::entmax_backward`](crate::dispatch::RelaxOps::entmax_backward).
pub(super) fn entmax_backward<B: Backend>(
    probs: Float<B>,
    stats: Float<B>,
    grad: Float<B>,
    dim: usize,
    alpha: f64,
) -> Float<B> {
    let excess = constant(&probs, dim, alpha - 1.0);
    let fixed = decided(&stats.narrow(dim, 0));
    let row = slopes(probs, grad, &excess, dim);
    row.slopes.mul(&row.centred).fill(&fixed, 0.0)
}

/// With `L = ln p`, `p r = (p - p^(1-e)) / e² - p L / e`, and `Σ p r (g - Σ s g / Σ s)` for alpha; see
/// [`RelaxOps::entmax_rows_backward`](crate::dispatch::RelaxOps::entmax_rows_backward).
pub(super) fn entmax_rows_backward<B: Backend>(
    probs: Float<B>,
    alpha: Float<B>,
    stats: Float<B>,
    grad: Float<B>,
    dim: usize,
) -> (Float<B>, Float<B>) {
    let excess = alpha.add_scalar(-1.0);
    let limit = Precision::of(&probs).limit;
    let excess = excess.clone().fill(&excess.greater(limit), limit);
    let fixed = decided(&stats.narrow(dim, 0));
    let row = slopes(probs, grad, &excess, dim);
    let grad_logits = row.slopes.clone().mul(&row.centred).fill(&fixed, 0.0);

    let w = row.logs.clone().mul(&excess);
    let near = w.lower(CHANGE_NEAR).and(&w.greater(-CHANGE_NEAR));
    let factorials = (1..).scan(1.0, |product, k| {
        *product *= f64::from(k);
        Some(*product)
    });
    // -Σ (-w)^k / (k + 2)!
    let terms: Vec<f64> = (factorials.skip(1).zip([-1.0, 1.0].into_iter().cycle()))
        .map(|(factorial, sign)| sign / factorial)
        .take(CHANGE_TERMS)
        .collect();
    let start = w.clone().mul_scalar(0.0);
    let series = terms
        .into_iter()
        .rev()
        .fold(start, |sum, term| sum.mul(&w).add_scalar(term));
    let square = row.logs.clone().mul(&row.logs);
    let series = series.mul(&square).mul(&row.probs);
    let divisor = nonzero(excess);
    let formula = (row.probs.clone().sub(&row.slopes).div(&divisor))
        .sub(&row.probs.clone().mul(&row.logs))
        .div(&divisor);
    let change = formula.replace(&near, &series);
    let grad_alpha = change.mul(&row.centred).sum_dim(dim).fill(&fixed, 0.0);
    (grad_logits, grad_alpha)
}
