//! What operators allocate: results and row statistics, nothing else of the inputs' size.

#![cfg(feature = "wgpu")]

mod common;

use burn_backend::Backend;
use burn_cubecl::{CubeBackend, cubecl::MemoryConfiguration, tensor::CubeTensor};
use burn_relax_wgpu::*;
use burn_wgpu::RuntimeOptions;
use common::{Numbers, device, device_with, read, tensor};

/// `[rows, classes]`: 4 MiB of f32.
const SHAPE: [usize; 2] = [1024, 1024];
const BYTES: u64 = 4 << 20;

/// Beside the results: row statistics (8 KiB), a few numbers between two launches, and what the allocator adds to each.
const SLACK: u64 = 1 << 18;

/// Bytes that the device has reserved. Pages hold one allocation each and are not given back, so that this is the peak.
fn reserved() -> u64 {
    CubeBackend::memory_pool_usage(&device())
        .expect("wgpu has memory pools")
        .bytes_reserved
}

/// Fails unless `run` makes the device reserve `tensors` tensors of [`BYTES`], and hardly more.
#[track_caller]
fn reserves(tensors: u64, what: &str, run: impl FnOnce() -> Vec<CubeTensor>) {
    CubeBackend::memory_cleanup(&device());
    let before = reserved();
    let results = run();
    // The device has done its work when a result arrives.
    read(&results[results.len() - 1]);
    let more = reserved() - before;
    assert!(
        (tensors * BYTES..tensors * BYTES + SLACK).contains(&more),
        "{what}: {more} bytes for {tensors} tensors of {BYTES}"
    );
}

#[test]
fn a_forward_and_a_backward_pass_reserve_their_results_alone() {
    device_with(RuntimeOptions {
        memory_config: MemoryConfiguration::ExclusivePages,
        ..RuntimeOptions::default()
    });
    let mut numbers = Numbers(1);
    let mut new = |shape: &[usize]| {
        let count = shape.iter().product();
        tensor(&numbers.take(count, 1.0), shape)
    };
    let (x, v, g) = (new(&SHAPE), new(&SHAPE), new(&SHAPE));
    let (row, coordinates) = (new(&[SHAPE[0], 1]), new(&[SHAPE[1]]));
    let unit = tensor(&vec![0.5; SHAPE[0] * SHAPE[1]], &SHAPE);
    let power = tensor(&[2.0], &[1, 1]);
    read(&x);
    let noise = || Noise::Drawn {
        key: 1,
        step: 2,
        row: 0,
    };
    let x = || x.clone();
    let (v, g, row, c) = (
        || v.clone(),
        || g.clone(),
        || row.clone(),
        || coordinates.clone(),
    );
    let (unit, power) = (|| unit.clone(), || power.clone());

    reserves(2, "softmax", || {
        let (p, s) = softmax(x(), 1, 0.5);
        let d = softmax_backward(p.clone(), s.clone(), g(), 1, 0.5);
        vec![p, s, d]
    });
    reserves(2, "log_softmax", || {
        let (p, s) = log_softmax(x(), 1);
        let d = log_softmax_backward(p.clone(), s.clone(), g(), 1);
        vec![p, s, d]
    });
    reserves(1, "soft_argmax", || {
        let (y, s) = soft_argmax(x(), c(), 1, 0.5);
        let d = soft_argmax_backward(x(), c(), s.clone(), y.clone(), row(), 1, 0.5);
        vec![y, s, d]
    });
    reserves(2, "soft_argmax_gather", || {
        let (y, s) = soft_argmax_gather(x(), v(), 1, 0.5);
        let (dx, dv) = soft_argmax_gather_backward(x(), v(), s.clone(), y.clone(), row(), 1, 0.5);
        vec![y, s, dx, dv]
    });
    reserves(2, "hard_argmax_gather", || {
        let (h, y, s) = hard_argmax_gather(x(), v(), 1, 0.5);
        let (dx, dv) = soft_argmax_gather_backward(x(), v(), s.clone(), y.clone(), row(), 1, 0.5);
        vec![h, y, s, dx, dv]
    });
    reserves(2, "gradual_argmax", || {
        let y = gradual_argmax(unit(), power(), 1);
        let (dv, dp) = gradual_argmax_backward(unit(), power(), g(), 1);
        vec![y, dp, dv]
    });
    reserves(2, "power_softmax", || {
        let (y, s) = power_softmax(unit(), power(), 1);
        let (dv, dp) = power_softmax_backward(unit(), power(), s.clone(), g(), 1);
        vec![y, s, dp, dv]
    });
    reserves(2, "free_energy", || {
        let (y, s) = free_energy(x(), v(), 1, 0.5);
        let (dx, df) = free_energy_backward(x(), v(), s.clone(), row(), 1, 0.5);
        vec![y, s, dx, df]
    });
    reserves(2, "entmax", || {
        let (p, s) = entmax(x(), 1, 1.5);
        let d = entmax_backward(p.clone(), s.clone(), g(), 1, 1.5);
        vec![p, s, d]
    });
    reserves(2, "entmax_rows", || {
        let (p, s) = entmax_rows(x(), power(), 1);
        let (dx, da) = entmax_rows_backward(p.clone(), power(), s.clone(), g(), 1);
        vec![p, s, da, dx]
    });
    reserves(2, "budget", || {
        let (p, s) = budget(x(), power(), 1);
        let (dx, dk) = budget_backward(p.clone(), s.clone(), g(), 1);
        vec![p, s, dk, dx]
    });
    reserves(2, "straight_through_argmax", || {
        let (h, s) = straight_through_argmax(x(), 1, 0.5);
        let d = straight_through_argmax_backward(x(), s.clone(), g(), 1, 0.5);
        vec![h, s, d]
    });
    reserves(2, "gumbel_softmax", || {
        let (p, s) = gumbel_softmax(x(), noise(), 1, 0.5);
        let d = softmax_backward(p.clone(), s.clone(), g(), 1, 0.5);
        vec![p, s, d]
    });
    reserves(2, "gumbel_argmax", || {
        let (h, s) = gumbel_argmax(x(), noise(), 1, 0.5);
        let d = gumbel_argmax_backward(x(), noise(), s.clone(), g(), 1, 0.5);
        vec![h, s, d]
    });
    reserves(1, "sample_categorical", || {
        let dtype = burn_backend::DType::I32;
        let (i, l, s) = sample_categorical(x(), 1, 1, 1.0, [3, 4, 0], dtype);
        let d = categorical_log_prob_backward(x(), i.clone(), s.clone(), row(), 1, 1.0);
        vec![i, l, s, d]
    });
    reserves(1, "argmax_gather", || {
        let y = argmax_gather(x(), v(), 1);
        let d = argmax_gather_backward(x(), row(), 1);
        vec![y, d]
    });
}
