//! Every operator in half precision: what f32 gives for the same (rounded) input, rounded once.

#![cfg(feature = "wgpu")]

mod common;

use burn_backend::{
    Backend, DType, Shape, TensorData,
    ops::{FloatTensorOps, IntTensorOps},
};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use burn_relax_wgpu::*;
use common::{Numbers, assert_close, device, read, tensor};

/// Arguments of the operators, all of one dtype, `[rows, n]` with rows along dim 1.
struct Inputs {
    logits: CubeTensor,
    values: CubeTensor,
    /// Inside (0, 1).
    unit: CubeTensor,
    grad: CubeTensor,
    /// A saved output: weights, their logarithms, and a read-out.
    probs: CubeTensor,
    log_probs: CubeTensor,
    read_out: CubeTensor,
    /// One number per row.
    row: CubeTensor,
    coordinates: CubeTensor,
    /// One number for all rows, between 1 and 2.
    coefficient: CubeTensor,
    /// Statistics of the weights, f32.
    stats: CubeTensor,
    /// One class per row.
    named: CubeTensor,
}

impl Inputs {
    /// Numbers that both dtypes hold, in `dtype`.
    fn new(rows: usize, n: usize, half: DType, dtype: DType) -> Self {
        let mut numbers = Numbers(n as u64);
        let shape = [rows, n];
        // Rounded to the half type in any case.
        let mut new = |shape: &[usize], low: f32, high: f32| {
            let count = shape.iter().product();
            let data = numbers.take(count, 1.0);
            let data = data.iter().map(|x| low + (x + 1.0) / 2.0 * (high - low));
            load(&data.collect::<Vec<_>>(), shape, half)
        };
        let mut logits = read(&new(&shape, -3.0, 3.0));
        logits[3] = f32::NEG_INFINITY;
        let logits = tensor(&logits, &shape);
        let (probs, stats) = entmax(logits.clone(), 1, 1.5);
        let (log_probs, _) = log_softmax(logits.clone(), 1);
        let (read_out, _) = soft_argmax(logits.clone(), new(&[n], 0.0, 2.0).widened(), 1, 0.7);
        let named: Vec<i32> = (0..rows).map(|r| (r % n) as i32).collect();
        let named = TensorData::new(named, Shape::from([rows, 1]));
        let to = |tensor: CubeTensor| {
            let rounded = load(&read(&tensor), tensor.meta.shape(), half);
            load(&read(&rounded), tensor.meta.shape(), dtype)
        };
        Inputs {
            logits: to(logits),
            values: to(new(&shape, -2.0, 2.0)),
            unit: to(new(&shape, 0.05, 0.95)),
            grad: to(new(&shape, -1.0, 1.0)),
            probs: to(probs),
            log_probs: to(log_probs),
            read_out: to(read_out),
            row: to(new(&[rows, 1], -1.0, 1.0)),
            coordinates: to(new(&[n], 0.0, 2.0)),
            coefficient: to(new(&[1, 1], 1.1, 1.9)),
            stats,
            named: CubeBackend::int_from_data(named, &device()),
        }
    }
}

/// A tensor of `dtype`.
fn load(data: &[f32], shape: &[usize], dtype: DType) -> CubeTensor {
    let data = TensorData::new(data.to_vec(), Shape::from(shape)).convert_dtype(dtype);
    CubeBackend::float_from_data(data, &device())
}

trait Widened {
    fn widened(&self) -> CubeTensor;
}

impl Widened for CubeTensor {
    /// The same numbers in f32.
    fn widened(&self) -> CubeTensor {
        tensor(&read(self), self.meta.shape())
    }
}

/// An operator's float results of the inputs' dtype, of gradients too.
type Run = fn(&Inputs) -> Vec<CubeTensor>;

const NOISE: Noise = Noise::Drawn {
    key: 1,
    step: 2,
    row: 0,
};

/// All operators, forward and backward; backward passes get their saved outputs from the inputs.
const OPERATORS: [(&str, Run); 17] = [
    ("softmax", |i| {
        let (p, s) = softmax(i.logits.clone(), 1, 0.7);
        vec![
            p,
            softmax_backward(i.probs.clone(), s, i.grad.clone(), 1, 0.7),
        ]
    }),
    ("log_softmax", |i| {
        let (l, s) = log_softmax(i.logits.clone(), 1);
        vec![
            l,
            log_softmax_backward(i.log_probs.clone(), s, i.grad.clone(), 1),
        ]
    }),
    ("soft_argmax", |i| {
        let c = || i.coordinates.clone();
        let (y, s) = soft_argmax(i.logits.clone(), c(), 1, 0.7);
        let (saved, g) = (i.read_out.clone(), i.row.clone());
        vec![
            y,
            soft_argmax_backward(i.logits.clone(), c(), s, saved, g, 1, 0.7),
        ]
    }),
    ("soft_argmax_gather", |i| {
        let (x, v) = (|| i.logits.clone(), || i.values.clone());
        let (y, s) = soft_argmax_gather(x(), v(), 1, 0.7);
        let (saved, g) = (i.read_out.clone(), i.row.clone());
        let (dx, dv) = soft_argmax_gather_backward(x(), v(), s, saved, g, 1, 0.7);
        vec![y, dx, dv]
    }),
    ("hard_argmax_gather", |i| {
        let (hard, soft, _) = hard_argmax_gather(i.logits.clone(), i.values.clone(), 1, 0.7);
        vec![hard, soft]
    }),
    ("gradual_argmax", |i| {
        let (v, p) = (|| i.unit.clone(), || i.coefficient.clone());
        let (dv, dp) = gradual_argmax_backward(v(), p(), i.grad.clone(), 1);
        vec![gradual_argmax(v(), p(), 1), dv, dp]
    }),
    ("power_softmax", |i| {
        let (v, p) = (|| i.unit.clone(), || i.coefficient.clone());
        let (y, s) = power_softmax(v(), p(), 1);
        let (dv, dp) = power_softmax_backward(v(), p(), s, i.grad.clone(), 1);
        vec![y, dv, dp]
    }),
    ("free_energy", |i| {
        let (x, f) = (|| i.logits.clone(), || i.values.clone());
        let (y, s) = free_energy(x(), f(), 1, 0.7);
        let (dx, df) = free_energy_backward(x(), f(), s, i.row.clone(), 1, 0.7);
        vec![y, dx, df]
    }),
    ("straight_through_argmax", |i| {
        let x = || i.logits.clone();
        let (y, s) = straight_through_argmax(x(), 1, 0.7);
        vec![
            y,
            straight_through_argmax_backward(x(), s, i.grad.clone(), 1, 0.7),
        ]
    }),
    ("gumbel_softmax", |i| {
        let x = || i.logits.clone();
        let given = Noise::Given(i.values.clone());
        vec![
            gumbel_softmax(x(), NOISE, 1, 0.7).0,
            gumbel_softmax(x(), given, 1, 0.7).0,
        ]
    }),
    ("gumbel_argmax", |i| {
        let x = || i.logits.clone();
        let (y, s) = gumbel_argmax(x(), NOISE, 1, 0.7);
        vec![
            y,
            gumbel_argmax_backward(x(), NOISE, s, i.grad.clone(), 1, 0.7),
        ]
    }),
    ("sample_categorical", |i| {
        let x = || i.logits.clone();
        let (_, log_prob, s) = sample_categorical(x(), 1, 1, 0.7, [3, 4, 0], DType::I32);
        let (named, g) = (i.named.clone(), i.row.clone());
        vec![
            log_prob,
            categorical_log_prob_backward(x(), named, s, g, 1, 0.7),
        ]
    }),
    ("categorical_log_prob", |i| {
        vec![categorical_log_prob(i.logits.clone(), i.named.clone(), 1).0]
    }),
    ("argmax_gather", |i| {
        let x = || i.logits.clone();
        let gradient = argmax_gather_backward(x(), i.row.clone(), 1);
        vec![argmax_gather(x(), i.values.clone(), 1), gradient]
    }),
    ("entmax", |i| {
        let gradient = |alpha| {
            let (p, s, g) = (i.probs.clone(), i.stats.clone(), i.grad.clone());
            entmax_backward(p, s, g, 1, alpha)
        };
        let mut results = Vec::new();
        for alpha in [1.0, 1.2, 1.5, 2.0] {
            results.push(entmax(i.logits.clone(), 1, alpha).0);
            results.push(gradient(alpha));
        }
        results
    }),
    ("entmax_rows", |i| {
        let alpha = || i.coefficient.clone();
        let (p, s, g) = (i.probs.clone(), i.stats.clone(), i.grad.clone());
        let (dx, da) = entmax_rows_backward(p, alpha(), s, g, 1);
        vec![entmax_rows(i.logits.clone(), alpha(), 1).0, dx, da]
    }),
    ("budget", |i| {
        let (p, s) = budget(i.logits.clone(), i.coefficient.clone(), 1);
        let (dx, dk) = budget_backward(i.probs.clone(), s, i.grad.clone(), 1);
        vec![p, dx, dk]
    }),
];

/// Fails unless every result in `half` is that in f32 but for `rounding`.
fn check(half: DType, rounding: f64) {
    if !CubeBackend::supports_dtype(&device(), half) {
        eprintln!("NOT TESTED: this adapter has no {half:?}");
        return;
    }
    for (rows, n) in [(5, 40), (40, 33), (2, 1025)] {
        let (short, wide) = (
            Inputs::new(rows, n, half, half),
            Inputs::new(rows, n, half, DType::F32),
        );
        for (name, run) in OPERATORS {
            for (k, (got, want)) in run(&short).iter().zip(run(&wide)).enumerate() {
                let what = format!("{name}, {rows} rows of {n}, result {k}");
                assert_eq!((got.dtype, want.dtype), (half, DType::F32), "{what}");
                let want: Vec<f64> = read(&want).into_iter().map(f64::from).collect();
                assert_close(&what, &read(got), &want, rounding);
            }
        }
    }
}

#[test]
fn every_operator_in_f16_is_that_in_f32_rounded_once() {
    // Half a unit in the last place.
    check(DType::F16, 1.0 / 2048.0);
}

#[test]
fn every_operator_in_bf16_is_that_in_f32_rounded_once() {
    check(DType::BF16, 1.0 / 256.0);
}
