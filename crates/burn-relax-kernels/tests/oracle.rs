//! Every kernel against the oracle in `f64`, for every element type.
//!
//! Tolerances are `absolute + relative * |want|`; inputs are of order 1. In `f32` 5e-7 is four times the distance of floats
//! near 1: every result is a sum of up to 4096 products of two rounded factors. The 16-bit types add their own rounding of the
//! result, and gradients made from saved 16-bit outputs carry those outputs' rounding.

mod common;

use burn_relax_kernels::Element;
use common::*;
use half::{bf16, f16};

fn compare<F: Element>(absolute: f64, relative: f64) {
    for (k, &n) in SIZES.iter().enumerate() {
        for temperature in [1.0, 0.3] {
            let rows = if n > 1000 { 4 } else { 9 };
            let case = Case::random(k as u64 + 1, rows, n, temperature).rounded::<F>();
            for ((name, _, got), want) in every_kernel::<F>(&case).iter().zip(oracle(&case)) {
                let size = sensitivity(name, n, temperature);
                assert_close(
                    &format!("{name} n={n} temperature={temperature}"),
                    got,
                    &want,
                    absolute * size,
                    relative,
                );
            }
        }
    }
}

#[test]
fn f32_kernels_agree_with_the_oracle() {
    compare::<f32>(5e-7, 5e-7);
}

#[test]
fn f64_kernels_agree_with_the_oracle() {
    compare::<f64>(2e-15, 2e-15);
}

#[test]
fn f16_kernels_agree_with_the_oracle() {
    compare::<f16>(2e-3, 2e-3);
}

#[test]
fn bf16_kernels_agree_with_the_oracle() {
    compare::<bf16>(1.6e-2, 1.6e-2);
}

/// Kernels that compute from their inputs alone, not from saved 16-bit outputs.
fn forward(name: &str) -> bool {
    !name.contains("backward") && !name.ends_with("logits") && !name.starts_with("power_softmax ")
}

fn rounds_once<F: Element>() {
    for n in [1, 17, 257] {
        let case = Case::random(n as u64, 5, n, 0.7).rounded::<F>();
        for (narrow, wide) in every_kernel::<F>(&case)
            .iter()
            .zip(every_kernel::<f32>(&case))
        {
            if forward(&narrow.0) {
                let rounded = common::wide(&common::narrow::<F>(&wide.2));
                assert!(same(&narrow.2, &rounded), "{} n={n}", narrow.0);
            }
        }
    }
}

#[test]
fn sixteen_bit_results_are_the_f32_results_rounded_once() {
    rounds_once::<f16>();
    rounds_once::<bf16>();
}

#[test]
fn no_rows_give_no_output() {
    for n in [1, 5] {
        let case = Case::random(1, 0, n, 1.0);
        for (name, _, got) in every_kernel::<f32>(&case)
            .iter()
            .chain(&every_noise_kernel::<f32>(&case))
        {
            assert!(got.is_empty(), "{name}");
        }
    }
}
