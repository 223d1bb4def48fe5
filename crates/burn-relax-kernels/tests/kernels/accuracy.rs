//! Random rows of 1 to 4096 classes against the oracle in `f64`: a thousand, or as many as asked for. A million take twenty to
//! forty minutes on two cores:
//!
//! ```sh
//! ACCURACY_ROWS=1000000 cargo test --release -p burn-relax-kernels --test kernels accuracy -- --nocapture
//! ```

use crate::case::Case;
use crate::operators::Answer;
use crate::oracle::compared;
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

/// What a kernel's largest error may be, in allowances.
fn limit(answer: &Answer, rows: usize) -> f64 {
    match (answer.operator, &*answer.variant) {
        ("entmax_rows_backward", _) if rows <= 100_000 => 60.0,
        // At an alpha just below 2, the slope of a weight of 1e-12 is still near 1; one that rounds to 0 has none. A million rows
        // hold such a weight.
        ("entmax_rows_backward", _) => 4000.0,
        // Exponentials of saved logarithms, times a sum of up to 4096 upstream gradients.
        ("log_softmax_backward", _) => 4.0,
        // A small weight's square root feels what the threshold is off by.
        ("entmax_backward", "1.5") | ("entmax_rows", _) => 3.0,
        // Differences of logarithms and costs.
        ("free_energy_backward", _) | ("entmax_backward", "1.25") => 1.5,
        _ => 1.0,
    }
}

#[test]
fn random_rows_agree_with_the_oracle() {
    let rows = env::var("ACCURACY_ROWS").map_or(1000, |rows| rows.parse().expect("a number"));
    let next = AtomicUsize::new(0);
    // By answer: the largest error as a multiple of the allowance, the row length, and the limit.
    let worst = Mutex::new(BTreeMap::<String, (f64, usize, f64)>::new());
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
            for (answer, want) in compared::<f32>(&case) {
                let mut most: f64 = 0.0;
                for (got, want) in answer.values.iter().zip(&want) {
                    if got == want || (got.is_nan() && want.is_nan()) {
                        continue;
                    }
                    let error = (got - want).abs() / allowance(*want);
                    most = most.max(if error.is_nan() { f64::INFINITY } else { error });
                }
                let mut worst = worst.lock().expect("no thread panicked");
                let entry = (worst.entry(answer.name())).or_insert((0.0, n, limit(&answer, rows)));
                if most > entry.0 {
                    (entry.0, entry.1) = (most, n);
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
    for (name, (most, n, _)) in &worst {
        println!("| {name} | {most:.2} | {n} |");
    }
    for (name, (most, n, limit)) in &worst {
        assert!(most <= limit, "{name} n={n}: {most:.2} allowances");
    }
}
