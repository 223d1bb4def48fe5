use burn_core::{
    backend::{Backend, Slice, tensor::FloatTensor},
    tensor::{Shape, Tensor},
};

/// The shape of an operator's logits, the axis chosen over, negative from the end, and how its tensors lie in memory.
#[derive(Clone, Debug)]
pub struct Place {
    /// Shape of the logits.
    pub shape: Vec<usize>,
    /// Axis of the classes.
    pub dim: isize,
    /// Of every tensor that has the logits' axes.
    pub layout: Layout,
}

impl Place {
    /// Contiguous.
    pub fn new(shape: &[usize], dim: usize) -> Self {
        Self {
            shape: shape.to_vec(),
            dim: dim as isize,
            layout: Layout::Contiguous,
        }
    }

    /// The axis of the classes, from the front.
    pub fn axis(&self) -> usize {
        self.dim.rem_euclid(self.shape.len() as isize) as usize
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.shape[self.axis()]
    }

    /// The logits' shape with size 1 along the classes.
    pub fn row(&self) -> Vec<usize> {
        let mut row = self.shape.clone();
        row[self.axis()] = 1;
        row
    }
}

/// How a tensor of a shape lies in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layout {
    /// Row after row.
    Contiguous,
    /// The axes of the storage are reversed.
    Transposed,
    /// A part of a larger tensor: offset, and gaps between rows.
    Sliced,
    /// One stored row stands for all along this axis, with stride 0.
    Expanded(usize),
}

impl Layout {
    /// Shape of the stored tensor behind one of `shape`.
    pub fn stored(self, shape: &[usize]) -> Vec<usize> {
        let mut stored = shape.to_vec();
        match self {
            Self::Contiguous => {}
            Self::Transposed => stored.reverse(),
            Self::Sliced => stored.iter_mut().for_each(|n| *n += 2),
            Self::Expanded(axis) => stored[axis] = 1,
        }
        stored
    }

    /// The tensor of `shape` that looks at the stored one.
    pub fn view<const D: usize>(self, stored: Tensor<D>, shape: &[usize]) -> Tensor<D> {
        let shape: [usize; D] = shape.try_into().expect("the rank is the shape's");
        match self {
            Self::Contiguous => stored,
            // By exchanges: burn-fusion 0.22.1 describes a permutation of floats as one of integers, which remote devices take
            // at its word.
            Self::Transposed => (0..D / 2).fold(stored, |stored, d| stored.swap_dims(d, D - 1 - d)),
            Self::Sliced => stored.slice(shape.map(|n| 1..n + 1)),
            Self::Expanded(_) => stored.expand(shape),
        }
    }

    /// The same of a backend's primitive.
    pub fn view_primitive<B: Backend>(
        self,
        stored: FloatTensor<B>,
        shape: &[usize],
    ) -> FloatTensor<B> {
        match self {
            Self::Contiguous => stored,
            Self::Transposed => {
                let axes: Vec<usize> = (0..shape.len()).rev().collect();
                B::float_permute(stored, &axes)
            }
            Self::Sliced => {
                let slices: Vec<Slice> = shape.iter().map(|&n| (1..n + 1).into()).collect();
                B::float_slice(stored, &slices)
            }
            Self::Expanded(_) => B::float_expand(stored, Shape::from(shape.to_vec())),
        }
    }
}
