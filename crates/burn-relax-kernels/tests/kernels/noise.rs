//! The noise: range, accuracy, independence of position, type and division, and the samples drawn with it.

use crate::case::Case;
use crate::support::{SEED, assert_close, buffer, filled, narrow, out, stats, wide};
use burn_relax_kernels::{
    self as kernels, Element, Seed, draw_f32, naive, philox_block, uniform_f32,
};
use half::{bf16, f16};

fn uniforms<F: Element>(seed: Seed, first: u64, len: usize) -> Vec<F> {
    let mut u = out::<F>(len);
    kernels::uniform(seed, first, &mut u);
    filled(u)
}

fn gumbels<F: Element>(seed: Seed, first: u64, len: usize) -> Vec<F> {
    let mut g = out::<F>(len);
    kernels::gumbel(seed, first, &mut g);
    filled(g)
}

#[test]
fn element_i_is_lane_i_mod_4_of_block_i_div_4() {
    let first = u32::MAX as u64 * 4 + 1;
    for (j, u) in uniforms::<f32>(SEED, first, 200).into_iter().enumerate() {
        let i = first + j as u64;
        let block = i / 4;
        let counter = [
            block as u32,
            (block >> 32) as u32,
            SEED.step as u32,
            (SEED.step >> 32) as u32,
        ];
        let bits = philox_block(counter, [SEED.key as u32, (SEED.key >> 32) as u32]);
        assert_eq!(u, uniform_f32(bits[(i % 4) as usize]));
    }
}

#[test]
fn a_slice_of_the_noise_is_the_noise_of_the_slice() {
    let whole = gumbels::<f32>(SEED, 0, 10_000);
    for (start, len) in [
        (0, 1),
        (1, 3),
        (3, 64),
        (4093, 100),
        (63, 4096),
        (127, 9873),
    ] {
        assert_eq!(
            gumbels::<f32>(SEED, start as u64, len),
            whole[start..start + len]
        );
    }
}

#[test]
fn every_type_sees_the_same_uniforms_inside_the_open_interval() {
    let n = 1 << 17;
    let u = uniforms::<f32>(SEED, 0, n);
    assert_eq!(wide(&u), wide(&uniforms::<f64>(SEED, 0, n)));
    fn inside<F: Element>(n: usize, u: &[f32]) {
        for (h, &u) in wide(&uniforms::<F>(SEED, 0, n)).iter().zip(u) {
            assert!(*h > 0.0 && *h < 1.0 && (h - u as f64).abs() <= 4e-3);
        }
    }
    inside::<f16>(n, &u);
    inside::<bf16>(n, &u);
    let mean = wide(&u).iter().sum::<f64>() / n as f64;
    assert!((mean - 0.5).abs() < 4.0 / (12.0 * n as f64).sqrt());
}

#[test]
fn gumbel_noise_is_accurate_in_both_types() {
    // Within 2 ulp in f32; every single draw is checked in the crate's own tests.
    let n = 1 << 18;
    let words = |block: u32| {
        let counter = [block, 0, SEED.step as u32, (SEED.step >> 32) as u32];
        philox_block(counter, [SEED.key as u32, (SEED.key >> 32) as u32])
    };
    let draws = (0..n as u32 / 4).flat_map(words).map(draw_f32);
    let want: Vec<f64> = draws.map(|draw| naive::gumbel(draw.into())).collect();
    assert_close(
        "f32",
        &wide(&gumbels::<f32>(SEED, 0, n)),
        &want,
        0.0,
        2.0 * f32::EPSILON as f64,
    );
    assert_close("f64", &gumbels::<f64>(SEED, 0, n), &want, 4e-16, 4e-16);
    let mean = want.iter().sum::<f64>() / n as f64;
    let deviation = (std::f64::consts::PI.powi(2) / 6.0 / n as f64).sqrt();
    assert!((mean - 0.577_215_664_9).abs() < 4.0 * deviation);
}

#[test]
fn seeds_and_steps_give_different_noise() {
    let a = uniforms::<f32>(Seed::new(1, 0), 0, 16);
    assert_ne!(a, uniforms::<f32>(Seed::new(2, 0), 0, 16));
    assert_ne!(a, uniforms::<f32>(Seed::new(1, 1), 0, 16));
    assert_ne!(a, uniforms::<f32>(Seed::new(1 << 32, 0), 0, 16));
}

#[test]
fn generated_noise_equals_given_noise() {
    for n in [1, 7, 10, 130, 1025] {
        let case = Case::random(2, 5, n, 0.7).rounded::<f32>();
        let logits = narrow::<f32>(&case.logits);
        let seed = SEED.with_row(11);
        let noise = gumbels::<f32>(SEED, 11 * n as u64, 5 * n);
        let run = |noise: Option<&[f32]>| {
            let (mut y, mut s) = (out::<f32>(5 * n), stats::<f32>(10));
            if let Some(noise) = noise {
                kernels::gumbel_softmax_with_noise(&logits, noise, n, 0.7, &mut y, &mut s);
            } else {
                kernels::gumbel_softmax(&logits, n, 0.7, seed, &mut y, &mut s);
            }
            (filled(y), filled(s))
        };
        assert_eq!(run(None), run(Some(&noise)));
        let g = narrow::<f32>(&case.grad);
        let hard = |noise: Option<&[f32]>| {
            let (mut y, mut s) = (out::<f32>(5 * n), stats::<f32>(10));
            let mut b = out::<f32>(5 * n);
            if let Some(noise) = noise {
                kernels::gumbel_argmax_with_noise(&logits, noise, n, 0.7, &mut y, &mut s);
                let s = filled(s.clone());
                kernels::gumbel_argmax_with_noise_backward(&logits, noise, &s, &g, n, 0.7, &mut b);
            } else {
                kernels::gumbel_argmax(&logits, n, 0.7, seed, &mut y, &mut s);
                let s = filled(s.clone());
                kernels::gumbel_argmax_backward(&logits, &s, &g, n, 0.7, seed, &mut b);
            }
            (filled(y), filled(s), filled(b))
        };
        assert_eq!(hard(None), hard(Some(&noise)));
    }
}

#[test]
fn samples_are_the_argmax_of_perturbed_logits_with_their_log_probability() {
    let (rows, samples, first) = (6, 3, 19);
    for n in [1, 5, 33, 700] {
        let case = Case::random(12, rows, n, 1.0).rounded::<f32>();
        let logits = narrow::<f32>(&case.logits);
        let (mut k, mut l) = (buffer(rows * samples, -1i64), out::<f32>(rows * samples));
        let mut s = stats::<f32>(2 * rows);
        let seed = SEED.with_row(first);
        kernels::sample_categorical(&logits, n, samples, 1.0, seed, &mut k, &mut l, &mut s);
        let (k, l) = (filled(k), wide(&filled(l)));
        for r in 0..rows {
            let x = &case.logits[r * n..][..n];
            let log_probs = naive::log_softmax(x);
            for s in 0..samples {
                let draw = r * samples + s;
                let noise = wide(&gumbels::<f32>(
                    SEED,
                    seed.element(0, samples * n) + (draw * n) as u64,
                    n,
                ));
                let want = naive::argmax(&naive::perturbed(x, &noise));
                assert_eq!(k[draw], want as i64, "n={n} row {r} sample {s}");
                assert!(l[draw] == log_probs[want] || (l[draw] - log_probs[want]).abs() < 2e-6);
            }
        }
    }
}

#[test]
fn sample_frequencies_follow_the_softmax() {
    let x = [-2.0f64, 0.0, 0.5, f64::NEG_INFINITY];
    let samples = 200_000;
    let (mut k, mut l) = (buffer(samples, -1i64), out::<f64>(samples));
    let mut s = stats::<f64>(2);
    kernels::sample_categorical(&x, 4, samples, 1.0, SEED, &mut k, &mut l, &mut s);
    let mut counts = [0.0; 4];
    filled(k).iter().for_each(|&k| counts[k as usize] += 1.0);
    for (count, p) in counts.iter().zip(naive::softmax(&x, 1.0)) {
        let deviation = (p * (1.0 - p) * samples as f64).sqrt();
        assert!(
            (count - p * samples as f64).abs() <= 4.0 * deviation,
            "{counts:?}"
        );
    }
}

#[test]
fn special_rows_are_sampled_by_the_contract() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let logits = [-inf, -inf, -inf, 0.0, nan, 1.0, 5.0, inf, inf];
    let samples = 64;
    let (mut k, mut l) = (buffer(3 * samples, -1i64), out::<f32>(3 * samples));
    let mut s = stats::<f32>(6);
    kernels::sample_categorical(&logits, 3, samples, 1.0, SEED, &mut k, &mut l, &mut s);
    let (k, l) = (filled(k), filled(l));
    assert!(k[..samples].iter().all(|&k| k == 0) && l[..samples].iter().all(|&l| l == -inf));
    assert!(
        k[samples..2 * samples].iter().all(|&k| k == 1)
            && l[samples..2 * samples].iter().all(|l| l.is_nan())
    );
    let shared = &k[2 * samples..];
    assert!(shared.iter().all(|&k| k > 0) && shared.contains(&1) && shared.contains(&2));
    assert!(
        l[2 * samples..]
            .iter()
            .all(|l| (l + 2f32.ln()).abs() < 1e-6)
    );
}

/// How many of `draws` are not of the likely class, among `rare` classes that have .001 together.
fn drawn_rarely<F: Element>(rare: usize, draws: usize) -> usize {
    let n = rare + 1;
    let rest = (0.001 / 0.999 / rare as f64).ln();
    let x: Vec<f64> = (0..n)
        .map(|i| if i == n / 3 { 0.0 } else { rest })
        .collect();
    let (mut k, mut l) = (buffer(draws, -1i64), out::<F>(draws));
    let mut s = stats::<F>(2);
    let x = narrow::<F>(&x);
    kernels::sample_categorical(&x, n, draws, 1.0, SEED, &mut k, &mut l, &mut s);
    let k = filled(k);
    k.iter().filter(|&&k| k != n as i64 / 3).count()
}

#[test]
fn classes_of_a_large_vocabulary_are_drawn() {
    // 20 of 20 000 and 4 of 4 000 within four deviations; of 23 bits none could be drawn.
    let count = drawn_rarely::<f32>(128_000, 20_000);
    assert!((3..=38).contains(&count), "{count}");
    let count = drawn_rarely::<f64>(128_000, 4_000);
    assert!((1..=12).contains(&count), "{count}");
}

#[test]
fn a_million_classes_share_their_draws() {
    // Each 5e-7 beside one of a half: half of the draws, in both halves of the row.
    let (n, draws) = (1_000_001, 400);
    let rest = (1e-6_f32).ln();
    let x: Vec<f32> = (0..n).map(|i| if i == 0 { 0.0 } else { rest }).collect();
    let (mut k, mut l) = (buffer(draws, -1i64), out::<f32>(draws));
    let mut s = stats::<f32>(2);
    kernels::sample_categorical(&x, n, draws, 1.0, SEED, &mut k, &mut l, &mut s);
    let k = filled(k);
    let share = |range: std::ops::Range<i64>| k.iter().filter(|k| range.contains(k)).count();
    let (first, second) = (share(1..500_001), share(500_001..1_000_001));
    assert!(
        (65..=135).contains(&first) && (65..=135).contains(&second),
        "{first} {second}"
    );
}

/// The Gumbel-softmax of a row at temperatures down to the smallest normal number is the one-hot of the best score.
fn frozen<F: Element>(temperatures: &[f64]) {
    let x = narrow::<F>(&[0.0, -1e-3, 0.3, 0.1, -0.7]);
    let seed = Seed::new(1, 0);
    let (mut hard, mut s) = (out::<F>(5), stats::<F>(2));
    kernels::gumbel_argmax(&x, 5, 1.0, seed, &mut hard, &mut s);
    let hard = wide(&filled(hard));
    for &t in temperatures {
        let (mut y, mut s) = (out::<F>(5), stats::<F>(2));
        kernels::gumbel_softmax(&x, 5, t, seed, &mut y, &mut s);
        assert_eq!(wide(&filled(y)), hard, "{t}");
        let mut grad = out::<F>(5);
        let g = narrow::<F>(&[1.0, -2.0, 0.5, 3.0, 0.1]);
        let s = filled(s);
        kernels::gumbel_argmax_backward(&x, &s, &g, 5, t, seed, &mut grad);
        assert_eq!(wide(&filled(grad)), [0.0; 5], "{t}");
    }
}

#[test]
fn gumbel_softmax_has_a_winner_at_every_temperature() {
    frozen::<f32>(&[1e-4, 1e-10, 1e-20, 1e-30, 1.2e-38]);
    frozen::<f64>(&[1e-10, 1e-20, 1e-38, 1e-100, 2.3e-308]);
}

#[test]
fn scores_that_differ_by_less_than_their_rounding_are_told_apart_at_low_temperatures() {
    // Noise of 16 makes scores of 20 bits behind the point; the logits differ by a hundredth of that, and the temperature is of their size.
    let x = [0.0f32, -1e-8];
    let noise = [16.0f32, 16.0];
    let (mut y, mut s) = (out::<f32>(2), stats::<f32>(2));
    kernels::gumbel_softmax_with_noise(&x, &noise, 2, 1e-8, &mut y, &mut s);
    let y = wide(&filled(y));
    let want = naive::softmax(&[0.0, -1.0], 1.0);
    assert_close("weights", &y, &want, 0.0, 1e-6);
}
