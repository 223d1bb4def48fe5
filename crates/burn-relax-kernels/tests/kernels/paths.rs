//! The same bits on every SIMD path and for every number of threads.

use crate::case::{Case, SIZES};
use crate::operators::{Answer, answers};
use crate::support::{on_path, on_threads, out, same, stats};
use burn_relax_kernels::{Element, PARALLEL_THRESHOLD, Path};
use half::{bf16, f16};

fn assert_same(label: &str, a: &[Answer], b: &[Answer]) {
    for (a, b) in a.iter().zip(b) {
        assert!(same(&a.values, &b.values), "{label}: {}", a.name());
    }
}

fn paths_agree<F: Element>() {
    for (k, &n) in SIZES.iter().enumerate() {
        let mut case =
            Case::random(100 + k as u64, if n > 1000 { 4 } else { 8 }, n, 0.8).rounded::<F>();
        // A row with NaN, one with infinity, one that forbids everything.
        case.logits[n / 2] = f64::NAN;
        case.unit[n / 2] = f64::NAN;
        case.logits[n + n / 3] = f64::INFINITY;
        case.logits[2 * n..3 * n].fill(f64::NEG_INFINITY);
        let reference = on_path(Path::Portable, || answers::<F>(&case));
        for &path in Path::available() {
            let got = on_path(path, || answers::<F>(&case));
            assert_same(&format!("{path:?} n={n}"), &got, &reference);
        }
    }
}

#[test]
fn all_paths_give_the_same_bits_in_f32() {
    paths_agree::<f32>();
}

#[test]
fn all_paths_give_the_same_bits_in_f64() {
    paths_agree::<f64>();
}

#[test]
fn all_paths_give_the_same_bits_in_f16() {
    paths_agree::<f16>();
}

#[test]
fn all_paths_give_the_same_bits_in_bf16() {
    paths_agree::<bf16>();
}

#[test]
fn one_two_and_seven_threads_give_the_same_bits() {
    for n in [3, 130, 1025] {
        let rows = 2 * PARALLEL_THRESHOLD / n + 1;
        let mut case = Case::random(n as u64, rows, n, 0.8).rounded::<f32>();
        case.gathers.retain(|gather| n == 3 || gather.features < 8);
        let one = on_threads(1, || answers::<f32>(&case));
        for threads in [2, 7] {
            assert_same(
                &format!("{threads} threads, n={n}"),
                &on_threads(threads, || answers::<f32>(&case)),
                &one,
            );
        }
    }
}

#[test]
#[should_panic(expected = "softmax: probs must have 6 values, got 5")]
fn a_wrong_length_panics_with_kernel_argument_and_lengths() {
    let (mut probs, mut stats) = (out::<f32>(5), stats::<f32>(4));
    burn_relax_kernels::softmax(&[0.0f32; 6], 3, 1.0, &mut probs, &mut stats);
}
