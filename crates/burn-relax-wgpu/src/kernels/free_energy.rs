//! Free energy `F = -T ln Σ p_k exp(-f_k / T)` of costs `f` under `p = softmax(logits)`, and its gradients.
//!
//! Two formulas, chosen per row as in the CPU row kernels. Where the temperature is high against the spread of the costs, `F` is the
//! lowest cost `c` minus `T ln(1 + S)` with `S = Σ p (exp(-(f - c) / T) - 1)`, precise as `F` tends to the mean cost. Where
//! `S < -1/2` the sum is taken relative to the lowest `f - T ln p`. Rows are not split.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::{ir::FloatKind, prelude::*};

use super::{
    lanes::{row_max, row_sums, sum_slots},
    math::{exp_m1_nonpositive, exp_nonpositive, is_nan, ln_one_minus, ln_positive},
    reduce::{divisor, find_max, is_excluded, raw_weight},
    row::{Layout, Need, Rows, output_start, place, row_start, speaks_for_row},
    view::{
        Sizes, Steps, View, address_type, check_same, cube_count, elements, independent_plan,
        output, reciprocal, resized, unsplit_plan, vector_size,
    },
};

/// Statistics per row: maximum and normaliser of the logits, a reference cost, a sum relative to it.
const STATS: usize = 4;

/// `x - max` where that has a meaning, 0 in a row that holds `+inf`.
#[cube]
fn gap<A: Float>(x: A, max: A) -> A {
    select(max >= A::max_value(), A::new(0.0_f32), x - max)
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn free_energy_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>, // [outer, classes, inner]
    cost: &Tensor<Vector<F, N>>,   // [outer, classes, inner]
    out: &mut Tensor<F>,           // [outer, 1, inner]
    stats: &mut Tensor<A>,         // [outer, 4, inner]
    rows: &Rows,
    steps: &Steps,
    cost_steps: &Steps,
    temperature: InputScalar,
    reciprocal: InputScalar,
    // `+inf` comes from the host: WGSL has no literal for it.
    infinite: InputScalar,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let zero = A::new(0.0_f32);
    let one = A::new(1.0_f32);
    let start = row_start(&place, steps);
    let cost_start = row_start(&place, cost_steps);
    let temperature = temperature.get::<A>();
    let reciprocal = reciprocal.get::<A>();
    let max = find_max::<F, A, N>(logits, start, steps, &place, layout);

    // The normaliser, and NaN if an allowed cost is.
    let mut sums = Array::<A>::new(2usize);
    sums[0] = zero;
    sums[1] = zero;
    // The lowest values with their signs turned.
    let mut cheapest = A::min_value();
    let mut cheapest_joint = A::min_value();
    let mut from = place.first;
    while from < place.end {
        let end = min(from + rows.block, place.end);
        let mut part = zero;
        let mut g = from;
        while g < end {
            let x = Vector::<A, N>::cast_from(logits[start + g * steps.class]);
            let f = Vector::<A, N>::cast_from(cost[cost_start + g * cost_steps.class]);
            #[unroll]
            for k in 0..N::value() {
                let (x, f) = (x.extract(k), f.extract(k));
                let allowed = !is_excluded::<A>(x, max);
                part += raw_weight::<A>(x, max, one);
                sums[1] += select(allowed && is_nan::<A>(f), f, zero);
                let joint = f - gap::<A>(x, max) * temperature;
                let better = allowed && -f > cheapest;
                cheapest = select(better, -f, cheapest);
                let better = allowed && f <= A::max_value() && -joint > cheapest_joint;
                cheapest_joint = select(better, -joint, cheapest_joint);
            }
            g += layout.lanes;
        }
        sums[0] += part;
        from += rows.block;
    }
    let mut shared = sum_slots::<A>(2usize, layout);
    row_sums::<A>(&mut sums, &mut shared, place.lane, 2usize, layout);
    let normaliser = sums[0];
    let unknown = is_nan::<A>(normaliser) || is_nan::<A>(sums[1]);
    let lowest = -row_max::<A>(cheapest, place.lane, layout);
    let lowest_joint = -row_max::<A>(cheapest_joint, place.lane, layout);

    // `Σ e^z (exp(-(f - lowest) / T) - 1)` and `Σ exp(z - (f - lowest_joint) / T)`.
    let mut moments = Array::<A>::new(2usize);
    moments[0] = zero;
    moments[1] = zero;
    let mut from = place.first;
    while from < place.end {
        let end = min(from + rows.block, place.end);
        let mut mean = zero;
        let mut joint = zero;
        let mut g = from;
        while g < end {
            let x = Vector::<A, N>::cast_from(logits[start + g * steps.class]);
            let f = Vector::<A, N>::cast_from(cost[cost_start + g * cost_steps.class]);
            #[unroll]
            for k in 0..N::value() {
                let (x, f) = (x.extract(k), f.extract(k));
                let allowed = !is_excluded::<A>(x, max);
                let weight = raw_weight::<A>(x, max, one);
                let above = exp_m1_nonpositive::<A>((lowest - f) * reciprocal);
                let above = select(f > A::max_value(), -one, above);
                mean += select(allowed, weight * above, zero);
                let level = gap::<A>(x, max) - (f - lowest_joint) * reciprocal;
                let level = exp_nonpositive::<A>(select(level > zero, zero, level));
                joint += select(allowed && f <= A::max_value(), level, zero);
            }
            g += layout.lanes;
        }
        moments[0] += mean;
        moments[1] += joint;
        from += rows.block;
    }
    let mut shared = sum_slots::<A>(2usize, layout);
    row_sums::<A>(&mut moments, &mut shared, place.lane, 2usize, layout);

    if speaks_for_row(&place) {
        let s = moments[0] / divisor::<A>(normaliser);
        let warm = s > A::new(-0.5_f32);
        let near = lowest - temperature * ln_one_minus::<A>(-s);
        let log =
            ln_positive::<A>(divisor::<A>(moments[1])) - ln_positive::<A>(divisor::<A>(normaliser));
        let far = lowest_joint - temperature * log;
        let hopeless = lowest >= A::max_value();
        let nothing = normaliser == zero;
        let value = select(warm, near, far);
        let value = select(hopeless, infinite.get::<A>(), value);
        let value = select(nothing, zero, value);
        let nan = normaliser + sums[1];
        out[place.row] = F::cast_from(select(unknown, nan, value));
        let at = place.outer * STATS * rows.inner + place.inner;
        let reference = select(warm, lowest, lowest_joint);
        let reference = select(hopeless, A::max_value(), reference);
        stats[at] = select(unknown, nan, max);
        stats[at + rows.inner] = select(unknown, nan, normaliser);
        stats[at + 2 * rows.inner] = select(unknown, nan, reference);
        stats[at + 3 * rows.inner] = select(unknown, nan, select(warm, s, moments[1]));
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn free_energy_backward_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,          // [outer, classes, inner]
    cost: &Tensor<Vector<F, N>>,            // [outer, classes, inner]
    stats: &Tensor<A>,                      // [outer, 4, inner]
    grad: &Tensor<F>,                       // [outer, 1, inner]
    grad_logits: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad_cost: &mut Tensor<Vector<F, N>>,   // [outer, classes, inner]
    rows: &Rows,
    steps: &Steps,
    cost_steps: &Steps,
    stats_steps: &Steps,
    grad_steps: &Steps,
    temperature: InputScalar,
    reciprocal: InputScalar,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    if !place.live {
        terminate!();
    }
    let zero = A::new(0.0_f32);
    let one = A::new(1.0_f32);
    let start = row_start(&place, steps);
    let cost_start = row_start(&place, cost_steps);
    let stats_start = row_start(&place, stats_steps);
    let reciprocal = reciprocal.get::<A>();
    let max = stats[stats_start];
    let normaliser = stats[stats_start + stats_steps.class];
    let reference = stats[stats_start + 2 * stats_steps.class];
    let s = stats[stats_start + 3 * stats_steps.class];
    let upstream = A::cast_from(grad[row_start(&place, grad_steps)]);
    let to_logit = temperature.get::<A>() * upstream;
    let decided = max >= A::max_value();
    let fixed = normaliser == zero || reference >= A::max_value();
    // The stored sum is S <= 0 in the first formula, a normaliser of about 1 or more in the second.
    let warm = s <= zero;
    let joint = select(warm, one + s, divisor::<A>(s));
    let to = output_start(&place, rows);
    let mut g = place.first;
    while g < place.end {
        let x = Vector::<A, N>::cast_from(logits[start + g * steps.class]);
        let f = Vector::<A, N>::cast_from(cost[cost_start + g * cost_steps.class]);
        let mut of_logits = Vector::<F, N>::empty();
        let mut of_cost = Vector::<F, N>::empty();
        #[unroll]
        for k in 0..N::value() {
            let (x, f) = (x.extract(k), f.extract(k));
            let excluded = is_excluded::<A>(x, max);
            let p = raw_weight::<A>(x, max, one) / divisor::<A>(normaliser);
            let level = (reference - f) * reciprocal;
            let above = exp_m1_nonpositive::<A>(select(level > zero, zero, level));
            let above = select(f > A::max_value(), -one, above);
            let warm_share = p * (above + one) / joint;
            let warm_difference = p * (s - above) / joint;
            let both = gap::<A>(x, max) + level;
            let cold_share = exp_nonpositive::<A>(select(both > zero, zero, both)) / joint;
            let cold_share = select(f > A::max_value(), zero, cold_share);
            let share = select(warm, warm_share, cold_share);
            let difference = select(warm, warm_difference, p - cold_share);
            let slope = select(excluded || fixed || decided, zero, difference * to_logit);
            of_logits.insert(k, F::cast_from(slope));
            let slope = select(excluded || fixed, zero, share * upstream);
            of_cost.insert(k, F::cast_from(slope));
        }
        grad_logits[to + g * rows.inner] = of_logits;
        grad_cost[to + g * rows.inner] = of_cost;
        g += layout.lanes;
    }
}

/// The temperature as a kernel argument, finite so that its product with 0 is 0.
fn finite(temperature: f64, compute: ElemType) -> InputScalar {
    let largest = match compute {
        ElemType::Float(FloatKind::F64) => f64::MAX,
        _ => f64::from(f32::MAX),
    };
    InputScalar::new(temperature.min(largest), compute)
}

/// The free energy along `dim`, and four row statistics for [`free_energy_backward`].
///
/// A cost of `+inf` forbids its class no less than a logit of `-inf`; costs must not be `-inf`. A row without an allowed class
/// gives 0; one whose allowed costs are all `+inf` gives `+inf`. A cost at a forbidden class is ignored, NaN or not.
///
/// # Shapes
/// - `logits`, `cost`: `[.., n, ..]`, n at `dim`
/// - first result: the same with size 1 at `dim`
/// - second result: the same with size 4 at `dim`
///
/// # Panics
/// If shapes or dtypes do not match, or the device cannot compute with the dtype.
pub fn free_energy(
    logits: CubeTensor,
    cost: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let op = "free_energy";
    let rank = logits.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &logits.client, logits.dtype);
    check_same(op, "cost", &cost, &logits);
    let sizes = Sizes::of(&logits, dim, rank);
    let out = output(&logits, resized(&logits, dim, 1), logits.dtype);
    let stats = output(&logits, resized(&logits, dim, STATS), stats_dtype);
    if sizes.rows() == 0 {
        return (out, stats);
    }
    sizes.check_classes(op);
    let [logits, cost] = [logits, cost].map(|tensor| View::new(tensor, dim, rank));
    let vector = vector_size(&sizes, &[&logits, &cost]);
    let groups = sizes.classes / vector;
    // Three maxima and twice two sums.
    let need = Need {
        shared_bytes: 7 * stats_dtype.size(),
        walks: 4,
    };
    let plan = unsplit_plan(&logits, &sizes, groups, need);
    // SAFETY: the views' strides stay inside their tensors, the outputs are contiguous and of the sizes given, and units beyond the
    // last row read row 0 and write nothing.
    unsafe {
        free_energy_kernel::launch_unchecked(
            &out.client,
            cube_count(op, &out.client, plan.cubes(sizes.rows())),
            plan.layout.cube_dim(),
            address_type(&[&logits.tensor, &cost.tensor, &stats]),
            vector,
            logits.tensor.clone().into_tensor_arg(),
            cost.tensor.clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
            stats.clone().into_tensor_arg(),
            sizes.launch(&plan, groups),
            logits.launch_vector_steps(vector),
            cost.launch_vector_steps(vector),
            finite(temperature, elements[1]),
            reciprocal(temperature, elements[1]),
            InputScalar::new(f64::INFINITY, elements[1]),
            plan.layout,
            elements,
        );
    }
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
    let op = "free_energy_backward";
    let rank = logits.meta.num_dims();
    let (elements, _) = elements(op, &logits.client, logits.dtype);
    check_same(op, "cost", &cost, &logits);
    let sizes = Sizes::of(&logits, dim, rank);
    let grad_logits = output(&logits, logits.meta.shape().clone(), logits.dtype);
    let grad_cost = output(&cost, cost.meta.shape().clone(), cost.dtype);
    if sizes.rows() == 0 {
        return (grad_logits, grad_cost);
    }
    sizes.check_classes(op);
    let [logits, cost, stats, grad] =
        [logits, cost, stats, grad].map(|tensor| View::new(tensor, dim, rank));
    let vector = vector_size(&sizes, &[&logits, &cost]);
    let groups = sizes.classes / vector;
    let plan = independent_plan(&logits, &sizes, groups, 1);
    // SAFETY: as in `free_energy`; units beyond the last chunk of the last row end at once.
    unsafe {
        free_energy_backward_kernel::launch_unchecked(
            &grad_logits.client,
            cube_count(op, &grad_logits.client, plan.cubes(sizes.rows())),
            plan.layout.cube_dim(),
            address_type(&[&logits.tensor, &cost.tensor, &stats.tensor, &grad_cost]),
            vector,
            logits.tensor.clone().into_tensor_arg(),
            cost.tensor.clone().into_tensor_arg(),
            stats.tensor.clone().into_tensor_arg(),
            grad.tensor.clone().into_tensor_arg(),
            grad_logits.clone().into_tensor_arg(),
            grad_cost.clone().into_tensor_arg(),
            sizes.launch(&plan, groups),
            logits.launch_vector_steps(vector),
            cost.launch_vector_steps(vector),
            stats.launch_steps(),
            grad.launch_steps(),
            finite(temperature, elements[1]),
            reciprocal(temperature, elements[1]),
            plan.layout,
            elements,
        );
    }
    (grad_logits, grad_cost)
}
