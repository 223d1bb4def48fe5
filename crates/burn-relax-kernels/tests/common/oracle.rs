//! The same list from the oracle.

use super::case::ASKED;
use super::{ALPHAS, Case};
use burn_relax_kernels::naive;

/// The oracle's answers, in the order of [`every_kernel`].
pub fn oracle(c: &Case) -> Vec<Vec<f64>> {
    let (n, t) = (c.n, c.temperature);
    let mut answers: Vec<Vec<f64>> = Vec::new();
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
        for (f, values, g) in c.gathers() {
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
        for (f, values, g) in c.gathers() {
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
        answers.resize(row.len(), Vec::new());
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
