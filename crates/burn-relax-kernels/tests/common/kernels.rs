//! The list of all kernels, run forward and backward.

use super::case::ASKED;
use super::{ALPHAS, Case, SEED, buffer, filled, narrow, out, same, stats, wide};
use burn_relax_kernels::{self as kernels, Element, Real};

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

    for (f, values, g) in c.gathers() {
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
    kernels::gradual_argmax_backward(&unit, &power, &grad, n, &mut gv, Some(&mut gp));
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
    kernels::gumbel_argmax(&logits, Some(&noise), SEED, 0, n, &mut y, &mut s);
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
    kernels::straight_through_argmax(&logits, n, &mut y, &mut s);
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

    for (f, values, g) in c.gathers() {
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
    kernels::gumbel_argmax(&logits, None, SEED, 5, n, &mut y, &mut s);
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
