//! The bits of every operator over fixed inputs, as recorded in `bits.txt`: one line for each operator and element type, the
//! same on every path. Kernels may be moved and made faster, but what they compute stays what it is; a new operator adds its
//! lines, which the failing test prints.

use crate::case::Case;
use crate::operators::answers;
use crate::support::on_path;
use burn_relax_kernels::{Element, Path};
use half::{bf16, f16};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Numbers in 0..1 that no other version of a library can change (SplitMix64).
fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Short and long rows, with one that holds NaN, one with one `+inf`, one with two, and one of `-inf`; then no row at all, and
/// as many as go to several threads.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (k, n) in [1, 3, 10, 100, 1709].into_iter().enumerate() {
        let features = [1, 2, 3, 4, 8, 33, 70];
        let mut case = Case::drawn(numbers(k as u64), (12, n), 0.7, &features, 3);
        case.logits[4 * n + n / 2] = f64::NAN;
        case.unit[4 * n + n / 2] = f64::NAN;
        case.logits[6 * n + n / 3] = f64::INFINITY;
        case.logits[8 * n] = f64::INFINITY;
        case.logits[9 * n - 1] = f64::INFINITY;
        case.logits[10 * n..11 * n].fill(f64::NEG_INFINITY);
        case.unit[10 * n..11 * n].fill(0.0);
        cases.push(case);
    }
    cases.push(Case::drawn(numbers(10), (0, 7), 1.0, &[1, 4], 2));
    cases.push(Case::drawn(numbers(11), (700, 100), 1.0, &[1, 3], 17));
    for case in &mut cases {
        case.alphas = vec![0.5, 1.0, 1.25, 1.5, 2.0, 3.0];
    }
    cases
}

/// FNV-1a over the bits of numbers, all NaN being the same.
fn hash(state: u64, values: &[f64]) -> u64 {
    values.iter().fold(state, |state, &x| {
        let x = if x.is_nan() { f64::NAN } else { x };
        x.to_bits().to_le_bytes().iter().fold(state, |state, &b| {
            (state ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        })
    })
}

/// The hash of each operator's outputs.
fn hashes<F: Element>(cases: &[Case]) -> BTreeMap<&'static str, u64> {
    let mut hashes = BTreeMap::new();
    for case in cases {
        for answer in answers::<F>(case) {
            let state = hashes
                .entry(answer.operator)
                .or_insert(0xcbf2_9ce4_8422_2325);
            *state = hash(*state, &answer.values);
        }
    }
    hashes
}

fn lines<F: Element>(name: &str, lines: &mut String) {
    let cases: Vec<Case> = cases().into_iter().map(Case::rounded::<F>).collect();
    let portable = on_path(Path::Portable, || hashes::<F>(&cases));
    for &path in Path::available() {
        assert_eq!(
            on_path(path, || hashes::<F>(&cases)),
            portable,
            "{name} {path:?}"
        );
    }
    for (operator, hash) in portable {
        writeln!(lines, "{operator} {name} {hash:016x}").expect("a string takes everything");
    }
}

// The logarithm of a single f64 comes from the C library, whose last digit is another on other systems.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
#[test]
fn every_operator_gives_the_recorded_bits_on_every_path() {
    let mut got = String::new();
    lines::<f32>("f32", &mut got);
    lines::<f64>("f64", &mut got);
    lines::<f16>("f16", &mut got);
    lines::<bf16>("bf16", &mut got);
    let recorded: Vec<&str> = include_str!("bits.txt").lines().collect();
    let got: Vec<&str> = got.lines().collect();
    let new: Vec<&str> = got
        .iter()
        .copied()
        .filter(|line| !recorded.contains(line))
        .collect();
    let gone: Vec<&str> = recorded
        .iter()
        .copied()
        .filter(|line| !got.contains(line))
        .collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "not recorded:\n{}\nrecorded, but not so:\n{}",
        new.join("\n"),
        gone.join("\n")
    );
}
