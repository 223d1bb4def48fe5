//! Random rows of 1 to 4096 classes against the oracle in `f64`: a thousand, or as many as asked for. Ten thousand take half
//! a minute on two cores:
//!
//! ```sh
//! ACCURACY_ROWS=10000 cargo test --release -p burn-relax-kernels --test accuracy -- --nocapture
//! ```

mod common;

use common::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Rows of one length.
const TOGETHER: usize = 50;

/// Four units in the last place of the nearest f32, and 1e-7.
fn allowance(want: f64) -> f64 {
    let near = (want as f32).abs();
    4.0 * f64::from(near.next_up() - near) + 1e-7
}

#[test]
fn random_rows_agree_with_the_oracle() {
    let rows = env::var("ACCURACY_ROWS").map_or(1000, |rows| rows.parse().expect("a number"));
    let next = AtomicUsize::new(0);
    // By kernel: the largest error as a multiple of the allowance, with the row length.
    let worst = Mutex::new(BTreeMap::<String, (f64, usize)>::new());
    let note = |name: &str, most: f64, n: usize| {
        let mut worst = worst.lock().expect("no thread panicked");
        let entry = worst.entry(name.to_owned()).or_insert((0.0, n));
        if most > entry.0 {
            *entry = (most, n);
        }
    };
    let far = |got: &[f64], want: &[f64]| -> f64 {
        got.iter()
            .zip(want)
            .filter(|(a, b)| a != b && !(a.is_nan() && b.is_nan()))
            .map(|(a, b)| (a - b).abs() / allowance(*b))
            .fold(0.0, f64::max)
    };
    let work = || {
        loop {
            let case = next.fetch_add(1, Ordering::Relaxed);
            if case >= rows / TOGETHER {
                break;
            }
            let mut random = StdRng::seed_from_u64(!case as u64);
            // As many rows of 1 to 2 classes as of 2048 to 4096.
            let n = random.random_range(0.0..12.0_f64).exp2() as usize;
            let temperature = [1.0, 0.3][case % 2];
            let case = Case::random(case as u64, TOGETHER, n, temperature).rounded::<f32>();
            let wanted = oracle(&case);
            let best = best_gradients(&case);
            for ((name, _, got), want) in every_kernel::<f32>(&case).iter().zip(&wanted) {
                let size = if name.starts_with("entmax") {
                    // Slopes `p^(2 - alpha)` magnify the rounding of small weights, of which crowded rows have many.
                    30.0
                } else {
                    sensitivity(name, n, temperature)
                };
                let mut most: f64 = 0.0;
                for (got, want) in got.iter().zip(want) {
                    let error = (got - want).abs();
                    if got == want || (got.is_nan() && want.is_nan()) {
                        continue;
                    }
                    let bound = 1e-6 * (size + want.abs());
                    assert!(error <= bound, "{name} n={n}: {got:e}, not {want:e}");
                    most = most.max(error / allowance(*want));
                }
                note(name, most, n);
                if let Some(k) = best.iter().position(|(best, _)| best == name) {
                    note(&format!("{name} (given)"), far(got, &best[k].1), n);
                    note(&format!("{name} (inherent)"), far(&best[k].1, want), n);
                }
            }
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let worst = worst.into_inner().expect("no thread panicked");
    println!("| kernel | worst error / (4 ulp + 1e-7) | at length |\n|---|---|---|");
    for (name, (most, n)) in &worst {
        println!("| {name} | {most:.2} | {n} |");
    }
}
