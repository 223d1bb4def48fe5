//! Prints, per kernel and shape, the median time of forward and backward over the time to copy the same bytes.
//!
//! `cargo run --release -p burn-relax-kernels --example speed [threads] [filter] [rows,n] [path]`. Kernel and copy alternate within one run. The
//! copy moves half of the kernel's bytes from one place to another, so that as many bytes pass the memory bus; one thread
//! copies at one thread, all threads at more.

use burn_relax_kernels as kernels;
use core::hint::black_box;
use core::mem::MaybeUninit;
use rayon::prelude::*;
use std::time::Instant;

const SHAPES: [(usize, usize); 5] = [
    (256, 10),
    (4096, 128),
    (16384, 1024),
    (1024, 32000),
    (64, 128000),
];
const REPEATS: usize = 15;
/// Features of the gathers.
const FEATURES: [usize; 4] = [1, 3, 4, 40];
/// Values of a gather at most.
const MOST: usize = 1 << 25;

fn spare(len: usize) -> Vec<MaybeUninit<f32>> {
    vec![MaybeUninit::new(0.0); len]
}

fn ready(v: &[MaybeUninit<f32>]) -> &[f32] {
    // SAFETY: every buffer of this program is initialised when it is made.
    unsafe { &*(core::ptr::from_ref(v) as *const [f32]) }
}

fn copy(from: &[f32], to: &mut [f32], threads: usize) {
    if threads == 1 {
        to.copy_from_slice(from);
        return;
    }
    let chunk = from.len().div_ceil(threads).max(1);
    to.par_chunks_mut(chunk)
        .zip(from.par_chunks(chunk))
        .for_each(|(t, f)| t.copy_from_slice(f));
}

/// Medians of the kernel and of the copy, then their minima, in seconds per call.
fn measure(floats: usize, threads: usize, mut kernel: impl FnMut()) -> [f64; 4] {
    let half = floats / 2;
    let (from, mut to) = (vec![1.0f32; half], vec![0.0f32; half]);
    let calls = (2_000_000 / floats.max(1)).clamp(1, 1000);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let start = Instant::now();
        for _ in 0..calls {
            kernel();
        }
        a.push(start.elapsed().as_secs_f64() / calls as f64);
        let start = Instant::now();
        for _ in 0..calls {
            copy(black_box(&from), black_box(&mut to), threads);
        }
        b.push(start.elapsed().as_secs_f64() / calls as f64);
    }
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    [a[REPEATS / 2], b[REPEATS / 2], a[0], b[0]]
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let threads = arguments.next().map_or(1, |a| a.parse().expect("threads"));
    let filter = arguments.next().unwrap_or_default();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a pool");
    println!(
        "{:<24} {:>14} {:>10} {:>10} {:>6}",
        "kernel", "shape", "time", "copy", "ratio"
    );
    let shapes = match arguments.next() {
        Some(shape) => vec![
            shape
                .split_once(',')
                .map_or((1, 1), |(r, n)| (r.parse().unwrap(), n.parse().unwrap())),
        ],
        None => SHAPES.to_vec(),
    };
    let path = arguments.next().map(|path| {
        let named = |p: &&kernels::Path| format!("{p:?}").eq_ignore_ascii_case(&path);
        let found = kernels::Path::available().iter().find(named);
        *found.expect("a path of this processor")
    });
    pool.broadcast(|_| kernels::force_path(path));
    for (rows, n) in shapes {
        pool.install(|| shape(rows, n, threads, &filter));
    }
}

fn shape(rows: usize, n: usize, threads: usize, filter: &str) {
    let total = rows * n;
    let logits: Vec<f32> = (0..total)
        .map(|i| ((i * 7919) % 2003) as f32 * 0.004 - 4.0)
        .collect();
    let values: Vec<f32> = (0..total)
        .map(|i| ((i * 104729) % 1009) as f32 * 0.000_99)
        .collect();
    let coordinates: Vec<f32> = (0..n).map(|i| i as f32).collect();
    let grad_row = vec![1.0f32; rows];
    let (mut big, mut big2) = (spare(total), spare(total));
    let (mut small, mut stats) = (spare(rows), spare(5 * rows));
    let mut index = vec![MaybeUninit::new(0i64); rows];
    let report = |name: &str, floats: usize, kernel: &mut dyn FnMut()| {
        if !name.contains(filter) {
            return;
        }
        let [t, c, t0, c0] = measure(floats, threads, kernel);
        println!(
            "{name:<24} {:>14} {:>8.1}us {:>8.1}us {:>6.2} {:>8.1}us {:>6.2}",
            format!("[{rows},{n}]"),
            t * 1e6,
            c * 1e6,
            t / c,
            t0 * 1e6,
            t0 / c0
        );
    };
    let seed = kernels::Seed::new(1, 2);

    let stats2 = &mut stats[..2 * rows];
    report("softmax", 2 * total, &mut || {
        kernels::softmax(&logits, n, 1.0, &mut big, stats2)
    });
    kernels::softmax(&logits, n, 1.0, &mut big, stats2);
    report("softmax bwd", 3 * total, &mut || {
        kernels::softmax_backward(ready(&big), ready(stats2), &values, n, 1.0, &mut big2)
    });
    report("log_softmax", 2 * total, &mut || {
        kernels::log_softmax(&logits, n, &mut big, stats2)
    });
    kernels::log_softmax(&logits, n, &mut big, stats2);
    report("log_softmax bwd", 3 * total, &mut || {
        kernels::log_softmax_backward(ready(&big), ready(stats2), &values, n, &mut big2)
    });
    report("soft_argmax", total, &mut || {
        kernels::soft_argmax(&logits, &coordinates, n, 1.0, &mut small, stats2)
    });
    report("soft_argmax bwd", 2 * total, &mut || {
        kernels::soft_argmax_backward(
            &logits,
            &coordinates,
            ready(stats2),
            ready(&small),
            &grad_row,
            n,
            1.0,
            &mut big,
        )
    });
    let unit = &values;
    let power = [2.0f32];
    report("gradual", 2 * total, &mut || {
        kernels::gradual_argmax(unit, &power, n, &mut big)
    });
    report("gradual bwd", 3 * total, &mut || {
        kernels::gradual_argmax_backward(unit, &power, &logits, n, false, &mut big, &mut small)
    });
    report("power_softmax", 2 * total, &mut || {
        kernels::power_softmax(unit, &power, n, &mut big, stats2)
    });
    kernels::power_softmax(unit, &power, n, &mut big, stats2);
    report("power_softmax bwd", 4 * total, &mut || {
        kernels::power_softmax_backward(
            unit,
            &power,
            ready(&big),
            ready(stats2),
            &logits,
            n,
            &mut big2,
            &mut small,
        )
    });
    report("argmax", total, &mut || {
        kernels::argmax(&logits, n, &mut index)
    });
    report("free_energy", 2 * total, &mut || {
        kernels::free_energy(&logits, &values, n, 1.0, &mut small, &mut stats)
    });
    kernels::free_energy(&logits, &values, n, 1.0, &mut small, &mut stats);
    report("free_energy bwd", 4 * total, &mut || {
        kernels::free_energy_backward(
            &logits,
            &values,
            ready(&stats),
            &grad_row,
            n,
            1.0,
            &mut big,
            &mut big2,
        )
    });
    let stats2 = &mut stats[..2 * rows];
    report("gumbel_softmax", 2 * total, &mut || {
        kernels::gumbel_softmax(&logits, n, 1.0, seed, &mut big, stats2)
    });
    report("gumbel_softmax given", 3 * total, &mut || {
        kernels::gumbel_softmax_with_noise(&logits, &values, n, 1.0, &mut big, stats2)
    });
    report("sample_categorical", total, &mut || {
        kernels::sample_categorical(&logits, n, 1, 1.0, seed, &mut index, &mut small, stats2)
    });
    let drawn: Vec<i64> = (0..rows).map(|r| (r % n) as i64).collect();
    report("log_prob", total, &mut || {
        kernels::categorical_log_prob(&logits, &drawn, n, 1, &mut small, stats2)
    });
    report("log_prob bwd", 2 * total, &mut || {
        kernels::categorical_log_prob_backward(
            &logits,
            &drawn,
            ready(stats2),
            &grad_row,
            n,
            1,
            1.0,
            &mut big,
        )
    });
    report("gumbel_argmax", 2 * total, &mut || {
        kernels::gumbel_argmax(&logits, n, 1.0, seed, &mut big, stats2)
    });
    report("gumbel_argmax bwd", 3 * total, &mut || {
        let stats = ready(stats2);
        kernels::gumbel_argmax_backward(&logits, stats, &values, n, 1.0, seed, &mut big)
    });
    report("straight_through", 2 * total, &mut || {
        kernels::straight_through_argmax(&logits, n, 1.0, &mut big, stats2)
    });
    report("straight_through bwd", 3 * total, &mut || {
        let stats = ready(stats2);
        kernels::straight_through_argmax_backward(&logits, stats, &values, n, 1.0, &mut big)
    });
    report("argmax_gather", total, &mut || {
        kernels::argmax_gather(&logits, &values, n, 1, &mut small)
    });
    report("argmax_gather bwd", total, &mut || {
        kernels::argmax_gather_backward(&logits, &grad_row, n, 1, &mut big)
    });
    for alpha in [1.25, 1.5, 2.0] {
        report(&format!("entmax {alpha}"), 2 * total, &mut || {
            kernels::entmax(&logits, n, alpha, &mut big, stats2)
        });
        report(&format!("entmax {alpha} bwd"), 3 * total, &mut || {
            let (probs, stats) = (ready(&big), ready(stats2));
            kernels::entmax_backward(probs, stats, &values, n, alpha, &mut big2)
        });
    }
    report("entmax_rows bwd", 3 * total, &mut || {
        let (probs, stats) = (ready(&big), ready(stats2));
        kernels::entmax_rows_backward(probs, &[1.5], stats, &values, n, &mut big2, &mut small)
    });
    report("budget", 2 * total, &mut || {
        kernels::budget(&logits, &[2.5], n, &mut big, stats2)
    });
    report("gradual bwd power", 3 * total, &mut || {
        kernels::gradual_argmax_backward(unit, &power, &logits, n, true, &mut big, &mut small)
    });
    report("gumbel noise", total, &mut || {
        kernels::gumbel(seed, 0, &mut big)
    });
    report("uniform noise", total, &mut || {
        kernels::uniform(seed, 0, &mut big)
    });
    for features in FEATURES {
        if total * features <= MOST {
            wide(rows, n, features, &logits, &report);
        }
    }
}

/// Times a kernel: its name, how many floats it moves, and a call.
type Report<'a> = dyn Fn(&str, usize, &mut dyn FnMut()) + 'a;

/// The backward pass of a gather.
type Backward = fn(
    &[f32],
    &[f32],
    &[f32],
    &[f32],
    &[f32],
    usize,
    usize,
    f64,
    &mut [MaybeUninit<f32>],
    &mut [MaybeUninit<f32>],
);

/// The gathers with features.
fn wide(rows: usize, n: usize, features: usize, logits: &[f32], report: &Report) {
    let total = rows * n;
    let values: Vec<f32> = (0..total * features)
        .map(|i| ((i * 104729) % 1009) as f32 * 0.000_99)
        .collect();
    let (mut soft, mut hard) = (spare(rows * features), spare(rows * features));
    let (mut stats, mut big, mut big2) = (spare(2 * rows), spare(total), spare(total * features));
    let grad = vec![1.0f32; rows * features];
    let floats = total * (features + 1);
    report(&format!("gather {features}"), floats, &mut || {
        kernels::soft_argmax_gather(logits, &values, n, features, 1.0, &mut soft, &mut stats)
    });
    report(&format!("hard gather {features}"), floats, &mut || {
        kernels::hard_argmax_gather(
            logits, &values, n, features, 1.0, &mut hard, &mut soft, &mut stats,
        )
    });
    for (name, backward) in [
        ("gather", kernels::soft_argmax_gather_backward as Backward),
        ("hard gather", kernels::hard_argmax_gather_backward),
    ] {
        report(&format!("{name} {features} bwd"), 2 * floats, &mut || {
            let (stats, soft) = (ready(&stats), ready(&soft));
            backward(
                logits, &values, stats, soft, &grad, n, features, 1.0, &mut big, &mut big2,
            )
        });
    }
}
