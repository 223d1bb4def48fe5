//! Random rows over many powers of ten, f32 against the f64 oracle.

use crate::careful::energy;
use crate::support::{filled, narrow, out, stats, wide};
use burn_relax_kernels::{self as kernels, Seed, naive};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A row's length, most often short.
fn length(rng: &mut StdRng) -> usize {
    if rng.random_bool(0.1) {
        rng.random_range(40..2000)
    } else {
        rng.random_range(1..40)
    }
}

/// A number of f32 between -1 and 1.
fn number(rng: &mut StdRng) -> f64 {
    f64::from(rng.random_range(-1.0..1.0_f32))
}

/// `10^x` for an `x` in the range.
fn power(rng: &mut StdRng, range: std::ops::Range<f64>) -> f64 {
    10f64.powf(rng.random_range(range))
}

/// The free energy of costs relative to the least, and its gradients, without differences of large numbers.
fn oracle(x: &[f64], cost: &[f64], temperature: f64) -> (f64, Vec<f64>, Vec<f64>) {
    let (probs, logs) = (naive::softmax(x, 1.0), naive::log_softmax(x));
    let below = |f: &f64| (-f / temperature).exp_m1();
    let s: f64 = probs.iter().zip(cost).map(|(p, f)| p * below(f)).sum();
    if s > -0.5 {
        let pairs = || probs.iter().zip(cost);
        let of_logit = |(p, f): (&f64, &f64)| temperature * p * (s - below(f)) / (1.0 + s);
        let of_cost = |(p, f): (&f64, &f64)| p * (1.0 + below(f)) / (1.0 + s);
        return (
            -temperature * s.ln_1p(),
            pairs().map(of_logit).collect(),
            pairs().map(of_cost).collect(),
        );
    }
    let exponents = logs.iter().zip(cost).map(|(l, f)| l - f / temperature);
    let exponents: Vec<f64> = exponents.collect();
    let most = exponents.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
    let total: f64 = exponents.iter().map(|e| (e - most).exp()).sum();
    let shares: Vec<f64> = exponents.iter().map(|e| (e - most).exp() / total).collect();
    let of_logits = probs
        .iter()
        .zip(&shares)
        .map(|(p, r)| temperature * (p - r));
    let value = -temperature * (most + total.ln());
    (value, of_logits.collect(), shares)
}

#[test]
fn free_energies_of_any_costs_at_any_temperature() {
    let mut rng = StdRng::seed_from_u64(60);
    for r in 0..4000 {
        let n = length(&mut rng);
        let (spread, size) = (power(&mut rng, -2.0..2.0), power(&mut rng, -2.0..7.0));
        let offset = power(&mut rng, 0.0..7.0) * number(&mut rng);
        let temperature = power(&mut rng, -10.0..10.0);
        let rounded = |x: f64| f64::from(x as f32);
        let mut x: Vec<f64> = (0..n).map(|_| rounded(spread * number(&mut rng))).collect();
        let f: Vec<f64> = (0..n)
            .map(|_| rounded(offset + size * number(&mut rng)))
            .collect();
        if n > 3 && r % 5 == 0 {
            x[n / 2] = f64::NEG_INFINITY;
        }
        let (value, of_x, of_f) = energy::<f32>(&x, &f, temperature);
        let least = f.iter().fold(f64::INFINITY, |least, f| least.min(*f));
        let beyond: Vec<f64> = f.iter().map(|f| f - least).collect();
        let (want, want_x, want_f) = oracle(&x, &beyond, temperature);
        let case = format!("{r}: {n} classes, {spread:e} {size:e} {offset:e} at {temperature:e}");
        // The value's own digits, and the last digits of a logarithm of at most twice the logits' spread.
        let unit = f64::from(f32::EPSILON);
        let scale = (want + least).abs() + want.abs() + temperature.min(size) * (1.0 + spread);
        assert!(
            (value - want - least).abs() <= 2.0 * unit * scale + 1e-30,
            "{case}: {value} {}",
            want + least
        );
        // A responsibility is an exponential of a difference, whose digits are those of its terms.
        let bound = 4.0 * unit * (1.0 + 2.0 * spread);
        for (i, (got, want)) in of_f.iter().zip(&want_f).enumerate() {
            assert!(
                (got - want).abs() <= bound,
                "{case}: cost {i}, {got:e} {want:e}"
            );
        }
        let bound = bound * temperature.min(2.0 * size);
        for (i, (got, want)) in of_x.iter().zip(&want_x).enumerate() {
            assert!(
                (got - want).abs() <= bound,
                "{case}: logit {i}, {got:e} {want:e}"
            );
        }
    }
}

#[test]
fn gumbel_softmax_at_any_temperature_lies_on_the_simplex() {
    let mut rng = StdRng::seed_from_u64(61);
    for r in 0..2000 {
        let n = length(&mut rng);
        let temperature = power(&mut rng, -37.9..10.0);
        let spread = power(&mut rng, -4.0..4.0);
        let x: Vec<f64> = (0..n).map(|_| spread * number(&mut rng)).collect();
        let (mut y, mut s) = (out::<f32>(n), stats::<f32>(2));
        let seed = Seed::new(7, r);
        kernels::gumbel_softmax(&narrow::<f32>(&x), n, temperature, seed, &mut y, &mut s);
        let sum: f64 = wide(&filled(y)).iter().sum();
        assert!(
            (sum - 1.0).abs() < 1e-6,
            "{r}: {n} at {temperature:e}: {sum}"
        );
    }
}
