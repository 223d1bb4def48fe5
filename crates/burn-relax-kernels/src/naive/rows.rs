//! Softmax, gathers, free energy and Gumbel noise, row by row.

/// Index of the largest entry, the lowest on ties; NaN counts as largest.
pub fn argmax(x: &[f64]) -> usize {
    if let Some(k) = x.iter().position(|x| x.is_nan()) {
        return k;
    }
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    x.iter().position(|&v| v == max).unwrap_or(0)
}

/// A sum that carries its rounding errors along.
pub(super) fn sum(terms: impl Iterator<Item = f64>) -> f64 {
    let (mut total, mut errors) = (0.0, 0.0);
    for x in terms {
        let next: f64 = total + x;
        errors += if next.is_finite() {
            (total - (next - x)) + (x - (next - (next - x)))
        } else {
            0.0
        };
        total = next;
    }
    total + errors
}

pub(super) fn has_infinity(x: &[f64]) -> bool {
    x.contains(&f64::INFINITY)
}

pub(super) fn has_nan(x: &[f64]) -> bool {
    x.iter().any(|x| x.is_nan())
}

/// `softmax(x / temperature)`.
pub fn softmax(x: &[f64], temperature: f64) -> Vec<f64> {
    if has_nan(x) {
        return vec![f64::NAN; x.len()];
    }
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return vec![0.0; x.len()];
    }
    let e: Vec<f64> = x
        .iter()
        .map(|&x| {
            if x == max {
                1.0
            } else {
                ((x - max) / temperature).exp()
            }
        })
        .collect();
    let total = sum(e.iter().copied());
    e.iter().map(|e| e / total).collect()
}

/// `p (g - <p, g>) / temperature`
pub fn softmax_backward(x: &[f64], grad: &[f64], temperature: f64) -> Vec<f64> {
    if has_infinity(x) && !has_nan(x) {
        return vec![0.0; x.len()];
    }
    let p = softmax(x, temperature);
    let mean = sum(p
        .iter()
        .zip(grad)
        .filter(|(p, _)| **p != 0.0)
        .map(|(p, g)| p * g));
    p.iter()
        .zip(grad)
        .map(|(&p, g)| {
            if p == 0.0 {
                0.0
            } else {
                p * (g - mean) / temperature
            }
        })
        .collect()
}

/// `ln softmax(x)`
pub fn log_softmax(x: &[f64]) -> Vec<f64> {
    if has_nan(x) {
        return vec![f64::NAN; x.len()];
    }
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return vec![max; x.len()];
    }
    let z: Vec<f64> = x
        .iter()
        .map(|&x| if x == max { 0.0 } else { x - max })
        .collect();
    let log = sum(z.iter().map(|z| z.exp())).ln();
    z.iter().map(|z| z - log).collect()
}

/// `g - p sum(g)` over the allowed entries
pub fn log_softmax_backward(x: &[f64], grad: &[f64]) -> Vec<f64> {
    if has_infinity(x) && !has_nan(x) {
        return vec![0.0; x.len()];
    }
    let p = softmax(x, 1.0);
    let total = sum(x
        .iter()
        .zip(grad)
        .filter(|(x, _)| **x != f64::NEG_INFINITY)
        .map(|(_, g)| *g));
    (0..x.len())
        .map(|i| {
            if x[i] == f64::NEG_INFINITY && !p[i].is_nan() {
                0.0
            } else {
                grad[i] - p[i] * total
            }
        })
        .collect()
}

/// `sum_i w_i V_i`, `values` being `[n, features]`.
pub fn soft_argmax_gather(
    x: &[f64],
    values: &[f64],
    features: usize,
    temperature: f64,
) -> Vec<f64> {
    let w = softmax(x, temperature);
    (0..features)
        .map(|f| {
            sum((0..x.len())
                .filter(|&i| w[i] != 0.0)
                .map(|i| w[i] * values[i * features + f]))
        })
        .collect()
}

/// `V` at the argmax; 0 where nothing can be chosen.
pub fn hard_argmax_gather(x: &[f64], values: &[f64], features: usize) -> Vec<f64> {
    if has_nan(x) {
        return vec![f64::NAN; features];
    }
    let k = argmax(x);
    let nothing = x[k] == f64::NEG_INFINITY;
    (0..features)
        .map(|f| {
            if nothing {
                0.0
            } else {
                values[k * features + f]
            }
        })
        .collect()
}

/// Gradient of [`hard_argmax_gather`] with respect to the values: `grad` at the argmax, 0 elsewhere.
pub fn argmax_gather_backward(x: &[f64], grad: &[f64]) -> Vec<f64> {
    one_hot(x, x)
        .into_iter()
        .flat_map(|hot| {
            grad.iter()
                .map(move |g| if hot == 0.0 { 0.0 } else { hot * g })
        })
        .collect()
}

/// The one-hot of the argmax of `scores` in a row of logits `x`.
pub fn one_hot(x: &[f64], scores: &[f64]) -> Vec<f64> {
    if has_nan(x) {
        return vec![f64::NAN; x.len()];
    }
    let k = argmax(scores);
    (0..x.len())
        .map(|i| f64::from(i == k && x[i] != f64::NEG_INFINITY))
        .collect()
}

/// Gradient of `log_softmax(x)[index]` for several indices: forbidden ones do not count.
pub fn log_prob_backward(x: &[f64], index: &[usize], grad: &[f64]) -> Vec<f64> {
    let mut scattered = vec![0.0; x.len()];
    for (&k, g) in index.iter().zip(grad) {
        scattered[k] += g;
    }
    log_softmax_backward(x, &scattered)
}

/// Gradients of logits and values: `w_i (<V_i, g> - <soft, g>) / temperature` and `w_i g`.
pub fn soft_argmax_gather_backward(
    x: &[f64],
    values: &[f64],
    grad: &[f64],
    temperature: f64,
) -> (Vec<f64>, Vec<f64>) {
    let features = grad.len();
    let w = softmax(x, temperature);
    let soft = soft_argmax_gather(x, values, features, temperature);
    let constant = has_infinity(x) && !has_nan(x);
    let mut grad_x = Vec::new();
    let mut grad_v = Vec::new();
    for i in 0..x.len() {
        let d = sum((0..features).map(|f| (values[i * features + f] - soft[f]) * grad[f]));
        grad_x.push(if w[i] == 0.0 || constant {
            0.0
        } else {
            w[i] * d / temperature
        });
        grad_v.extend(
            grad.iter()
                .map(|g| if w[i] == 0.0 { 0.0 } else { w[i] * g }),
        );
    }
    (grad_x, grad_v)
}

/// Gradients of [`hard_argmax_gather`]: that of the soft gather for the logits, and of the chosen value alone.
pub fn hard_argmax_gather_backward(
    x: &[f64],
    values: &[f64],
    grad: &[f64],
    temperature: f64,
) -> (Vec<f64>, Vec<f64>) {
    let (grad_x, _) = soft_argmax_gather_backward(x, values, grad, temperature);
    (grad_x, argmax_gather_backward(x, grad))
}

/// `-T ln sum_k p_k exp(-f_k / T)`
pub fn free_energy(x: &[f64], cost: &[f64], temperature: f64) -> f64 {
    let l = log_softmax(x);
    let allowed: Vec<usize> = (0..x.len())
        .filter(|&i| l[i] != f64::NEG_INFINITY)
        .collect();
    if allowed.is_empty() {
        return 0.0;
    }
    if allowed.iter().any(|&i| l[i].is_nan() || cost[i].is_nan()) {
        return f64::NAN;
    }
    let best = allowed
        .iter()
        .map(|&i| cost[i] - temperature * l[i])
        .fold(f64::INFINITY, f64::min);
    if best == f64::INFINITY {
        return best;
    }
    best - temperature
        * sum(allowed
            .iter()
            .map(|&i| (l[i] - (cost[i] - best) / temperature).exp()))
        .ln()
}

/// Gradients of the logits, `T (p - r)`, and of the costs, `r`, with the responsibilities `r ~ p exp(-f / T)`.
pub fn free_energy_backward(
    x: &[f64],
    cost: &[f64],
    temperature: f64,
    grad: f64,
) -> (Vec<f64>, Vec<f64>) {
    let value = free_energy(x, cost, temperature);
    let l = log_softmax(x);
    let zero = vec![0.0; x.len()];
    if value == f64::INFINITY || l.iter().all(|&l| l == f64::NEG_INFINITY) {
        return (zero.clone(), zero);
    }
    let r: Vec<f64> = (0..x.len())
        .map(|i| {
            if l[i] == f64::NEG_INFINITY {
                0.0
            } else {
                (l[i] - (cost[i] - value) / temperature).exp()
            }
        })
        .collect();
    let to_logits = l
        .iter()
        .zip(&r)
        .map(|(l, r)| temperature * (l.exp() - r) * grad)
        .collect();
    let to_logits = if has_infinity(x) && !has_nan(x) {
        zero
    } else {
        to_logits
    };
    (to_logits, r.iter().map(|r| r * grad).collect())
}

/// `(x - max x) + noise`, forbidden entries staying `-inf`; rows with `+inf` get no noise.
pub fn perturbed(x: &[f64], noise: &[f64]) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max.is_infinite() || has_nan(x) {
        return x.to_vec();
    }
    let add = |(x, g): (&f64, &f64)| {
        if *x == f64::NEG_INFINITY {
            *x
        } else {
            (x - max) + g
        }
    };
    x.iter().zip(noise).map(add).collect()
}

/// `softmax((x + noise) / temperature)`
pub fn gumbel_softmax(x: &[f64], noise: &[f64], temperature: f64) -> Vec<f64> {
    softmax(&perturbed(x, noise), temperature)
}

/// The argmax of `x + noise` as a one-hot; among entries of `+inf` the noise decides.
pub fn gumbel_argmax(x: &[f64], noise: &[f64]) -> Vec<f64> {
    let x: Vec<f64> = if has_infinity(x) && !has_nan(x) {
        let finite = |&x: &f64| {
            if x == f64::INFINITY {
                0.0
            } else {
                f64::NEG_INFINITY
            }
        };
        x.iter().map(finite).collect()
    } else {
        x.to_vec()
    };
    one_hot(&x, &perturbed(&x, noise))
}

/// Gradient of the Gumbel-softmax with respect to the logits.
pub fn gumbel_softmax_backward(x: &[f64], noise: &[f64], grad: &[f64], t: f64) -> Vec<f64> {
    softmax_backward(&perturbed(x, noise), grad, t)
}

/// `-ln(-ln u)` of a draw, which is `u` or, if negative, `u - 1`.
pub fn gumbel(draw: f64) -> f64 {
    let ln_u = if draw < 0.0 { draw.ln_1p() } else { draw.ln() };
    -(-ln_u).ln()
}
