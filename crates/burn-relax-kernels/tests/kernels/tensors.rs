//! The operators over tensors give what those over slices give for the rows brought together, in every layout.

use crate::case::Case;
use crate::support::{SEED, buffer, filled, narrow, out};
use burn_relax_kernels::tensor::{self, Dtype, RowTensor};
use burn_relax_kernels::{self as kernels, Seed};
use bytemuck::{Pod, allocation::cast_vec};
use std::sync::Arc;

/// A strided view of numbers.
#[derive(Clone, Debug)]
struct View {
    numbers: Numbers,
    dims: Vec<usize>,
    strides: Vec<usize>,
}

#[derive(Clone, Debug)]
enum Numbers {
    F32(Arc<Vec<f32>>),
    I64(Arc<Vec<i64>>),
}

fn row_major(dims: &[usize]) -> Vec<usize> {
    (0..dims.len())
        .map(|axis| dims[axis + 1..].iter().product())
        .collect()
}

impl View {
    fn new(numbers: Numbers, dims: &[usize]) -> Self {
        let (dims, strides) = (dims.to_vec(), row_major(dims));
        View {
            numbers,
            dims,
            strides,
        }
    }

    fn floats(numbers: &[f32], dims: &[usize]) -> Self {
        View::new(Numbers::F32(Arc::new(numbers.to_vec())), dims)
    }

    /// The elements in the order of the axes.
    fn read<E: Copy>(&self, elements: &[E]) -> Vec<E> {
        let count: usize = self.dims.iter().product();
        let order = row_major(&self.dims);
        let place = |i: usize| -> usize {
            let index = |axis: usize| i / order[axis] % self.dims[axis];
            (0..self.dims.len())
                .map(|axis| index(axis) * self.strides[axis])
                .sum()
        };
        (0..count).map(|i| elements[place(i)]).collect()
    }
}

impl RowTensor for View {
    fn dtype(&self) -> Dtype {
        match self.numbers {
            Numbers::F32(_) => Dtype::F32,
            Numbers::I64(_) => Dtype::I64,
        }
    }

    fn dims(&self) -> Vec<usize> {
        self.dims.clone()
    }

    fn permuted(mut self, axes: &[usize]) -> Self {
        self.dims = axes.iter().map(|&axis| self.dims[axis]).collect();
        self.strides = axes.iter().map(|&axis| self.strides[axis]).collect();
        self
    }

    fn is_contiguous(&self) -> bool {
        self.strides == row_major(&self.dims)
    }

    fn contiguous(self) -> Self {
        let numbers = match &self.numbers {
            Numbers::F32(x) => Numbers::F32(Arc::new(self.read(x))),
            Numbers::I64(x) => Numbers::I64(Arc::new(self.read(x))),
        };
        View::new(numbers, &self.dims)
    }

    fn elements<E: Pod>(&self) -> &[E] {
        assert!(self.is_contiguous());
        match &self.numbers {
            Numbers::F32(x) => bytemuck::cast_slice(x),
            Numbers::I64(x) => bytemuck::cast_slice(x),
        }
    }

    fn from_elements<E: Pod + Send + Sync>(
        elements: Vec<E>,
        dims: Vec<usize>,
        dtype: Dtype,
    ) -> Self {
        let numbers = match dtype {
            Dtype::F32 => Numbers::F32(Arc::new(cast_vec(elements))),
            Dtype::I64 => Numbers::I64(Arc::new(cast_vec(elements))),
            other => panic!("{other:?}"),
        };
        View::new(numbers, &dims)
    }
}

/// How rows lie in a tensor.
#[derive(Clone, Copy, Debug)]
enum Layout {
    /// Along the last axis.
    Last,
    /// Along the middle one of three axes, side by side in memory.
    Middle,
    /// Along the middle axis of a view whose memory has it last.
    Moved,
}

/// The sizes of the axes before and behind that of the rows.
const OUTER: [usize; 2] = [3, 41];

impl Layout {
    fn dim(self) -> usize {
        match self {
            Layout::Last => 2,
            Layout::Middle | Layout::Moved => 1,
        }
    }

    /// A tensor of rows of `width` blocks of `features`.
    fn tensor(self, rows: &[f32], width: usize, features: Option<usize>) -> View {
        let [a, b] = OUTER;
        let mut dims = vec![a, b, width];
        dims.extend(features);
        let view = View::floats(rows, &dims);
        let axes: Vec<usize> = (0..dims.len()).collect();
        let turned = [&[0, 2, 1], &axes[3..]].concat();
        match self {
            Layout::Last => view,
            Layout::Moved => view.permuted(&turned),
            Layout::Middle => view.permuted(&turned).contiguous(),
        }
    }

    /// The rows of a tensor.
    fn rows(self, tensor: View) -> View {
        let axes: Vec<usize> = (0..tensor.dims.len()).collect();
        let turned = [&[0, 2, 1], &axes[3..]].concat();
        match self {
            Layout::Last => tensor,
            Layout::Middle | Layout::Moved => tensor.permuted(&turned).contiguous(),
        }
    }

    fn floats(self, tensor: View) -> Vec<f32> {
        self.rows(tensor).elements().to_vec()
    }

    fn integers(self, tensor: View) -> Vec<i64> {
        self.rows(tensor).elements().to_vec()
    }
}

/// The outputs of a call over slices, of so many values each.
fn slices<const N: usize>(
    lens: [usize; N],
    call: impl FnOnce([&mut [core::mem::MaybeUninit<f32>]; N]),
) -> [Vec<f32>; N] {
    let mut outputs = lens.map(out::<f32>);
    call(outputs.each_mut().map(|output| &mut output[..]));
    outputs.map(filled)
}

const LAYOUTS: [Layout; 3] = [Layout::Last, Layout::Middle, Layout::Moved];

/// Lengths of rows: some of a tile, and more than one tile.
const LENGTHS: [usize; 3] = [1, 7, 300];

#[test]
fn maps_along_any_axis() {
    let rows: usize = OUTER.iter().product();
    for (layout, n) in LAYOUTS.into_iter().flat_map(|l| LENGTHS.map(|n| (l, n))) {
        let (dim, total) = (layout.dim(), rows * n);
        let case = Case::random(n as u64, rows, n, 0.7).rounded::<f32>();
        let [x, g] = [&case.logits, &case.grad].map(|v| narrow::<f32>(v));
        let want = slices([total, 2 * rows], |[p, s]| {
            kernels::softmax(&x, n, 0.7, p, s)
        });
        let (p, s) = tensor::softmax(layout.tensor(&x, n, None), dim, 0.7);
        assert_eq!([p, s].map(|t| layout.floats(t)), want, "{layout:?} {n}");
        let c = narrow::<f32>(&case.coordinates);
        let want = slices([rows, 2 * rows], |[y, s]| {
            kernels::soft_argmax(&x, &c, n, 0.7, y, s)
        });
        let (y, s) =
            tensor::soft_argmax(layout.tensor(&x, n, None), View::floats(&c, &[n]), dim, 0.7);
        assert_eq!([y, s].map(|t| layout.floats(t)), want, "{layout:?} {n}");
        let each = narrow::<f32>(&case.power);
        let v = narrow::<f32>(&case.unit);
        let one = View::floats(&each[..1], &[1, 1, 1]);
        for (power, given) in [
            (&each[..], layout.tensor(&each, 1, None)),
            (&each[..1], one),
        ] {
            let [values, grad] = [&v, &g].map(|v| layout.tensor(v, n, None));
            let want = slices([total, rows], |[gv, gp]| {
                kernels::gradual_argmax_backward(&v, power, &g, n, true, gv, gp);
            });
            let (gv, gp) = tensor::gradual_argmax_backward(values, given, grad, dim, true);
            assert_eq!([gv, gp].map(|t| layout.floats(t)), want, "{layout:?} {n}");
        }
    }
}

#[test]
fn gathers_along_any_axis() {
    let rows: usize = OUTER.iter().product();
    for (layout, n) in LAYOUTS.into_iter().flat_map(|l| LENGTHS.map(|n| (l, n))) {
        let dim = layout.dim();
        let case = Case::random(n as u64, rows, n, 0.7).rounded::<f32>();
        let x = narrow::<f32>(&case.logits);
        for gather in case.gathers.iter().filter(|gather| gather.features < 5) {
            let f = gather.features;
            let trailing = (f > 1).then_some(f);
            let [v, g] = [&gather.values, &gather.grad].map(|v| narrow::<f32>(v));
            let want = slices([rows * f, rows * f, 2 * rows], |[hard, soft, s]| {
                kernels::hard_argmax_gather(&x, &v, n, f, 0.7, hard, soft, s);
            });
            let logits = || layout.tensor(&x, n, None);
            let values = || layout.tensor(&v, n, trailing);
            let (hard, soft, s) = tensor::hard_argmax_gather(logits(), values(), dim, 0.7);
            let kept = (s.clone(), soft.clone());
            assert_eq!(
                [hard, soft, s].map(|t| layout.floats(t)),
                want,
                "{layout:?} {n} {f}"
            );
            let want = slices([rows * n, rows * n * f], |[gx, gv]| {
                let [_, soft, s] = &want;
                kernels::hard_argmax_gather_backward(&x, &v, s, soft, &g, n, f, 0.7, gx, gv);
            });
            let (stats, soft) = kept;
            let grad = layout.tensor(&g, 1, trailing);
            let (gx, gv) = tensor::hard_argmax_gather_backward(
                logits(),
                values(),
                stats,
                soft,
                grad,
                dim,
                0.7,
            );
            assert_eq!(
                [gx, gv].map(|t| layout.floats(t)),
                want,
                "{layout:?} {n} {f}"
            );
        }
    }
}

#[test]
fn noise_and_samples_along_any_axis() {
    let rows: usize = OUTER.iter().product();
    let (samples, seed) = (3, Seed { row: 5, ..SEED });
    for (layout, n) in LAYOUTS.into_iter().flat_map(|l| LENGTHS.map(|n| (l, n))) {
        let dim = layout.dim();
        let case = Case::random(n as u64, rows, n, 0.7).rounded::<f32>();
        let x = narrow::<f32>(&case.logits);
        let logits = || layout.tensor(&x, n, None);
        let want = slices([rows * n, 2 * rows], |[p, s]| {
            kernels::gumbel_softmax(&x, n, 0.7, seed, p, s)
        });
        let (p, s) = tensor::gumbel_softmax(logits(), dim, 0.7, seed);
        assert_eq!([p, s].map(|t| layout.floats(t)), want, "{layout:?} {n}");
        let mut drawn = buffer(rows * samples, -1i64);
        let want = slices([rows * samples, 2 * rows], |[l, s]| {
            kernels::sample_categorical(&x, n, samples, 0.7, seed, &mut drawn, l, s);
        });
        let drawn = filled(drawn);
        let (k, l, s) = tensor::sample_categorical(logits(), dim, samples, 0.7, seed);
        assert_eq!(layout.integers(k.clone()), drawn, "{layout:?} {n}");
        assert_eq!([l, s].map(|t| layout.floats(t)), want, "{layout:?} {n}");
        let want = slices([rows * samples, 2 * rows], |[l, s]| {
            kernels::categorical_log_prob(&x, &drawn, n, samples, l, s);
        });
        let (l, s) = tensor::categorical_log_prob(logits(), k, dim);
        assert_eq!([l, s].map(|t| layout.floats(t)), want, "{layout:?} {n}");
    }
}
