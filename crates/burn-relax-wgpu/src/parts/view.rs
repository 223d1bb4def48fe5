//! Tensors as `[outer, classes, inner, features]` with strides: on the host, and as kernel arguments.

use burn_cubecl::{
    cubecl::{self, prelude::*},
    kernel::into_contiguous,
    tensor::CubeTensor,
};

use super::row::Place;

/// Classes that one load may take at most: 16 bytes of `f32` is the widest load of any device.
pub(crate) const WIDEST_VECTOR: usize = 4;

/// Strides of a tensor seen as `[outer, classes, inner, features]`; 0 for a group that the tensor does not have.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Steps {
    outer: usize,
    class: usize,
    inner: usize,
    feature: usize,
}

/// A tensor that a kernel reads row by row, in vectors of neighbouring classes.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Grid<'a, E: Numeric, N: Size> {
    data: &'a Tensor<Vector<E, N>>,
    steps: Steps,
}

/// One row of such a tensor.
#[derive(CubeType)]
pub(crate) struct Row<'a, E: Numeric, N: Size> {
    pub(crate) data: &'a Tensor<Vector<E, N>>,
    /// Offset of the first class.
    pub(crate) start: usize,
    /// Distance of two groups.
    pub(crate) step: usize,
    /// Distance of two values of a class.
    pub(crate) feature: usize,
}

#[cube]
impl<'a, E: Numeric, N: Size> Grid<'a, E, N> {
    /// The row at `place`.
    pub(crate) fn row(&self, place: &Place) -> Row<'a, E, N> {
        Row::<'a, E, N> {
            data: self.data,
            start: place.outer * self.steps.outer + place.inner * self.steps.inner,
            step: self.steps.class,
            feature: self.steps.feature,
        }
    }
}

#[cube]
impl<'a, E: Numeric, N: Size> Row<'a, E, N> {
    /// Group `g` as it is stored.
    pub(crate) fn stored(&self, g: usize) -> Vector<E, N> {
        self.data[self.start + g * self.step]
    }

    /// Group `g`, as numbers to compute with.
    pub(crate) fn group<A: Numeric>(&self, g: usize) -> Vector<A, N> {
        Vector::<A, N>::cast_from(self.stored(g))
    }

    /// Group `g` of value number `feature`.
    pub(crate) fn group_of<A: Numeric>(&self, g: usize, feature: usize) -> Vector<A, N> {
        let at = self.start + g * self.step + feature * self.feature;
        Vector::<A, N>::cast_from(self.data[at])
    }

    /// The first number.
    pub(crate) fn first<A: Numeric>(&self) -> A {
        A::cast_from(self.data[self.start].extract(0usize))
    }

    /// Value number `feature` of one class.
    pub(crate) fn value<A: Numeric>(&self, class: usize, feature: usize) -> A {
        let size = N::value().comptime();
        let start = self.start + feature * self.feature;
        if comptime!(size == 1) {
            A::cast_from(self.data[start + class * self.step].extract(0usize))
        } else {
            let group = self.data[start + class / size * self.step];
            A::cast_from(group.extract_dynamic(class % size))
        }
    }
}

/// The row at `place` of a contiguous result of the rows' shape.
#[cube]
pub(crate) fn result_row<'a, E: Numeric, N: Size>(
    data: &'a Tensor<Vector<E, N>>,
    place: &Place,
) -> Row<'a, E, N> {
    Row::<'a, E, N> {
        data,
        start: place.to,
        step: place.rows.inner,
        feature: 0usize.runtime(),
    }
}

/// A tensor that every group of dimensions walks through with one stride, and these strides.
#[derive(Clone)]
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
        if tensor.meta.shape().contains(&0) {
            return View::shared(tensor);
        }
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

    /// A tensor of which all rows read the first number.
    pub(crate) fn shared(tensor: CubeTensor) -> Self {
        View {
            tensor,
            steps: [0; 4],
        }
    }

    /// Whether neighbouring classes are neighbours in memory.
    pub(crate) fn classes_contiguous(&self) -> bool {
        self.steps[1] == 1
    }

    /// Whether the rows can be read in such vectors.
    pub(crate) fn has_vectors(&self, vector: usize) -> bool {
        let [outer, class, inner, _] = self.steps;
        class == 1 && outer.is_multiple_of(vector) && inner.is_multiple_of(vector)
    }

    /// The tensor as a kernel argument, in such vectors.
    pub(crate) fn grid<E: Numeric, N: Size>(&self, vector: usize) -> GridLaunch<'static, E, N> {
        let [outer, class, inner, feature] = self.steps;
        let steps = StepsLaunch::new(outer / vector, class, inner / vector, feature);
        GridLaunch::new(self.tensor.clone().into_tensor_arg(), steps)
    }

    /// The tensor as a kernel argument, number by number.
    pub(crate) fn singles<E: Numeric, N: Size>(&self) -> GridLaunch<'static, E, N> {
        self.grid(1)
    }
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
