//! Free energy `F = -T ln Σ p_k exp(-f_k / T)` of costs `f` under `p = softmax(logits)`, and its gradients.
//!
//! Two formulas, chosen per row as in the CPU row kernels. Where the temperature is high against the spread of the costs, `F` is the
//! lowest cost `c` minus `T ln(1 + S)` with `S = Σ p (exp(-(f - c) / T) - 1)`, precise as `F` tends to the mean cost. Where
//! `S < -1/2` the sum is taken in the log domain, relative to the largest `ln p - (f - c) / T`. Rows are not split.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use crate::parts::{
    lanes::{add_up, row_max},
    math::{exp_m1_nonpositive, exp_nonpositive, is_nan, ln_one_minus, ln_positive},
    number::number,
    prelude::*,
    reduce::find_max,
    special::{divisor, gap, is_excluded, raw_weight},
    stats::known,
};

/// Three maxima and four sums; four walks with blocks.
const NEED: Need = Need::walks(5).numbers(7);

/// Statistics per row: maximum and normaliser of the logits, the lowest cost, then 0 and `S`, or in the log domain the largest
/// exponent and the sum relative to it.
const STATS: usize = 5;

#[cube(launch_unchecked, address_type = "dynamic")]
fn free_energy_kernel<F: Float, A: Float, N: Size>(
    logits: &Grid<'_, F, N>, // [outer, classes, inner]
    cost: &Grid<'_, F, N>,   // [outer, classes, inner]
    out: &mut Tensor<F>,     // [outer, 1, inner]
    stats: &mut Tensor<A>,   // [outer, 5, inner]
    rows: Rows,
    temperature: InputScalar,
    reciprocal: InputScalar,
    infinite: InputScalar,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows);
    let (zero, one) = (zero::<A>(), one::<A>());
    let logits = logits.row(&place);
    let both = logits.beside(&cost.row(&place));
    let temperature = temperature.get::<A>();
    let reciprocal = reciprocal.get::<A>();
    let max = find_max::<F, A, N>(&logits, &place);

    // The lowest cost with its sign turned.
    let mut cheapest = A::min_value();
    // The normaliser, and NaN if an allowed cost is.
    let mut sums = both.sums::<A>(&place, 2usize, |sums, _, x, f| {
        let allowed = !is_excluded::<A>(x, max);
        sums[0] += raw_weight::<A>(x, max, one);
        sums[1] += select(allowed && is_nan::<A>(f), f, zero);
        let better = allowed && -f > cheapest;
        cheapest = select(better, -f, cheapest);
    });
    add_up::<A>(&mut sums, &place, 2usize);
    let normaliser = sums[0];
    let unknown = is_nan::<A>(normaliser) || is_nan::<A>(sums[1]);
    let lowest = -row_max::<A>(cheapest, &place);

    // `Σ e^z (exp(-(f - lowest) / T) - 1)` and the largest `z - (f - lowest) / T`.
    let mut most = A::min_value();
    let mut moment = both.sums::<A>(&place, 1usize, |sums, _, x, f| {
        let allowed = !is_excluded::<A>(x, max);
        let weight = raw_weight::<A>(x, max, one);
        let above = exp_m1_nonpositive::<A>((lowest - f) * reciprocal);
        let above = select(f > A::max_value(), -one, above);
        sums[0] += select(allowed, weight * above, zero);
        let level = gap::<A>(x, max, one) - (f - lowest) * reciprocal;
        let better = allowed && f <= A::max_value() && level > most;
        most = select(better, level, most);
    });
    add_up::<A>(&mut moment, &place, 1usize);
    let most = row_max::<A>(most, &place);
    // `Σ exp(z - (f - lowest) / T - most)`.
    let mut joint = both.sums::<A>(&place, 1usize, |sums, _, x, f| {
        let allowed = !is_excluded::<A>(x, max) && f <= A::max_value();
        let level = gap::<A>(x, max, one) - (f - lowest) * reciprocal - most;
        let level = exp_nonpositive::<A>(select(level > zero, zero, level));
        sums[0] += select(allowed, level, zero);
    });
    add_up::<A>(&mut joint, &place, 1usize);

    if place.speaks_for_row() {
        let s = moment[0] / divisor::<A>(normaliser);
        let warm = s > number::<A>(-0.5_f32);
        let near = lowest - temperature * ln_one_minus::<A>(-s);
        let log =
            ln_positive::<A>(divisor::<A>(joint[0])) - ln_positive::<A>(divisor::<A>(normaliser));
        let far = lowest - temperature * (most + log);
        let hopeless = lowest >= A::max_value();
        let nothing = normaliser == zero;
        let value = select(warm, near, far);
        let value = select(hopeless, infinite.get::<A>(), value);
        let value = select(nothing, zero, value);
        let nan = normaliser + sums[1];
        out[place.row] = F::cast_from(select(unknown, nan, value));
        let reference = select(hopeless, A::max_value(), lowest);
        let most = select(warm, zero, most);
        let sum = select(warm, s, joint[0]);
        stats[place.number_at(0usize, STATS)] = select(unknown, nan, max);
        stats[place.number_at(1usize, STATS)] = select(unknown, nan, normaliser);
        stats[place.number_at(2usize, STATS)] = select(unknown, nan, reference);
        stats[place.number_at(3usize, STATS)] = select(unknown, nan, most);
        stats[place.number_at(4usize, STATS)] = select(unknown, nan, sum);
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn free_energy_backward_kernel<F: Float, A: Float, N: Size>(
    logits: &Grid<'_, F, N>,                // [outer, classes, inner]
    cost: &Grid<'_, F, N>,                  // [outer, classes, inner]
    stats: &Grid<'_, A, Const<1>>,          // [outer, 5, inner]
    grad: &Grid<'_, F, Const<1>>,           // [outer, 1, inner]
    grad_logits: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad_cost: &mut Tensor<Vector<F, N>>,   // [outer, classes, inner]
    rows: Rows,
    temperature: InputScalar,
    reciprocal: InputScalar,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows);
    let (zero, one) = (zero::<A>(), one::<A>());
    let reciprocal = reciprocal.get::<A>();
    let row = known::<A>(stats, &place);
    let stats = stats.row(&place);
    let reference = stats.value::<A>(2usize, 0usize);
    let most = stats.value::<A>(3usize, 0usize);
    let s = stats.value::<A>(4usize, 0usize);
    let upstream = grad.row(&place).first::<A>();
    let to_logit = temperature.get::<A>() * upstream;
    let fixed = row.normaliser == zero || reference >= A::max_value();
    // The stored sum is S <= 0 in the first formula, at least 1 in the second.
    let warm = s <= zero;
    let joint = select(warm, one + s, divisor::<A>(s));
    let mut of_logits = Vector::<F, N>::empty();
    let mut of_cost = Vector::<F, N>::empty();
    let both = logits.row(&place).beside(&cost.row(&place));
    both.each::<A>(&place, |class, x, f| {
        let excluded = is_excluded::<A>(x, row.max);
        let p = row.weight(x, one);
        let level = (reference - f) * reciprocal;
        let above = exp_m1_nonpositive::<A>(select(level > zero, zero, level));
        let above = select(f > A::max_value(), -one, above);
        let warm_share = p * (above + one) / joint;
        let warm_difference = p * (s - above) / joint;
        let both = gap::<A>(x, row.max, one) + level - most;
        let cold_share = exp_nonpositive::<A>(select(both > zero, zero, both)) / joint;
        let cold_share = select(f > A::max_value(), zero, cold_share);
        let share = select(warm, warm_share, cold_share);
        let difference = select(warm, warm_difference, p - cold_share);
        let still = excluded || fixed || row.decided;
        let slope = select(still, zero, difference * to_logit);
        class.put::<F, A, N>(slope, &mut of_logits, grad_logits, &place);
        // A cost of +inf forbids its class, too.
        let forbidden = excluded || f > A::max_value();
        let slope = select(forbidden || fixed, zero, share * upstream);
        class.put::<F, A, N>(slope, &mut of_cost, grad_cost, &place);
    });
}

/// The free energy along `dim`, and five row statistics for [`free_energy_backward`].
///
/// A cost of `+inf` forbids its class no less than a logit of `-inf`; costs must not be `-inf`. A row without an allowed class
/// gives 0; one whose allowed costs are all `+inf` gives `+inf`. A cost at a forbidden class is ignored, NaN or not.
///
/// # Shapes
/// - `logits`, `cost`: `[.., n, ..]`, n at `dim`
/// - first result: the same with size 1 at `dim`
/// - second result: the same with size 5 at `dim`
///
/// # Panics
/// If shapes or dtypes do not match, or the device cannot compute with the dtype.
pub fn free_energy(
    logits: CubeTensor,
    cost: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let mut call = Call::new("free_energy", &logits, dim);
    call.check_same("cost", &cost, &logits);
    let (out, stats) = (call.one_per_row(), call.stats(STATS));
    let [logits, cost] = call.views([logits, cost]);
    launch!(
        free_energy_kernel, call.walk(&[&logits, &cost]).whole(NEED), |at|
        vectors [logits, cost] results [out, stats];
        call.finite(temperature), call.reciprocal(temperature), call.scalar(f64::INFINITY), call.elements
    );
    (out, stats)
}

/// Gradients of [`free_energy`] from its statistics: `T (p - r) g` for the logits and `r g` for the costs, with the
/// responsibilities `r ~ p exp(-f / T)`. Both are 0 at forbidden classes and in rows whose value is infinite; rows that hold
/// `+inf` have gradient 0 for the logits.
///
/// # Panics
/// As [`free_energy`].
pub fn free_energy_backward(
    logits: CubeTensor,
    cost: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let mut call = Call::new("free_energy_backward", &logits, dim);
    call.check_same("cost", &cost, &logits);
    let (grad_logits, grad_cost) = (call.per_class(), call.per_class());
    let [logits, cost, stats, grad] = call.views([logits, cost, stats, grad]);
    launch!(
        free_energy_backward_kernel, call.walk(&[&logits, &cost]).independent(1), |at|
        vectors [logits, cost] singles [stats, grad] results [grad_logits, grad_cost];
        call.finite(temperature), call.reciprocal(temperature), call.elements
    );
    (grad_logits, grad_cost)
}
