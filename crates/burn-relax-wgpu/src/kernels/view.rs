//! Host side: tensors as `[outer, classes, inner, features]` with strides, element types, and the size of a launch.

use burn_backend::{DType, Shape};
use burn_cubecl::{
    cubecl::{
        self,
        client::Client,
        ir::{ElemType, FloatKind, features::TypeUsage},
        prelude::*,
        server::CubeCountSelection,
    },
    kernel::into_contiguous,
    ops::numeric::empty_device_contiguous_dtype,
    tensor::CubeTensor,
};

use super::row::{Need, Plan, RowsLaunch};

/// Classes that one load may take at most: 16 bytes of `f32` is the widest load of any device.
pub(crate) const WIDEST_VECTOR: usize = 4;

/// Strides of a tensor seen as `[outer, classes, inner, features]`; 0 for a group that the tensor does not have.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Steps {
    pub(crate) outer: usize,
    pub(crate) class: usize,
    pub(crate) inner: usize,
    pub(crate) feature: usize,
}

/// Sizes of the same view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) outer: usize,
    pub(crate) classes: usize,
    pub(crate) inner: usize,
    pub(crate) features: usize,
}

impl Sizes {
    /// Sizes of `tensor` around `dim`, the dimensions from `rank` on being features.
    pub(crate) fn of(tensor: &CubeTensor, dim: usize, rank: usize) -> Self {
        let shape = tensor.meta.shape();
        Sizes {
            outer: shape[..dim].iter().product(),
            classes: shape[dim],
            inner: shape[dim + 1..rank].iter().product(),
            features: shape[rank..].iter().product(),
        }
    }

    /// Number of rows, that is of softmaxes.
    pub(crate) fn rows(&self) -> usize {
        self.outer * self.inner
    }

    /// The sizes as a kernel argument, for rows of `groups` groups.
    pub(crate) fn launch(&self, plan: &Plan, groups: usize) -> RowsLaunch {
        let lanes = plan.layout.lanes;
        let terms = plan.span.div_ceil(lanes);
        let block = lanes * (1 + terms.isqrt());
        RowsLaunch::new(
            self.rows(),
            self.classes,
            groups,
            self.inner,
            self.features,
            plan.chunks,
            plan.span,
            block,
        )
    }

    /// Panics unless a row has an entry.
    pub(crate) fn check_classes(&self, op: &str) {
        assert!(
            self.classes > 0,
            "{op}: logits must have at least one class along dim, got 0"
        );
    }
}

/// A tensor that every group of dimensions walks through with one stride, and these strides.
pub(crate) struct View {
    pub(crate) tensor: CubeTensor,
    pub(crate) steps: [usize; 4],
}

impl View {
    /// The view of `tensor` around `dim`, the dimensions from `rank` on being features.
    ///
    /// No copy if the dimensions before, between and after can each be walked with one stride, as those of contiguous, of
    /// most sliced or expanded, and of all transposed matrices can; else one contiguous copy.
    pub(crate) fn new(tensor: CubeTensor, dim: usize, rank: usize) -> Self {
        if !tensor.meta.is_tiled()
            && let Some(steps) = steps(tensor.meta.shape(), tensor.meta.strides(), dim, rank)
        {
            return View { tensor, steps };
        }
        let tensor = into_contiguous(tensor);
        let steps = steps(tensor.meta.shape(), tensor.meta.strides(), dim, rank)
            .expect("a contiguous tensor has one stride per group of dimensions");
        View { tensor, steps }
    }

    /// Whether neighbouring classes are neighbours in memory.
    pub(crate) fn classes_contiguous(&self) -> bool {
        self.steps[1] == 1
    }

    /// The strides as a kernel argument.
    pub(crate) fn launch_steps(&self) -> StepsLaunch {
        self.launch_vector_steps(1)
    }

    /// The strides as a kernel argument, in vectors of neighbouring classes.
    pub(crate) fn launch_vector_steps(&self, vector: usize) -> StepsLaunch {
        let [outer, class, inner, feature] = self.steps;
        StepsLaunch::new(outer / vector, class, inner / vector, feature)
    }

    /// Whether the rows can be read in such vectors.
    fn has_vectors(&self, vector: usize) -> bool {
        let [outer, class, inner, _] = self.steps;
        class == 1 && outer.is_multiple_of(vector) && inner.is_multiple_of(vector)
    }
}

/// Classes in one load: the widest vector of the device that divides the rows of all `views` and of contiguous results.
pub(crate) fn vector_size(sizes: &Sizes, views: &[&View]) -> usize {
    let tensor = &views[0].tensor;
    let widest = tensor.client.properties().hardware.max_vector_size;
    let fits = |vector: usize| {
        vector <= widest
            && sizes.inner == 1
            && sizes.features == 1
            && sizes.classes.is_multiple_of(vector)
            && views.iter().all(|view| view.has_vectors(vector))
    };
    [WIDEST_VECTOR, 2]
        .into_iter()
        .find(|&v| fits(v))
        .unwrap_or(1)
}

/// One stride for each group of dimensions, if there is one.
fn steps(shape: &[usize], strides: &[usize], dim: usize, rank: usize) -> Option<[usize; 4]> {
    let group = |from: usize, to: usize| common_stride(&shape[from..to], &strides[from..to]);
    Some([
        group(0, dim)?,
        strides[dim],
        group(dim + 1, rank)?,
        group(rank, shape.len())?,
    ])
}

/// The stride that walks through all of `shape` in order, if there is one.
fn common_stride(shape: &[usize], strides: &[usize]) -> Option<usize> {
    let mut dims = shape
        .iter()
        .zip(strides)
        .rev()
        .filter(|&(&size, _)| size != 1);
    let Some((&size, &innermost)) = dims.next() else {
        return Some(0);
    };
    let mut span = size * innermost;
    for (&size, &stride) in dims {
        if stride != span {
            return None;
        }
        span *= size;
    }
    Some(innermost)
}

/// Storage and computation types of the kernels for tensors of `dtype`, and the dtype of their statistics.
///
/// # Panics
///
/// If `dtype` is not a float type, or one that the device cannot compute with.
pub(crate) fn elements(op: &str, client: &Client, dtype: DType) -> ([ElemType; 2], DType) {
    let (storage, compute, stats) = match dtype {
        DType::F32 => (FloatKind::F32, FloatKind::F32, DType::F32),
        DType::F16 => (FloatKind::F16, FloatKind::F32, DType::F32),
        DType::BF16 => (FloatKind::BF16, FloatKind::F32, DType::F32),
        DType::F64 => (FloatKind::F64, FloatKind::F64, DType::F64),
        other => panic!("{op}: logits must be floats of 16, 32 or 64 bits, got {other:?}"),
    };
    let storage = ElemType::Float(storage);
    // WGSL and the shader languages beside it have no `exp` for f64, whatever the adapter says of the type.
    let computable = dtype != DType::F64 || !client.name().starts_with("wgpu");
    assert!(
        computable
            && client
                .properties()
                .type_usage(storage)
                .is_superset(TypeUsage::Buffer | TypeUsage::Conversion),
        "{op}: the device must support the element type, got {dtype:?} on {}; cast to f32 or use a CPU backend",
        client.name(),
    );
    ([storage, ElemType::Float(compute)], stats)
}

/// The reciprocal of the temperature as a kernel argument, finite however small the temperature is.
pub(crate) fn reciprocal(temperature: f64, compute: ElemType) -> InputScalar {
    let reciprocal = 1.0 / temperature;
    match compute {
        ElemType::Float(FloatKind::F64) => InputScalar::new(reciprocal.min(f64::MAX), compute),
        _ => InputScalar::new(reciprocal.min(f64::from(f32::MAX)) as f32, compute),
    }
}

/// A contiguous, uninitialised tensor beside `like`.
pub(crate) fn output(like: &CubeTensor, shape: Shape, dtype: DType) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape, dtype)
}

/// The tensor between two launches, `width` numbers for every chunk of every row.
pub(crate) fn partials(
    like: &CubeTensor,
    stats_dtype: DType,
    plan: &Plan,
    rows: usize,
    width: usize,
) -> CubeTensor {
    output(like, Shape::from([plan.partials(rows, width)]), stats_dtype)
}

/// The plan for walking through `view` in `groups` groups per row.
pub(crate) fn plan(view: &View, sizes: &Sizes, groups: usize, need: Need) -> Plan {
    Plan::choose(
        &view.tensor.client,
        sizes.rows(),
        groups,
        view.classes_contiguous(),
        need,
    )
}

/// The plan for walking through `view` in groups where rows cannot be split.
pub(crate) fn unsplit_plan(view: &View, sizes: &Sizes, groups: usize, need: Need) -> Plan {
    Plan::unsplit(
        &view.tensor.client,
        sizes.rows(),
        groups,
        view.classes_contiguous(),
        need,
    )
}

/// The plan for walking through `view` where no unit waits for another; `walks` loop iterations for each group.
pub(crate) fn independent_plan(view: &View, sizes: &Sizes, groups: usize, walks: usize) -> Plan {
    let contiguous = view.classes_contiguous();
    Plan::independent(&view.tensor.client, sizes.rows(), groups, contiguous, walks)
}

/// Panics unless `tensor`, the argument `name`, has the shape and dtype of `like`.
pub(crate) fn check_same(op: &str, name: &str, tensor: &CubeTensor, like: &CubeTensor) {
    assert!(
        tensor.meta.shape() == like.meta.shape() && tensor.dtype == like.dtype,
        "{op}: {name} must have shape {:?} and dtype {:?}, got {:?} and {:?}",
        like.meta.shape(),
        like.dtype,
        tensor.meta.shape(),
        tensor.dtype
    );
}

/// A coefficient of the rows of `like` as a view: one number for all of them, or one for each.
///
/// # Panics
/// If it is neither, or of another dtype.
pub(crate) fn coefficient_view(
    op: &str,
    name: &str,
    coefficient: CubeTensor,
    like: &CubeTensor,
    dim: usize,
) -> View {
    assert!(
        coefficient.dtype == like.dtype,
        "{op}: {name} must have the dtype of the rows {:?}, got {:?}",
        like.dtype,
        coefficient.dtype
    );
    let rows = resized(like, dim, 1);
    if coefficient.meta.shape().num_elements() == 1 {
        let single = View::new(coefficient, 0, 1);
        return View {
            steps: [0; 4],
            ..single
        };
    }
    assert!(
        *coefficient.meta.shape() == rows,
        "{op}: {name} must have one value, or shape {rows:?}, got {:?}",
        coefficient.meta.shape()
    );
    View::new(coefficient, dim, rows.num_dims())
}

/// `tensor`'s shape with another size at `dim`.
pub(crate) fn resized(tensor: &CubeTensor, dim: usize, size: usize) -> Shape {
    let mut shape = tensor.meta.shape().clone();
    shape[dim] = size;
    shape
}

/// The address type that reaches every element of `tensors`.
pub(crate) fn address_type(tensors: &[&CubeTensor]) -> AddressType {
    tensors
        .iter()
        .map(|tensor| tensor.required_address_type())
        .max()
        .unwrap_or_default()
}

/// At least `cubes` cubes, spread over the axes as the device's limits demand.
pub(crate) fn cube_count(op: &str, client: &Client, cubes: usize) -> CubeCount {
    let cubes = u32::try_from(cubes)
        .unwrap_or_else(|_| panic!("{op}: logits must fit into 2^32 cubes, got {cubes}"));
    CubeCountSelection::new(client, cubes).cube_count()
}

#[cfg(test)]
mod tests {
    use super::common_stride;

    #[test]
    fn contiguous_dimensions_have_the_innermost_stride() {
        assert_eq!(common_stride(&[2, 3, 4], &[12, 4, 1]), Some(1));
        assert_eq!(common_stride(&[2, 3], &[12, 4]), Some(4));
    }

    #[test]
    fn dimensions_of_size_one_do_not_matter() {
        assert_eq!(common_stride(&[2, 1, 4], &[4, 77, 1]), Some(1));
        assert_eq!(common_stride(&[1, 1], &[5, 6]), Some(0));
        assert_eq!(common_stride(&[], &[]), Some(0));
    }

    #[test]
    fn expanded_dimensions_have_stride_zero() {
        assert_eq!(common_stride(&[2, 3], &[0, 0]), Some(0));
        assert_eq!(common_stride(&[2, 3], &[0, 1]), None);
    }

    #[test]
    fn transposed_dimensions_have_no_common_stride() {
        assert_eq!(common_stride(&[2, 3], &[1, 2]), None);
    }
}
