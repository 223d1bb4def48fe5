//! Element types other than f32: right where the device has them, refused with a reason where not.

#![cfg(feature = "wgpu")]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn_backend::{Backend, DType, Shape, TensorData, ops::FloatTensorOps};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use burn_relax_wgpu::{
    hard_argmax_gather, log_softmax, soft_argmax_gather, soft_argmax_gather_backward, softmax,
    softmax_backward,
};
use common::{Numbers, assert_close, device, read, tensor};

/// A tensor of another dtype with the values of `data`, on the device.
fn tensor_of(data: &[f32], shape: &[usize], dtype: DType) -> CubeTensor {
    let data = TensorData::new(data.to_vec(), Shape::from(shape)).convert_dtype(dtype);
    CubeBackend::float_from_data(data, &device())
}

/// What `read` gives, in f64.
fn exact(tensor: &CubeTensor) -> Vec<f64> {
    read(tensor).into_iter().map(f64::from).collect()
}

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
    println!("{dtype:?} is not available on this device");
    false
}

/// The half type's results are those of f32 on the same (rounded) input, rounded once.
fn check_half(dtype: DType, tolerance: f64) {
    if !has(dtype) {
        return;
    }
    for (shape, dim) in [([5, 40], 1), ([300, 3], 0), ([2, 1025], 1)] {
        let count = shape[0] * shape[1];
        let mut numbers = Numbers(count as u64);
        let mut data = [numbers.take(count, 6.0), numbers.take(count, 2.0)];
        data[0][3] = f32::NEG_INFINITY;
        data[0][count - 1] = 60000.0;
        let [x, v] = data.map(|d| tensor_of(&d, &shape, dtype));
        let [wide_x, wide_v] = [&x, &v].map(|t| tensor(&read(t), &shape));

        let (soft, stats) = soft_argmax_gather(x.clone(), v.clone(), dim, 0.7);
        let (wide_soft, wide_stats) = soft_argmax_gather(wide_x.clone(), wide_v.clone(), dim, 0.7);
        assert_eq!((soft.dtype, stats.dtype), (dtype, DType::F32));
        assert_close("soft", &read(&soft), &exact(&wide_soft), tolerance);
        assert_close("stats", &read(&stats), &exact(&wide_stats), 0.0);
        let (hard, _, _) = hard_argmax_gather(x.clone(), v.clone(), dim, 0.7);
        let (wide_hard, _, _) = hard_argmax_gather(wide_x.clone(), wide_v.clone(), dim, 0.7);
        assert_close("hard", &read(&hard), &exact(&wide_hard), 0.0);

        let wide_soft = tensor(&read(&soft), soft.meta.shape());
        let (gx, gv) =
            soft_argmax_gather_backward(x.clone(), v, stats, soft.clone(), soft, dim, 0.7);
        let (wide_gx, wide_gv) = soft_argmax_gather_backward(
            wide_x.clone(),
            wide_v,
            wide_stats,
            wide_soft.clone(),
            wide_soft,
            dim,
            0.7,
        );
        assert_close("grad_logits", &read(&gx), &exact(&wide_gx), tolerance);
        assert_close("grad_values", &read(&gv), &exact(&wide_gv), tolerance);

        let (probs, stats) = softmax(x.clone(), dim, 0.7);
        let (wide_probs, _) = softmax(wide_x.clone(), dim, 0.7);
        assert_close("probs", &read(&probs), &exact(&wide_probs), tolerance);
        let grad = softmax_backward(probs.clone(), stats, probs, dim, 0.7);
        assert_eq!(grad.dtype, dtype);
        let (log_probs, _) = log_softmax(x, dim);
        let (wide_log_probs, _) = log_softmax(wide_x, dim);
        assert_close(
            "log_probs",
            &read(&log_probs),
            &exact(&wide_log_probs),
            tolerance,
        );
    }
}

#[test]
fn f16_is_computed_in_f32_and_rounded_once() {
    // Half a unit in the last place.
    check_half(DType::F16, 1.0 / 2048.0);
}

#[test]
fn bf16_is_computed_in_f32_and_rounded_once() {
    check_half(DType::BF16, 1.0 / 256.0);
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
