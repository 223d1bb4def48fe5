//! Power softmax: `v^p / sum v^p`, the normalised twin of the gradual argmax.
//!
//! Forward: maximum, then `exp(p ln(v / max))` and its sum, then the division; the row stays in cache. Relative to the maximum
//! nothing overflows and the largest entry is exact. Backward from the saved output and the row's statistics, in
//! two passes. Arithmetic binds on one thread.

use crate::argmax::max_and_nan;
use crate::distribute::run;
use crate::element::Element;
use crate::gradual::{check_power, power_of, powers, zero_power};
use crate::math::{exp, ln};
use crate::real::Real;
use crate::rows::{
    Output, check_len, count_rows, get, inverse, lanes, put, put_stats, row, unless_zero, written,
};
use crate::simd::{Backend, Pack, Region, Vector, current_path, enter};
use crate::sums::{Sum, dominated, residual};
use core::mem::MaybeUninit;
use core::ops::Range;

/// `v / max`, exactly 1 at the maximum even if that is infinite.
#[inline(always)]
fn relative<V: Vector>(v: V, max: V::Scalar) -> V {
    let max = V::splat(max);
    V::select(v.ne(max), v / max, V::splat(V::Scalar::ONE))
}

/// `(v / max)^p`, 0 at 0.
#[inline(always)]
fn weight<V: Vector>(v: V, max: V::Scalar, p: V::Scalar) -> V {
    let q = relative(v, max);
    unless_zero(q, exp(V::splat(p) * ln(q)))
}

struct Forward<'a, A: Real> {
    values: &'a [A],
    power: &'a [A],
    n: usize,
    out: Output<'a, A>,
    stats: Output<'a, A>,
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        let zero = A::ZERO;
        for r in rows {
            let v = row(self.values, r, n);
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (out, stats) = unsafe { (self.out.row(r, n), self.stats.row(r, 2)) };
            let (largest, nan) = max_and_nan::<B, A>(v);
            if nan || largest == zero {
                let fill = if nan { A::NAN } else { zero };
                out.fill(MaybeUninit::new(fill));
                stats.fill(MaybeUninit::new(fill));
                continue;
            }
            let p = power_of(self.power, r);
            let mut sum = Sum::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let e = weight(get::<B, A, U>(v, i, k, zero), largest, p);
                sum.add(e);
                put::<B, A, U>(out, i, k, e);
            } flush { sum.flush() });
            let normaliser = sum.total();
            let factor = inverse(normaliser);
            lanes!(A::Lanes<B>, n, |i, k, U| {
                // SAFETY: the loop above wrote every value of the row.
                let e = get::<B, A, U>(unsafe { written(out) }, i, k, zero);
                put::<B, A, U>(out, i, k, e * Pack::splat(factor));
            });
            put_stats(
                stats,
                if largest > A::MAX { A::MAX } else { largest },
                normaliser,
            );
        }
    }
}

struct Backward<'a, A: Real> {
    values: &'a [A],
    power: &'a [A],
    out: &'a [A],
    stats: &'a [A],
    grad: &'a [A],
    n: usize,
    grad_values: Output<'a, A>,
    grad_power: Output<'a, A>,
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        let zero = A::ZERO;
        for r in rows {
            let (v, y, g) = (
                row(self.values, r, n),
                row(self.out, r, n),
                row(self.grad, r, n),
            );
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (grad_v, grad_p) =
                unsafe { (self.grad_values.row(r, n), self.grad_power.row(r, 1)) };
            let (max, normaliser) = (self.stats[2 * r], self.stats[2 * r + 1]);
            if max == A::MAX || normaliser == zero {
                grad_v.fill(MaybeUninit::new(zero));
                grad_p[0].write(zero);
                continue;
            }
            let p = power_of(self.power, r);
            if !A::DOUBLE && dominated(normaliser) && p / max > A::from_f64(STEEP) {
                in_f64(v, p, g, grad_v, &mut grad_p[0]);
                continue;
            }
            let mut sum = Sum::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let (y, g) = (get::<B, A, U>(y, i, k, zero), get::<B, A, U>(g, i, k, zero));
                sum.add(unless_zero(y, y * g));
            } flush { sum.flush() });
            let mean = sum.total();
            let rest = if dominated(normaliser) {
                residual::<B, A>(y, g, mean)
            } else {
                zero
            };
            let scale = p / (normaliser * max);
            let scale = if scale > A::MAX { A::MAX } else { scale };
            let mut sum = Sum::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let v = get::<B, A, U>(v, i, k, zero);
                let (y, g) = (get::<B, A, U>(y, i, k, zero), get::<B, A, U>(g, i, k, zero));
                let q = relative(v, max);
                let log = ln(q);
                let (lower, _) = powers(q, log, p);
                let lower = Pack::select(q.ne(Pack::splat(zero)), lower, Pack::splat(zero_power(p)));
                let difference = (g - Pack::splat(mean)) - Pack::splat(rest);
                put::<B, A, U>(grad_v, i, k, unless_zero(lower, lower * difference * Pack::splat(scale)));
                // Adding a constant to all logarithms changes nothing: those of v / max are the accurate ones.
                sum.add(unless_zero(y, y * difference * log));
            } flush { sum.flush() });
            grad_p[0].write(sum.total());
        }
    }
}

/// The slope `p / max` above which a row that few entries dominate goes through `f64`: its gradient is that many times a small
/// difference. Such rows are rare: the way through `f64` takes five times as long.
const STEEP: f64 = 8.0;

/// The backward pass of one row in `f64`, from its values alone.
fn in_f64<A: Real>(
    v: &[A],
    p: A,
    g: &[A],
    grad_v: &mut [MaybeUninit<A>],
    grad_p: &mut MaybeUninit<A>,
) {
    let n = v.len();
    let wide = |x: &[A]| x.iter().map(|x| x.to_f64()).collect::<Vec<_>>();
    let (values, grad, power) = (&wide(v)[..], &wide(g)[..], &[p.to_f64()][..]);
    let filled = |len| vec![MaybeUninit::new(0.0); len];
    let (mut y, mut stats, mut of_v, mut of_p) = (filled(n), filled(2), filled(n), filled(1));
    let forward = Forward {
        values,
        power,
        n,
        out: Output::new(&mut y),
        stats: Output::new(&mut stats),
    };
    enter(current_path(), &forward, 0..1);
    // SAFETY: every value was written at first.
    let (out, stats) = unsafe { (written(&y), written(&stats)) };
    let backward = Backward {
        values,
        power,
        out,
        stats,
        grad,
        n,
        grad_values: Output::new(&mut of_v),
        grad_power: Output::new(&mut of_p),
    };
    enter(current_path(), &backward, 0..1);
    // SAFETY: as above.
    let (of_v, of_p) = unsafe { (written(&of_v), written(&of_p)) };
    let (least, most) = (A::MIN.to_f64(), A::MAX.to_f64());
    for (grad, x) in grad_v.iter_mut().zip(of_v) {
        grad.write(A::from_f64(x.clamp(least, most)));
    }
    grad_p.write(A::from_f64(of_p[0]));
}

/// `v^p / sum v^p` for every row, and its statistics: the maximum of `v` and `sum (v / max)^p`.
///
/// `power` holds one value for all rows or one per row. The domain is `v >= 0`, `p > 0`. A row of zeros gives zeros and stores
/// 0 and 0; a row with `+inf` shares the weight among those entries and stores `Acc::MAX` and their number.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn power_softmax<F: Element>(
    values: &[F],
    power: &[F],
    n: usize,
    out: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    let rows = count_rows("power_softmax", values.len(), n);
    check_power("power_softmax", power.len(), rows);
    check_len("power_softmax", "out", out.len(), values.len());
    check_len("power_softmax", "stats", stats.len(), 2 * rows);
    let per_row = usize::from(power.len() > 1);
    run!(Forward, rows, 3 * n, |_first| { values: n, power: per_row } {} { out: n } { stats: 2 } { n: n });
}

/// Gradient of [`power_softmax`]: for the values `(p / v) y (g - <y, g>)`, for the power, one per row,
/// `sum y (g - <y, g>) ln v`.
///
/// `v^(p - 1)` at `v = 0` counts as 1 for `p = 1` and 0 for every other `p`, as in
/// [`gradual_argmax_backward`](crate::gradual_argmax_backward). Rows of zeros and rows with `+inf` get 0.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn power_softmax_backward<F: Element>(
    values: &[F],
    power: &[F],
    out: &[F],
    stats: &[F::Acc],
    grad: &[F],
    n: usize,
    grad_values: &mut [MaybeUninit<F>],
    grad_power: &mut [MaybeUninit<F>],
) {
    const KERNEL: &str = "power_softmax_backward";
    let rows = count_rows(KERNEL, values.len(), n);
    check_power(KERNEL, power.len(), rows);
    check_len(KERNEL, "out", out.len(), values.len());
    check_len(KERNEL, "stats", stats.len(), 2 * rows);
    check_len(KERNEL, "grad", grad.len(), values.len());
    check_len(KERNEL, "grad_values", grad_values.len(), values.len());
    check_len(KERNEL, "grad_power", grad_power.len(), rows);
    let per_row = usize::from(power.len() > 1);
    run!(
        Backward, rows, 4 * n, |_first|
        { values: n, power: per_row, out: n, grad: n } { stats: 2 } { grad_values: n, grad_power: 1 } {} { n: n }
    );
}
