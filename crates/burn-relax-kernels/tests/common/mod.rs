//! Inputs, the list of all kernels, and the same list from the oracle.
#![allow(dead_code)] // each test binary uses its part

use burn_relax_kernels::{self as kernels, Element, Path, Real, Seed, force_path, naive};
use core::mem::MaybeUninit;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Row lengths round the lane widths (8, 16), the unrolled step (32, 64), the blocks of sums and the rows of real use.
pub const SIZES: [usize; 17] = [
    1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 63, 65, 255, 256, 257, 1025, 4096,
];

/// Features of the gather kernels, besides 1.
pub const FEATURES: [usize; 2] = [3, 70];

/// Fixed alphas of the sparse maps.
pub const ALPHAS: [f64; 3] = [1.25, 1.5, 2.0];

/// Inputs of all kernels for some rows, in `f64`; [`Case::rounded`] makes them exact in an element type.
#[derive(Clone)]
pub struct Case {
    pub n: usize,
    pub rows: usize,
    pub temperature: f64,
    pub logits: Vec<f64>,
    pub values: Vec<f64>,
    pub wide: [Vec<f64>; 2],
    pub coordinates: Vec<f64>,
    pub unit: Vec<f64>,
    pub power: Vec<f64>,
    pub alpha: Vec<f64>,
    pub budget: Vec<f64>,
    pub cost: Vec<f64>,
    pub noise: Vec<f64>,
    pub grad: Vec<f64>,
    pub grad_row: Vec<f64>,
    pub grad_wide: [Vec<f64>; 2],
    /// Two classes of every row.
    pub index: Vec<i64>,
    pub grad_two: Vec<f64>,
}

/// Classes asked for in every row of a log-probability.
const ASKED: usize = 2;

impl Case {
    pub fn random(seed: u64, rows: usize, n: usize, temperature: f64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut draw = |len: usize, low: f64, high: f64| -> Vec<f64> {
            (0..len)
                .map(|_| low + (high - low) * rng.random::<f64>())
                .collect()
        };
        let total = rows * n;
        let mut case = Case {
            n,
            rows,
            temperature,
            logits: draw(total, -4.0, 4.0),
            values: draw(total, -1.0, 1.0),
            wide: FEATURES.map(|f| draw(total * f, -1.0, 1.0)),
            coordinates: draw(n, -1.0, 1.0),
            unit: draw(total, 0.0, 1.0),
            power: draw(rows, 1.0, 6.0),
            alpha: draw(rows, 1.0, 2.0),
            budget: draw(rows, 0.2, 3.0),
            cost: draw(total, 0.0, 3.0),
            noise: draw(total, -1.5, 4.0),
            grad: draw(total, -1.0, 1.0),
            grad_row: draw(rows, -1.0, 1.0),
            grad_wide: FEATURES.map(|f| draw(rows * f, -1.0, 1.0)),
            index: draw(rows * ASKED, 0.0, n as f64)
                .iter()
                .map(|k| *k as i64)
                .collect(),
            grad_two: draw(rows * ASKED, -1.0, 1.0),
        };
        for r in 0..rows {
            let row = r * n..(r + 1) * n;
            match r % 4 {
                // ties of logits and of unit values
                1 => {
                    for i in row.clone() {
                        case.logits[i] = case.logits[i].round();
                        case.unit[i] = (case.unit[i] * 4.0).round() / 4.0;
                    }
                }
                // every third class forbidden, and zeros among the unit values
                2 => {
                    for i in row.clone().step_by(3) {
                        case.logits[i] = f64::NEG_INFINITY;
                        case.unit[i] = 0.0;
                    }
                }
                // one class far ahead
                3 => case.logits[row.start + n / 2] = 30.0,
                // the members of the entmax family that have code of their own
                _ if r > 0 => case.alpha[r] = [1.0, 1.5, 2.0][r / 4 % 3],
                _ => {}
            }
        }
        case
    }

    fn all(&mut self) -> Vec<&mut Vec<f64>> {
        let mut all = vec![
            &mut self.logits,
            &mut self.values,
            &mut self.coordinates,
            &mut self.unit,
            &mut self.power,
            &mut self.alpha,
            &mut self.budget,
            &mut self.cost,
            &mut self.noise,
            &mut self.grad,
            &mut self.grad_row,
            &mut self.grad_two,
        ];
        all.extend(self.wide.iter_mut());
        all.extend(self.grad_wide.iter_mut());
        all
    }

    /// Every input rounded to `F`.
    pub fn rounded<F: Element>(mut self) -> Self {
        for input in self.all() {
            *input = wide(&narrow::<F>(input));
        }
        self
    }
}

pub fn narrow<F: Element>(x: &[f64]) -> Vec<F> {
    x.iter()
        .map(|&x| F::from_acc(F::Acc::from_f64(x)))
        .collect()
}

pub fn wide<F: Element>(x: &[F]) -> Vec<f64> {
    x.iter().map(|x| x.to_acc().to_f64()).collect()
}

/// An output buffer whose unwritten values show: NaN is never a right answer for finite input.
pub fn buffer<T: Copy>(len: usize, poison: T) -> Vec<MaybeUninit<T>> {
    vec![MaybeUninit::new(poison); len]
}

pub fn filled<T: Copy>(v: Vec<MaybeUninit<T>>) -> Vec<T> {
    // SAFETY: `buffer` initialises every value.
    v.into_iter().map(|x| unsafe { x.assume_init() }).collect()
}

pub fn out<F: Element>(len: usize) -> Vec<MaybeUninit<F>> {
    buffer(len, F::from_acc(F::Acc::NAN))
}

pub fn stats<F: Element>(len: usize) -> Vec<MaybeUninit<F::Acc>> {
    buffer(len, F::Acc::NAN)
}

pub const SEED: Seed = Seed::new(0x1234_5678_9abc_def0, 77);

/// A named output of a kernel, in `f64`, with the number of values per row.
pub type Named = (String, usize, Vec<f64>);

/// Runs every kernel forward and backward.
pub fn every_kernel<F: Element>(c: &Case) -> Vec<Named> {
    let (n, rows, t) = (c.n, c.rows, c.temperature);
    let total = n * rows;
    let logits = narrow::<F>(&c.logits);
    let (grad, grad_row) = (narrow::<F>(&c.grad), narrow::<F>(&c.grad_row));
    let mut named: Vec<Named> = Vec::new();
    let mut add = |name: &str, width: usize, v: &[F]| named.push((name.to_owned(), width, wide(v)));

    let (mut a, mut s) = (out::<F>(total), stats::<F>(2 * rows));
    kernels::softmax(&logits, n, t, &mut a, &mut s);
    let (probs, row_stats) = (filled(a), filled(s));
    let mut b = out::<F>(total);
    kernels::softmax_backward(&probs, &row_stats, &grad, n, t, &mut b);
    add("softmax", n, &probs);
    add("softmax_backward", n, &filled(b));

    let (mut a, mut s) = (out::<F>(total), stats::<F>(2 * rows));
    kernels::log_softmax(&logits, n, &mut a, &mut s);
    let (log_probs, row_stats) = (filled(a), filled(s));
    let mut b = out::<F>(total);
    kernels::log_softmax_backward(&log_probs, &row_stats, &grad, n, &mut b);
    add("log_softmax", n, &log_probs);
    add("log_softmax_backward", n, &filled(b));

    let gathers = [
        (1, &c.values, &c.grad_row),
        (FEATURES[0], &c.wide[0], &c.grad_wide[0]),
        (FEATURES[1], &c.wide[1], &c.grad_wide[1]),
    ];
    for (f, values, g) in gathers {
        let (values, g) = (narrow::<F>(values), narrow::<F>(g));
        let (mut soft, mut s) = (out::<F>(rows * f), stats::<F>(2 * rows));
        kernels::soft_argmax_gather(&logits, &values, n, f, t, &mut soft, &mut s);
        let soft = filled(soft);
        add(&format!("gather {f}"), f, &soft);
        let (mut hard, mut soft2, mut s) =
            (out::<F>(rows * f), out::<F>(rows * f), stats::<F>(2 * rows));
        kernels::hard_argmax_gather(&logits, &values, n, f, t, &mut hard, &mut soft2, &mut s);
        let s = filled(s);
        assert!(
            same(&wide(&soft), &wide(&filled(soft2))),
            "hard gather has its own soft result"
        );
        add(&format!("hard gather {f}"), f, &filled(hard));
        let (mut gx, mut gv) = (out::<F>(total), out::<F>(total * f));
        kernels::soft_argmax_gather_backward(
            &logits, &values, &s, &soft, &g, n, f, t, &mut gx, &mut gv,
        );
        add(&format!("gather {f} logits"), n, &filled(gx));
        add(&format!("gather {f} values"), n * f, &filled(gv));
    }

    let coordinates = narrow::<F>(&c.coordinates);
    let (mut e, mut s) = (out::<F>(rows), stats::<F>(2 * rows));
    kernels::soft_argmax(&logits, &coordinates, n, t, &mut e, &mut s);
    let (e, s) = (filled(e), filled(s));
    let mut b = out::<F>(total);
    kernels::soft_argmax_backward(&logits, &coordinates, &s, &e, &grad_row, n, t, &mut b);
    add("soft_argmax", 1, &e);
    add("soft_argmax_backward", n, &filled(b));

    let (unit, power) = (narrow::<F>(&c.unit), narrow::<F>(&c.power));
    let mut y = out::<F>(total);
    kernels::gradual_argmax(&unit, &power, n, &mut y);
    let (mut gv, mut gp) = (out::<F>(total), out::<F>(rows));
    kernels::gradual_argmax_backward(&unit, &power, &grad, n, &mut gv, &mut gp);
    add("gradual", n, &filled(y));
    add("gradual values", n, &filled(gv));
    add("gradual power", 1, &filled(gp));

    let (mut y, mut s) = (out::<F>(total), stats::<F>(2 * rows));
    kernels::power_softmax(&unit, &power, n, &mut y, &mut s);
    let (y, s) = (filled(y), filled(s));
    let (mut gv, mut gp) = (out::<F>(total), out::<F>(rows));
    kernels::power_softmax_backward(&unit, &power, &y, &s, &grad, n, &mut gv, &mut gp);
    add("power_softmax", n, &y);
    add("power_softmax values", n, &filled(gv));
    add("power_softmax power", 1, &filled(gp));

    let cost = narrow::<F>(&c.cost);
    let (mut e, mut s) = (out::<F>(rows), stats::<F>(4 * rows));
    kernels::free_energy(&logits, &cost, n, t, &mut e, &mut s);
    let s = filled(s);
    let (mut gx, mut gf) = (out::<F>(total), out::<F>(total));
    kernels::free_energy_backward(&logits, &cost, &s, &grad_row, n, t, &mut gx, &mut gf);
    add("free_energy", 1, &filled(e));
    add("free_energy logits", n, &filled(gx));
    add("free_energy cost", n, &filled(gf));

    let noise = narrow::<F>(&c.noise);
    let (mut y, mut s) = (out::<F>(total), stats::<F>(2 * rows));
    kernels::gumbel_softmax(&logits, Some(&noise), SEED, 0, n, t, &mut y, &mut s);
    add("gumbel_softmax", n, &filled(y));

    let (mut y, mut s) = (out::<F>(total), stats::<F>(2 * rows));
    kernels::gumbel_argmax(&logits, Some(&noise), SEED, 0, n, t, &mut y, &mut s);
    let mut b = out::<F>(total);
    kernels::gumbel_argmax_backward(
        &logits,
        Some(&noise),
        SEED,
        0,
        &filled(s),
        &grad,
        n,
        t,
        &mut b,
    );
    add("gumbel_argmax", n, &filled(y));
    add("gumbel_argmax_backward", n, &filled(b));

    let (mut y, mut s) = (out::<F>(total), stats::<F>(2 * rows));
    kernels::straight_through_argmax(&logits, n, t, &mut y, &mut s);
    let mut b = out::<F>(total);
    kernels::straight_through_argmax_backward(&logits, &filled(s), &grad, n, t, &mut b);
    add("straight_through_argmax", n, &filled(y));
    add("straight_through_argmax_backward", n, &filled(b));

    let (mut y, mut s) = (out::<F>(ASKED * rows), stats::<F>(2 * rows));
    kernels::categorical_log_prob(&logits, &c.index, n, ASKED, &mut y, &mut s);
    let (mut b, g) = (out::<F>(total), narrow::<F>(&c.grad_two));
    kernels::categorical_log_prob_backward(
        &logits,
        &c.index,
        &filled(s),
        &g,
        n,
        ASKED,
        1.0,
        &mut b,
    );
    add("log_prob", ASKED, &filled(y));
    add("log_prob_backward", n, &filled(b));

    for (f, values, g) in gathers {
        let (values, g) = (narrow::<F>(values), narrow::<F>(g));
        let (mut y, mut b) = (out::<F>(rows * f), out::<F>(total * f));
        kernels::argmax_gather(&logits, &values, n, f, &mut y);
        kernels::argmax_gather_backward(&logits, &g, n, f, &mut b);
        add(&format!("argmax gather {f}"), f, &filled(y));
        add(&format!("argmax gather {f} values"), n * f, &filled(b));
    }

    let mut k = buffer(rows, -1i64);
    kernels::argmax(&logits, n, &mut k);
    named.push((
        "argmax".into(),
        1,
        filled(k).iter().map(|&k| k as f64).collect(),
    ));
    named.extend(sparse_kernels::<F>(c));
    named
}

/// The sparse maps, forward and backward.
fn sparse_kernels<F: Element>(c: &Case) -> Vec<Named> {
    let (n, rows) = (c.n, c.rows);
    let total = n * rows;
    let (logits, grad) = (narrow::<F>(&c.logits), narrow::<F>(&c.grad));
    let (alpha, budget) = (narrow::<F>(&c.alpha), narrow::<F>(&c.budget));
    let mut named: Vec<Named> = Vec::new();
    let mut add = |name: &str, width: usize, v: &[F]| named.push((name.to_owned(), width, wide(v)));

    for alpha in ALPHAS {
        let (mut p, mut s) = (out::<F>(total), stats::<F>(2 * rows));
        kernels::entmax(&logits, alpha, n, &mut p, &mut s);
        let (p, s) = (filled(p), filled(s));
        let mut b = out::<F>(total);
        kernels::entmax_backward(&p, &s, &grad, alpha, n, &mut b);
        add(&format!("entmax {alpha}"), n, &p);
        add(&format!("entmax {alpha} backward"), n, &filled(b));
    }

    let (mut p, mut s) = (out::<F>(total), stats::<F>(2 * rows));
    kernels::entmax_rows(&logits, &alpha, n, &mut p, &mut s);
    let (p, s) = (filled(p), filled(s));
    let (mut gx, mut ga) = (out::<F>(total), out::<F>(rows));
    kernels::entmax_rows_backward(&p, &alpha, &s, &grad, n, &mut gx, &mut ga);
    add("entmax rows", n, &p);
    add("entmax rows backward logits", n, &filled(gx));
    add("entmax rows backward alpha", 1, &filled(ga));

    let (mut p, mut s) = (out::<F>(total), stats::<F>(2 * rows));
    kernels::budget(&logits, &budget, n, &mut p, &mut s);
    let (p, s) = (filled(p), filled(s));
    let (mut gx, mut gk) = (out::<F>(total), out::<F>(rows));
    kernels::budget_backward(&p, &s, &grad, n, &mut gx, &mut gk);
    add("budget", n, &p);
    add("budget backward logits", n, &filled(gx));
    add("budget backward budget", 1, &filled(gk));
    named
}

/// Kernels that make their own noise: compared among paths and threads only.
pub fn every_noise_kernel<F: Element>(c: &Case) -> Vec<Named> {
    let (n, rows) = (c.n, c.rows);
    let logits = narrow::<F>(&c.logits);
    let mut named: Vec<Named> = Vec::new();
    let (mut y, mut s) = (out::<F>(n * rows), stats::<F>(2 * rows));
    kernels::gumbel_softmax(&logits, None, SEED, 5, n, c.temperature, &mut y, &mut s);
    named.push(("gumbel_softmax".into(), n, wide(&filled(y))));
    let (mut y, mut s) = (out::<F>(n * rows), stats::<F>(2 * rows));
    kernels::gumbel_argmax(&logits, None, SEED, 5, n, c.temperature, &mut y, &mut s);
    named.push(("gumbel_argmax".into(), n, wide(&filled(y))));
    let (mut b, g) = (out::<F>(n * rows), narrow::<F>(&c.grad));
    kernels::gumbel_argmax_backward(
        &logits,
        None,
        SEED,
        5,
        &filled(s),
        &g,
        n,
        c.temperature,
        &mut b,
    );
    named.push(("gumbel_argmax_backward".into(), n, wide(&filled(b))));
    let (mut k, mut l) = (buffer(3 * rows, -1i64), out::<F>(3 * rows));
    let mut s = stats::<F>(2 * rows);
    kernels::sample_categorical(
        &logits,
        SEED,
        5,
        n,
        3,
        c.temperature,
        &mut k,
        &mut l,
        &mut s,
    );
    named.push((
        "index".into(),
        3,
        filled(k).iter().map(|&k| k as f64).collect(),
    ));
    named.push(("log_prob".into(), 3, wide(&filled(l))));
    let (mut u, mut g) = (out::<F>(n * rows), out::<F>(n * rows));
    kernels::uniform(SEED, 5, &mut u);
    kernels::gumbel(SEED, 5, &mut g);
    named.push(("uniform".into(), n, wide(&filled(u))));
    named.push(("gumbel".into(), n, wide(&filled(g))));
    named
}

/// The oracle's answers, in the order of [`every_kernel`].
pub fn oracle(c: &Case) -> Vec<Vec<f64>> {
    let (n, t) = (c.n, c.temperature);
    let mut answers = vec![Vec::new(); 53];
    for r in 0..c.rows {
        let x = &c.logits[r * n..][..n];
        let g = &c.grad[r * n..][..n];
        let g1 = c.grad_row[r];
        let mut row = vec![
            naive::softmax(x, t),
            naive::softmax_backward(x, g, t),
            naive::log_softmax(x),
            naive::log_softmax_backward(x, g),
        ];
        let gathers = [
            (1, &c.values, &c.grad_row),
            (FEATURES[0], &c.wide[0], &c.grad_wide[0]),
            (FEATURES[1], &c.wide[1], &c.grad_wide[1]),
        ];
        for (f, values, g) in gathers {
            let (v, g) = (&values[r * n * f..][..n * f], &g[r * f..][..f]);
            let (gx, gv) = naive::soft_argmax_gather_backward(x, v, g, t);
            row.extend([
                naive::soft_argmax_gather(x, v, f, t),
                naive::hard_argmax_gather(x, v, f),
                gx,
                gv,
            ]);
        }
        row.push(naive::soft_argmax_gather(x, &c.coordinates, 1, t));
        row.push(naive::soft_argmax_gather_backward(x, &c.coordinates, &[g1], t).0);
        let (v, p) = (&c.unit[r * n..][..n], c.power[r]);
        let (gv, gp) = naive::gradual_argmax_backward(v, p, g);
        row.extend([naive::gradual_argmax(v, p), gv, vec![gp]]);
        let (gv, gp) = naive::power_softmax_backward(v, p, g);
        row.extend([naive::power_softmax(v, p), gv, vec![gp]]);
        let f = &c.cost[r * n..][..n];
        let (gx, gf) = naive::free_energy_backward(x, f, t, g1);
        row.extend([vec![naive::free_energy(x, f, t)], gx, gf]);
        let noise = &c.noise[r * n..][..n];
        row.push(naive::gumbel_softmax(x, noise, t));
        row.push(naive::gumbel_argmax(x, noise));
        row.push(naive::gumbel_softmax_backward(x, noise, g, t));
        row.push(naive::one_hot(x, x));
        row.push(naive::softmax_backward(x, g, t));
        let asked: Vec<usize> = c.index[r * ASKED..][..ASKED]
            .iter()
            .map(|&k| k as usize)
            .collect();
        let log_probs = naive::log_softmax(x);
        row.push(asked.iter().map(|&k| log_probs[k]).collect());
        let g2 = &c.grad_two[r * ASKED..][..ASKED];
        row.push(naive::log_prob_backward(x, &asked, g2));
        for (f, values, g) in gathers {
            let (v, g) = (&values[r * n * f..][..n * f], &g[r * f..][..f]);
            row.push(naive::hard_argmax_gather(x, v, f));
            row.push(naive::argmax_gather_backward(x, g));
        }
        row.push(vec![naive::argmax(x) as f64]);
        for alpha in ALPHAS {
            let (gx, _) = naive::entmax_backward(x, alpha, g);
            row.extend([naive::entmax(x, alpha), gx]);
        }
        let (gx, ga) = naive::entmax_backward(x, c.alpha[r], g);
        row.extend([naive::entmax(x, c.alpha[r]), gx, vec![ga]]);
        let (gx, gk) = naive::budget_backward(x, c.budget[r], g);
        row.extend([naive::budget(x, c.budget[r]), gx, vec![gk]]);
        assert_eq!(row.len(), answers.len());
        for (answer, row) in answers.iter_mut().zip(row) {
            answer.extend(row);
        }
    }
    answers
}

/// How much larger than 1 the numbers are that a kernel rounds on the way to its result, for inputs of order 1.
pub fn sensitivity(name: &str, n: usize, temperature: f64) -> f64 {
    match name {
        // Sums of n terms of order 1.
        "gradual power" | "power_softmax power" | "log_softmax_backward" => (n as f64).sqrt(),
        // p / max times a difference: p is up to 6, the maximum may be small.
        "power_softmax values" => 20.0,
        // p is up to 6.
        "gradual values" => 6.0,
        // 70 differences of values and their mean, which cancel where one weight is nearly 1.
        "gather 70 logits" => 10.0 / temperature,
        // Logits of order 4 less a threshold.
        "budget" => 4.0,
        // Squared logarithms of the weights.
        "entmax rows backward alpha" => 20.0,
        // A sharp temperature multiplies gradients.
        _ => 1.0 / temperature,
    }
}

/// Equality of every bit, any NaN equal to any other.
pub fn same(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
}

/// Panics with the worst value unless `|got - want| <= absolute + relative |want|`, infinities and NaN being equal to themselves.
pub fn assert_close(what: &str, got: &[f64], want: &[f64], absolute: f64, relative: f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
        let equal = g == w || (g.is_nan() && w.is_nan());
        assert!(
            equal || (g - w).abs() <= absolute + relative * w.abs(),
            "{what}[{i}]: got {g:e}, want {w:e}, difference {:e}",
            (g - w).abs()
        );
    }
}

/// Runs `f` with one SIMD path forced on this thread.
pub fn on_path<T>(path: Path, f: impl FnOnce() -> T) -> T {
    force_path(Some(path));
    let result = f();
    force_path(None);
    result
}

/// Runs `f` in a pool of its own.
pub fn on_threads<T: Send>(threads: usize, f: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(f)
}
