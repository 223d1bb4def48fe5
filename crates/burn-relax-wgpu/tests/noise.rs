//! Gumbel-softmax and categorical samples: the noise of the CPU's generator, and the mathematics in f64 around it.

#![cfg(feature = "wgpu")]

mod common;

use burn_backend::{DType, ops::FloatTensorOps};
use burn_cubecl::CubeBackend;
use burn_relax_kernels::{Seed, naive};
use burn_relax_wgpu::{
    Noise, categorical_log_prob_backward, gumbel_argmax, gumbel_argmax_backward, gumbel_softmax,
    sample_categorical, softmax_backward,
};
use common::{
    LENGTHS, Numbers, assert_close, assert_close_at_scale, read, read_ints, rows_for, rows_of,
    special_rows, tensor, weights,
};

/// Of the largest magnitude of a tensor: the noise, up to 16.6 in size, is off by 4 units at most, and an exponential makes that
/// relative.
const TOLERANCE: f64 = 16.6 * 4.0 * f32::EPSILON as f64 / TEMPERATURE;

/// The same without noise.
const EXACT: f64 = 1e-6;

const TEMPERATURE: f64 = 0.7;

const SEED: Seed = Seed::new(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210);

fn drawn() -> Noise {
    Noise::Drawn {
        key: SEED.key,
        step: SEED.step,
        row: SEED.row,
    }
}

/// The CPU's Gumbel noise.
fn noise(count: usize) -> Vec<f32> {
    let mut noise = Vec::<f32>::with_capacity(count);
    burn_relax_kernels::gumbel(SEED, 0, &mut noise.spare_capacity_mut()[..count]);
    // SAFETY: all of them were written.
    unsafe { noise.set_len(count) };
    noise
}

/// `(x - max) / T + G` as the contract has it: the noise of a row that holds `+inf` is kept at those entries if `loud`.
fn perturbed(x: &[f64], noise: &[f64], temperature: f64, loud: bool) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let decided = max == f64::INFINITY;
    x.iter()
        .zip(noise)
        .map(|(&x, &noise)| match x {
            x if x.is_nan() => x,
            f64::NEG_INFINITY => x,
            f64::INFINITY => f64::from(u8::from(loud)) * noise,
            _ if decided => f64::NEG_INFINITY,
            x => (x - max) / temperature + noise,
        })
        .collect()
}

/// The gradient of the weights of a perturbed row.
fn gradient(x: &[f64], z: &[f64], g: &[f64]) -> Vec<f64> {
    if x.contains(&f64::INFINITY) && !x.iter().any(|x| x.is_nan()) {
        return vec![0.0; x.len()];
    }
    naive::softmax_backward(z, g, TEMPERATURE)
}

/// Both forms and the hard form's gradient for `x`, `[rows, n]`, with drawn and with given noise.
#[track_caller]
fn check(what: &str, x: &[f32], n: usize) {
    let count = x.len() / n;
    let shape = [count, n];
    let rows = rows_of(x, n);
    let noise = noise(x.len());
    let noise_rows = rows_of(&noise, n);
    let g = Numbers(4).take(x.len(), 1.0);
    let upstream = rows_of(&g, n);
    let logits = || tensor(x, &shape);
    for (how, source) in [
        ("drawn", drawn()),
        ("given", Noise::Given(tensor(&noise, &shape))),
    ] {
        let z: Vec<Vec<f64>> = rows
            .iter()
            .zip(&noise_rows)
            .map(|(x, g)| perturbed(x, g, 1.0, false))
            .collect();
        let (soft, stats) = gumbel_softmax(logits(), source.clone(), 1, TEMPERATURE);
        let want: Vec<f64> = z
            .iter()
            .flat_map(|z| naive::softmax(z, TEMPERATURE))
            .collect();
        let title = format!("{what}, {how}");
        assert_close(&format!("{title}: soft"), &read(&soft), &want, TOLERANCE);
        let grad = softmax_backward(soft, stats, tensor(&g, &shape), 1, TEMPERATURE);
        let want: Vec<f64> = rows
            .iter()
            .zip(z.iter().zip(&upstream))
            .flat_map(|(x, (z, g))| gradient(x, z, g))
            .collect();
        let least = 0.25 / TEMPERATURE;
        assert_close_at_scale(
            &format!("{title}: soft backward"),
            &read(&grad),
            &want,
            TOLERANCE,
            least,
        );

        let z: Vec<Vec<f64>> = rows
            .iter()
            .zip(&noise_rows)
            .map(|(x, g)| perturbed(x, g, 1.0, true))
            .collect();
        let (hard, stats) = gumbel_argmax(logits(), source.clone(), 1, TEMPERATURE);
        for (r, (got, z)) in read(&hard).chunks(n).zip(&z).enumerate() {
            assert_one_hot(&format!("{title}: hard, row {r}"), got, z);
        }
        let grad = gumbel_argmax_backward(
            logits(),
            source.clone(),
            stats,
            tensor(&g, &shape),
            1,
            TEMPERATURE,
        );
        let want: Vec<f64> = rows
            .iter()
            .zip(z.iter().zip(&upstream))
            .flat_map(|(x, (z, g))| gradient(x, z, g))
            .collect();
        assert_close_at_scale(
            &format!("{title}: hard backward"),
            &read(&grad),
            &want,
            TOLERANCE,
            least,
        );
    }
}

/// Fails unless `got` is the one-hot of the largest of `z`, or of one that is as large within the noise's error.
#[track_caller]
fn assert_one_hot(what: &str, got: &[f32], z: &[f64]) {
    if z.iter().any(|z| z.is_nan()) {
        assert!(got.iter().all(|y| y.is_nan()), "{what}: not NaN");
        return;
    }
    let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let ones: Vec<usize> = (0..got.len()).filter(|&i| got[i] != 0.0).collect();
    if top == f64::NEG_INFINITY {
        assert!(ones.is_empty(), "{what}: {ones:?} of nothing");
        return;
    }
    assert!(ones.len() == 1 && got[ones[0]] == 1.0, "{what}: {ones:?}");
    assert_as_large(what, z, ones[0]);
}

/// Fails unless entry `k` is the largest within the noise's error.
#[track_caller]
fn assert_as_large(what: &str, z: &[f64], k: usize) {
    let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // 4 units of either number.
    let room = 8.0 * f64::from(f32::EPSILON) * top.abs().max(z[k].abs());
    assert!(z[k] >= top - room, "{what}: {k} with {}, not {top}", z[k]);
}

#[test]
fn rows_of_every_length_agree_with_f64() {
    for n in LENGTHS {
        let x = Numbers(n as u64).take(rows_for(n) * n, 4.0);
        check(&format!("{n} classes"), &x, n);
    }
}

#[test]
fn many_rows_agree_with_f64() {
    for n in [3, 33, 128] {
        let x = Numbers(n as u64).take(1025 * n, 4.0);
        check(&format!("1025 rows of {n}"), &x, n);
    }
}

#[test]
fn masks_infinities_nan_and_ties_follow_the_contract_in_their_row_only() {
    for n in [2, 3, 16, 17, 33, 257, 1025] {
        let (x, _) = special_rows(n);
        for repeat in [1, 3] {
            check(&format!("special rows of {n}"), &x.repeat(repeat), n);
        }
    }
}

#[test]
fn large_logits_keep_the_digits_of_the_noise() {
    let mut x = Numbers(2).take(40 * 7, 3.0);
    x.iter_mut().for_each(|x| *x += 1e4);
    check("logits of 1e4", &x, 7);
}

#[test]
fn the_noise_of_an_element_does_not_depend_on_the_layout() {
    let x = Numbers(8).take(12 * 35, 3.0);
    let upright = tensor(&x, &[12, 35]);
    let turned = CubeBackend::float_swap_dims(upright.clone(), 0, 1);
    let (want, _) = gumbel_softmax(upright.clone(), drawn(), 1, 1.0);
    let (got, _) = gumbel_softmax(turned, drawn(), 0, 1.0);
    let got = CubeBackend::float_swap_dims(got, 0, 1);
    assert_eq!(read(&got), read(&want));
    // Twenty copies of the rows take another strategy; the first have the same noise.
    let many = tensor(&x.repeat(20), &[240, 35]);
    let (many, _) = gumbel_softmax(many, drawn(), 1, 1.0);
    assert_close(
        "more rows",
        &read(&many)[..12 * 35],
        &read(&want)
            .iter()
            .map(|&y| f64::from(y))
            .collect::<Vec<f64>>(),
        EXACT,
    );
}

/// The same samples as on the CPU, and their log-probabilities.
#[track_caller]
fn check_samples(what: &str, x: &[f32], n: usize, samples: usize) {
    let count = x.len() / n;
    let rows = rows_of(x, n);
    let (index, log_prob, stats) = sample_categorical(
        tensor(x, &[count, n]),
        1,
        samples,
        TEMPERATURE,
        [SEED.key, SEED.step, SEED.row],
        DType::I32,
    );
    let g = Numbers(6).take(count * samples, 1.0);
    let grad = categorical_log_prob_backward(
        tensor(x, &[count, n]),
        index.clone(),
        stats.clone(),
        tensor(&g, &[count, samples]),
        1,
        TEMPERATURE,
    );
    let grad = read(&grad);
    let (index, log_prob) = (read_ints(&index), read(&log_prob));
    let noise = noise(count * samples * n);
    let mut want_log_prob = Vec::new();
    let mut want_stats = Vec::new();
    for (r, x) in rows.iter().enumerate() {
        let (max, sum, w) = weights(x, TEMPERATURE);
        want_stats.extend([max, sum]);
        for s in 0..samples {
            let draw = r * samples + s;
            let k = index[draw] as usize;
            let noise: Vec<f64> = noise[draw * n..][..n]
                .iter()
                .map(|&g| f64::from(g))
                .collect();
            let z = perturbed(x, &noise, TEMPERATURE, true);
            let title = format!("{what}: row {r}, sample {s}");
            if let Some(nan) = x.iter().position(|x| x.is_nan()) {
                assert_eq!(k, nan, "{title}");
                want_log_prob.push(f64::NAN);
            } else if sum == 0.0 {
                assert_eq!(k, 0, "{title}");
                want_log_prob.push(f64::NEG_INFINITY);
            } else {
                assert_as_large(&title, &z, k);
                want_log_prob.push(w[k].ln());
            }
        }
        // The samples' upstream gradients at their classes, less their sum spread over the weights.
        let decided = x.contains(&f64::INFINITY);
        let mut want = vec![0.0; n];
        for s in 0..samples {
            let g = f64::from(g[r * samples + s]);
            let forbidden = x[index[r * samples + s] as usize] == f64::NEG_INFINITY;
            if !decided && !forbidden {
                want[index[r * samples + s] as usize] += g / TEMPERATURE;
                for (want, w) in want.iter_mut().zip(&w) {
                    *want -= w * g / TEMPERATURE;
                }
            }
        }
        if x.iter().any(|x| x.is_nan()) {
            continue;
        }
        assert_close_at_scale(
            &format!("{what}: gradient of row {r}"),
            &grad[r * n..][..n],
            &want,
            EXACT,
            1.0,
        );
    }
    assert_close(
        &format!("{what}: log-probabilities"),
        &log_prob,
        &want_log_prob,
        EXACT,
    );
    assert_close(&format!("{what}: stats"), &read(&stats), &want_stats, EXACT);
}

#[test]
fn samples_of_rows_of_every_length_are_those_of_the_cpu() {
    for n in LENGTHS {
        let x = Numbers(n as u64).take(rows_for(n) * n, 4.0);
        let samples = if n > 100_000 { 1 } else { 3 };
        check_samples(&format!("{n} classes"), &x, n, samples);
    }
    let x = Numbers(1).take(1025 * 33, 4.0);
    check_samples("1025 rows of 33", &x, 33, 2);
}

#[test]
fn samples_of_special_rows_follow_the_contract() {
    for n in [2, 3, 16, 17, 33, 257, 1025] {
        let (x, _) = special_rows(n);
        for repeat in [1, 3] {
            check_samples(&format!("special rows of {n}"), &x.repeat(repeat), n, 4);
        }
    }
}

#[test]
fn samples_have_the_frequencies_of_their_weights() {
    let x = [0.0f32, 1.0, -1.0, f32::NEG_INFINITY];
    let samples = 40_000;
    let logits = tensor(&x, &[1, 4]);
    let (index, _, _) = sample_categorical(logits, 1, samples, 1.0, [9, 0, 0], DType::I32);
    let mut counts = [0.0f64; 4];
    for k in read_ints(&index) {
        counts[k as usize] += 1.0;
    }
    let w = naive::softmax(&rows_of(&x, 4)[0], 1.0);
    for (count, w) in counts.into_iter().zip(w) {
        // Four standard errors.
        let room = 4.0 * (w * (1.0 - w) / samples as f64).sqrt();
        assert!((count / samples as f64 - w).abs() <= room, "{counts:?}");
    }
}

#[test]
fn no_rows_give_empty_results() {
    let x = tensor(&[], &[0, 5]);
    let (soft, stats) = gumbel_softmax(x.clone(), drawn(), 1, 1.0);
    assert_eq!(soft.meta.shape()[..], [0, 5]);
    let grad = gumbel_argmax_backward(x.clone(), drawn(), stats, soft, 1, 1.0);
    assert_eq!(grad.meta.shape()[..], [0, 5]);
    let (index, log_prob, _) = sample_categorical(x, 1, 3, 1.0, [1, 2, 0], DType::I32);
    assert_eq!(index.meta.shape()[..], [0, 3]);
    assert_eq!(log_prob.meta.shape()[..], [0, 3]);
}

#[test]
#[should_panic(expected = "noise must have shape")]
fn noise_of_another_shape_is_refused() {
    let noise = Noise::Given(tensor(&[0.0; 6], &[3, 2]));
    gumbel_softmax(tensor(&[0.0; 6], &[2, 3]), noise, 1, 1.0);
}
