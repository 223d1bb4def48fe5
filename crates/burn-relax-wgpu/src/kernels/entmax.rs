//! Entmax for every alpha, softmax and sparsemax included: forward.
//!
//! A unit copies the groups of its row that may have weight to the front of its own part of the result, so that the search passes
//! over those alone; the weights replace them at the end. Rows are not split: every pass needs the sum of the whole row.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    lanes::row_sum,
    math::is_nan,
    reduce::{divisor, find_max, write_stats},
    row::{Layout, Need, Rows, output_start, place, row_start},
    search::{MOST_PASSES, USUAL_PASSES},
    threshold::{Curve, find_threshold, limited, lowest, weight},
    view::{
        Sizes, Steps, View, address_type, coefficient_view, cube_count, elements, output, resized,
        unsplit_plan, vector_size,
    },
};

/// Walks through a row beside the search: for the maximum, to copy, and to write.
const WALKS: usize = 3;

/// Alpha, for the host.
#[allow(clippy::large_enum_variant)] // made once for each call
pub(crate) enum Alpha {
    /// One number.
    Fixed(f64),
    /// A tensor with one number for all rows, or one for each.
    Rows(CubeTensor),
}

impl Alpha {
    /// The tensor that alpha is read from (none is read if alpha is fixed), its excess if fixed, and the curve of the weights.
    pub(crate) fn into_view(self, op: &str, like: &View, dim: usize) -> (View, f64, Curve) {
        match self {
            Alpha::Fixed(alpha) => {
                let view = View {
                    tensor: like.tensor.clone(),
                    steps: [0; 4],
                };
                (view, alpha - 1.0, Curve::of(alpha))
            }
            Alpha::Rows(alpha) => {
                let view = coefficient_view(op, "alpha", alpha, &like.tensor, dim);
                (view, 0.0, Curve::Power)
            }
        }
    }

    /// Whether it is a tensor.
    pub(crate) fn is_tensor(&self) -> bool {
        matches!(self, Alpha::Rows(_))
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn entmax_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,  // [outer, classes, inner]
    alpha: &Tensor<F>,              // [outer, 1, inner], or anything if alpha is fixed
    out: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    stats: &mut Tensor<A>,          // [outer, 2, inner]
    rows: &Rows,
    steps: &Steps,
    alpha_steps: &Steps,
    excess: InputScalar,
    most: u32,
    #[comptime] per_row: bool,
    #[comptime] curve: Curve,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let start = row_start(&place, steps);
    let to = output_start(&place, rows);
    let excess = if comptime!(per_row) {
        A::cast_from(alpha[row_start(&place, alpha_steps)]) - A::new(1.0_f32)
    } else {
        excess.get::<A>()
    };
    let excess = limited::<A>(excess);
    let unknown = is_nan::<A>(excess);
    let nan = excess;
    let excess = select(unknown, A::new(0.0_f32), excess);
    let max = find_max::<F, A, N>(logits, start, steps, &place, layout);

    let lowest = lowest::<A>(excess);
    let mut list_end = place.first;
    if place.live {
        let mut g = place.first;
        while g < place.end {
            let group = logits[start + g * steps.class];
            let x = Vector::<A, N>::cast_from(group);
            let mut candidate = false;
            #[unroll]
            for k in 0..N::value() {
                let x = x.extract(k);
                candidate = candidate || x - max > lowest || is_nan::<A>(x);
            }
            if candidate {
                out[to + list_end * rows.inner] = group;
                list_end += layout.lanes;
            }
            g += layout.lanes;
        }
    }
    let (inverse, total) = find_threshold::<F, A, N>(
        &*out, to, list_end, &place, rows, max, excess, most, curve, layout,
    );
    let total = select(unknown, nan, total);

    let mut support = A::new(0.0_f32);
    if place.live {
        let divisor = divisor::<A>(total);
        let mut g = place.first;
        while g < place.end {
            let x = Vector::<A, N>::cast_from(logits[start + g * steps.class]);
            let mut y = Vector::<F, N>::empty();
            #[unroll]
            for k in 0..N::value() {
                let (r, _slope) = weight::<A>(x.extract(k), max, inverse, excess, curve);
                support += select(r > A::new(0.0_f32), A::new(1.0_f32), A::new(0.0_f32));
                y.insert(k, F::cast_from(r / divisor));
            }
            out[to + g * rows.inner] = y;
            g += layout.lanes;
        }
    }
    let support = row_sum::<A>(support, place.lane, layout);
    let support = select(is_nan::<A>(total), total, support);
    write_stats::<A>(stats, &place, rows, max, support);
}

/// Entmax along `dim`, and row statistics: the maximum, and the number of entries with weight.
///
/// The weights are `(1 + (alpha - 1)(x - c))^(1 / (alpha - 1))` where that base is positive, else 0, with `c` such that they sum to 1:
/// the softmax at `alpha = 1`, sparsemax at 2. A row that holds `+inf` shares the weight among those entries, whatever alpha is.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - first result: that of `logits`
/// - second result: the same with size 2 at `dim`
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn entmax(logits: CubeTensor, dim: usize, alpha: f64) -> (CubeTensor, CubeTensor) {
    forward("entmax", logits, Alpha::Fixed(alpha), dim)
}

/// [`entmax`] with an `alpha` for all rows, or one for each: its shape is that of `logits` with size 1 at `dim`.
///
/// # Panics
/// If alpha has another shape or dtype, or the device cannot compute with the dtype.
pub fn entmax_rows(logits: CubeTensor, alpha: CubeTensor, dim: usize) -> (CubeTensor, CubeTensor) {
    forward("entmax_rows", logits, Alpha::Rows(alpha), dim)
}

/// Launches the kernel.
fn forward(op: &str, logits: CubeTensor, alpha: Alpha, dim: usize) -> (CubeTensor, CubeTensor) {
    let rank = logits.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &logits.client, logits.dtype);
    let sizes = Sizes::of(&logits, dim, rank);
    let out = output(&logits, logits.meta.shape().clone(), logits.dtype);
    let stats = output(&logits, resized(&logits, dim, 2), stats_dtype);
    if sizes.rows() == 0 {
        return (out, stats);
    }
    sizes.check_classes(op);
    let logits = View::new(logits, dim, rank);
    let per_row = alpha.is_tensor();
    let (alpha, excess, curve) = alpha.into_view(op, &logits, dim);
    let vector = vector_size(&sizes, &[&logits]);
    let groups = sizes.classes / vector;
    // The maximum, two sums, and the support.
    let need = Need {
        shared_bytes: 4 * stats_dtype.size(),
        walks: WALKS + USUAL_PASSES,
    };
    let plan = unsplit_plan(&logits, &sizes, groups, need);
    let most = plan.passes(&out.client, MOST_PASSES, WALKS);
    // SAFETY: the views' strides stay inside their tensors, the outputs are contiguous and of the sizes given, units beyond the last
    // row read row 0 and write nothing, and a unit reads of `out` what it wrote there.
    unsafe {
        entmax_kernel::launch_unchecked(
            &out.client,
            cube_count(op, &out.client, plan.cubes(sizes.rows())),
            plan.layout.cube_dim(),
            address_type(&[&logits.tensor, &alpha.tensor, &out, &stats]),
            vector,
            logits.tensor.clone().into_tensor_arg(),
            alpha.tensor.clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
            stats.clone().into_tensor_arg(),
            sizes.launch(&plan, groups),
            logits.launch_vector_steps(vector),
            alpha.launch_steps(),
            InputScalar::new(excess, elements[1]),
            most as u32,
            per_row,
            curve,
            plan.layout,
            elements,
        );
    }
    (out, stats)
}
