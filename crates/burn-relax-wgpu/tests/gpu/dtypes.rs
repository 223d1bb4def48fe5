//! Element types other than f32: what f32 gives for the same (rounded) input, rounded once, where the device has them; refused with a
//! reason where not.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    vec::IntoIter,
};

use burn_backend::{Backend, DType, TensorData, ops::FloatTensorOps};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use burn_relax_wgpu::{INDEX, softmax};

use crate::{
    device::{
        device,
        operators::{All, Form, Inputs, Operator, Results, Visit},
        read, tensor,
    },
    support::assert_close,
};

/// Statistics are summed in f32 whatever the input is, in another order at most.
const STATISTICS: f64 = 1e-6;

/// Whether the device has `dtype`; if it has not, that the operators say so.
fn has(dtype: DType) -> bool {
    // No graphics API has `exp` for f64.
    if dtype != DType::F64 && CubeBackend::supports_dtype(&device(), dtype) {
        return true;
    }
    // Shape and strides of a tensor whose elements nobody reads: the check must come before the launch.
    let mut x = tensor(&[0.0; 8], &[8]);
    x.dtype = dtype;
    let refused = catch_unwind(AssertUnwindSafe(|| softmax(x, 0, 1.0))).unwrap_err();
    let message = refused.downcast_ref::<String>().unwrap();
    assert!(
        message.contains("softmax: the device must support the element type"),
        "{message}"
    );
    eprintln!("NOT TESTED: this adapter has no {dtype:?}");
    false
}

/// Compares results in f32 with those in half precision, and hands on the latter, so that both backward passes see the same.
struct Wide {
    form: Form,
    half: DType,
    rounding: f64,
    short: IntoIter<(&'static str, CubeTensor)>,
}

impl Visit<CubeTensor> for Wide {
    fn visit<R: Results<CubeTensor>>(
        &mut self,
        operator: &Operator<CubeTensor>,
        run: impl FnOnce() -> R,
    ) -> R {
        let mut k = 0;
        run().each(|want| {
            let what = format!("{}, result {k}, {:?}", operator.name, self.form);
            let (name, got) = self.short.next().expect("a result in half precision");
            assert_eq!(name, operator.name);
            let (dim, shape) = (self.form.dim, &self.form.shape);
            let few = 2..=4;
            // Three classes are as many as statistics; a free energy has five, which may be samples elsewhere.
            let known = !few.contains(&shape[dim]) || got.dtype == DType::F32;
            let statistics = few.contains(&want.meta.shape()[dim]) && known
                || (operator.name, k) == ("free_energy", 1);
            let (dtypes, mut tolerance) = match want.dtype {
                INDEX => ((INDEX, INDEX), 0.0),
                _ if statistics => ((DType::F32, DType::F32), STATISTICS),
                _ => ((self.half, DType::F32), self.rounding),
            };
            if let ("soft_argmax_gather", 1) | ("hard_argmax_gather", 0 | 2) = (operator.name, k) {
                tolerance = 0.0;
            }
            k += 1;
            assert_eq!((got.dtype, want.dtype), dtypes, "{what}");
            let exact: Vec<f64> = read(&want).into_iter().map(f64::from).collect();
            assert_close(&what, &read(&got), &exact, tolerance);
            if got.dtype == self.half {
                widened(&got)
            } else {
                want
            }
        })
    }
}

/// The same numbers in f32.
fn widened(short: &CubeTensor) -> CubeTensor {
    match short.dtype {
        INDEX => short.clone(),
        _ => tensor(&read(short), short.meta.shape()),
    }
}

/// Fails unless every result in `half` is that in f32 but for `rounding`.
fn check(half: DType, rounding: f64) {
    if !has(half) {
        return;
    }
    for (shape, dim) in [([5, 40], 1), ([40, 33], 1), ([300, 3], 0), ([2, 1025], 1)] {
        let mut exact = Inputs::of(Form::new(&shape, dim));
        let mut logits = read(&exact.floats[0]);
        *logits.last_mut().expect("logits") = 60000.0;
        exact.floats[0] = tensor(&logits, &shape);
        let inputs = exact.map(|exact| {
            if exact.dtype == INDEX {
                return exact.clone();
            }
            let data = TensorData::new(read(exact), exact.meta.shape().clone());
            CubeBackend::float_from_data(data.convert_dtype(half), &device())
        });
        let mut short = All(Vec::new());
        inputs.visit(&mut short);
        let mut wide = Wide {
            form: exact.form,
            half,
            rounding,
            short: short.0.into_iter(),
        };
        inputs.map(widened).visit(&mut wide);
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

#[test]
fn f64_is_refused_by_graphics_adapters() {
    assert!(!has(DType::F64));
}

#[test]
#[should_panic(expected = "must be floats of 16, 32 or 64 bits")]
fn integers_are_refused() {
    let mut x = tensor(&[0.0; 4], &[4]);
    x.dtype = DType::I32;
    softmax(x, 0, 1.0);
}
