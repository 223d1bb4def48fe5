//! The best gradients that a backward kernel can give: the oracle's formulas on what the kernel receives, saved outputs and
//! statistics as they were rounded.

use super::*;

/// Runs a kernel that fills one output and the statistics of its rows, and returns both in `f64`.
fn saved(
    len: usize,
    rows: usize,
    kernel: impl FnOnce(&mut [MaybeUninit<f32>], &mut [MaybeUninit<f32>]),
) -> (Vec<f64>, Vec<f64>) {
    let (mut out, mut stats) = (out::<f32>(len), stats::<f32>(2 * rows));
    kernel(&mut out, &mut stats);
    (wide(&filled(out)), wide(&filled(stats)))
}

/// The weights of a row by its statistics.
fn weights(x: &[f64], stats: &[f64], temperature: f64) -> Vec<f64> {
    x.iter()
        .map(|x| ((x - stats[0]) / temperature).exp() / stats[1])
        .collect()
}

/// By name as in [`every_kernel`], the gradients of the kernels that read what their forward saved.
pub fn best_gradients(c: &Case) -> Vec<(String, Vec<f64>)> {
    let (n, rows, t) = (c.n, c.rows, c.temperature);
    let total = n * rows;
    let x = narrow::<f32>(&c.logits);
    let mut named = Vec::new();
    let mut add = |name: String, row: &dyn Fn(usize) -> Vec<f64>| {
        named.push((name, (0..rows).flat_map(row).collect::<Vec<f64>>()));
    };
    // Row `r` of width `w`.
    let at = |v: &[f64], r: usize, w: usize| -> Vec<f64> { v[r * w..][..w].to_vec() };

    let (p, s) = saved(total, rows, |p, s| kernels::softmax(&x, n, t, p, s));
    add("softmax_backward".into(), &|r| {
        naive::softmax_gradient(&at(&p, r, n), &at(&c.grad, r, n), t)
    });
    add("straight_through_argmax_backward".into(), &|r| {
        let w = weights(&at(&c.logits, r, n), &at(&s, r, 2), t);
        naive::softmax_gradient(&w, &at(&c.grad, r, n), t)
    });

    let (l, log_stats) = saved(total, rows, |l, s| kernels::log_softmax(&x, n, l, s));
    add("log_softmax_backward".into(), &|r| {
        naive::log_softmax_gradient(&at(&l, r, n), &at(&c.grad, r, n))
    });
    add("log_prob_backward".into(), &|r| {
        let mut grad = vec![0.0; n];
        let (asked, given) = (&c.index[r * ASKED..], &c.grad_two[r * ASKED..]);
        let logits = at(&c.logits, r, n);
        for (&k, g) in asked.iter().zip(given).take(ASKED) {
            grad[k as usize] += g;
        }
        let w = weights(&logits, &at(&log_stats, r, 2), 1.0);
        let logs: Vec<f64> = w.iter().map(|w| w.ln()).collect();
        naive::log_softmax_gradient(&logs, &grad)
    });

    let gathers = [
        (1, &c.values, &c.grad_row),
        (FEATURES[0], &c.wide[0], &c.grad_wide[0]),
        (FEATURES[1], &c.wide[1], &c.grad_wide[1]),
    ];
    for (f, values, grad) in gathers {
        let v = narrow::<f32>(values);
        let (soft, s) = saved(rows * f, rows, |soft, s| {
            kernels::soft_argmax_gather(&x, &v, n, f, t, soft, s);
        });
        let gradients = |r: usize| {
            let w = weights(&at(&c.logits, r, n), &at(&s, r, 2), t);
            let (soft, v) = (at(&soft, r, f), at(values, r, n * f));
            naive::gather_gradients(&w, &soft, &v, &at(grad, r, f), t)
        };
        add(format!("gather {f} logits"), &|r| gradients(r).0);
        add(format!("gather {f} values"), &|r| gradients(r).1);
    }
    let coordinates = narrow::<f32>(&c.coordinates);
    let (e, s) = saved(rows, rows, |e, s| {
        kernels::soft_argmax(&x, &coordinates, n, t, e, s);
    });
    add("soft_argmax_backward".into(), &|r| {
        let w = weights(&at(&c.logits, r, n), &at(&s, r, 2), t);
        naive::gather_gradients(&w, &e[r..=r], &c.coordinates, &c.grad_row[r..=r], t).0
    });

    let (unit, power) = (narrow::<f32>(&c.unit), narrow::<f32>(&c.power));
    let (y, s) = saved(total, rows, |y, s| {
        kernels::power_softmax(&unit, &power, n, y, s);
    });
    let gradients = |r: usize| {
        if s[2 * r] == 0.0 {
            return (vec![0.0; n], 0.0);
        }
        let (v, y, g) = (at(&c.unit, r, n), at(&y, r, n), at(&c.grad, r, n));
        naive::power_gradients(&v, c.power[r], &y, [s[2 * r], s[2 * r + 1]], &g)
    };
    add("power_softmax values".into(), &|r| gradients(r).0);
    add("power_softmax power".into(), &|r| vec![gradients(r).1]);

    let noise = narrow::<f32>(&c.noise);
    let (_, s) = saved(total, rows, |y, s| {
        kernels::gumbel_argmax(&x, Some(&noise), SEED, 0, n, t, y, s);
    });
    add("gumbel_argmax_backward".into(), &|r| {
        let z = naive::perturbed(&at(&c.logits, r, n), &at(&c.noise, r, n));
        let w = weights(&z, &at(&s, r, 2), t);
        naive::softmax_gradient(&w, &at(&c.grad, r, n), t)
    });

    for alpha in ALPHAS {
        let (p, _) = saved(total, rows, |p, s| kernels::entmax(&x, alpha, n, p, s));
        add(format!("entmax {alpha} backward"), &|r| {
            naive::entmax_gradients(&at(&p, r, n), alpha, &at(&c.grad, r, n)).0
        });
    }
    let alpha = narrow::<f32>(&c.alpha);
    let (p, _) = saved(total, rows, |p, s| {
        kernels::entmax_rows(&x, &alpha, n, p, s);
    });
    let gradients =
        |r: usize| naive::entmax_gradients(&at(&p, r, n), c.alpha[r], &at(&c.grad, r, n));
    add("entmax rows backward logits".into(), &|r| gradients(r).0);
    add("entmax rows backward alpha".into(), &|r| {
        vec![gradients(r).1]
    });
    named
}
