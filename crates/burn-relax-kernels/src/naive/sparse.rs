//! The sparse maps by sorting, where there is a closed form on the sorted row, and by a bracket that shrinks where there is none.

use super::rows::{has_infinity, has_nan, softmax, sum};

/// The entries that may be chosen, largest first.
fn sorted(x: &[f64]) -> Vec<f64> {
    let mut z: Vec<f64> = x
        .iter()
        .copied()
        .filter(|x| *x > f64::NEG_INFINITY)
        .collect();
    z.sort_by(|a, b| b.total_cmp(a));
    z
}

/// `None` for rows without infinities and NaN, else what they map to: with NaN, with `+inf`, all `-inf`.
fn special(x: &[f64]) -> Option<Vec<f64>> {
    let nothing = x.iter().all(|&x| x == f64::NEG_INFINITY);
    (has_nan(x) || has_infinity(x) || nothing).then(|| softmax(x, 1.0))
}

/// `[x - t]_+` with sum 1: `t` from the longest prefix of the sorted row that supports it.
pub fn sparsemax(x: &[f64]) -> Vec<f64> {
    if let Some(p) = special(x) {
        return p;
    }
    let z = sorted(x);
    let max = z[0];
    // Thresholds rise as long as the prefix is the support or shorter.
    let threshold = |k: usize| (sum(z[..k].iter().map(|z| z - max)) - 1.0) / k as f64;
    let mut k = 1;
    while k < z.len() && z[k] - max > threshold(k + 1) {
        k += 1;
    }
    let t = threshold(k);
    x.iter().map(|x| (x - max - t).max(0.0)).collect()
}

/// `s (g - mean_S g)`
pub fn sparsemax_backward(x: &[f64], grad: &[f64]) -> Vec<f64> {
    backward(x, &sparsemax(x), grad, |_| 1.0).0
}

/// `[x/2 - t]_+^2` with sum 1, by the closed form on every prefix of the sorted row.
pub fn entmax15(x: &[f64]) -> Vec<f64> {
    if let Some(p) = special(x) {
        return p;
    }
    let z = sorted(x);
    let max = z[0];
    let z: Vec<f64> = z.iter().map(|z| (z - max) / 2.0).collect();
    let threshold = |k: usize| {
        let mean = sum(z[..k].iter().copied()) / k as f64;
        let spread = sum(z[..k].iter().map(|z| (z - mean) * (z - mean)));
        mean - ((1.0 - spread) / k as f64).max(0.0).sqrt()
    };
    // Thresholds rise as long as the prefix is the support or shorter.
    let mut k = 1;
    while k < z.len() && z[k] > threshold(k + 1) {
        k += 1;
    }
    let t = threshold(k);
    x.iter()
        .map(|x| ((x - max) / 2.0 - t).max(0.0).powi(2))
        .collect()
}

/// `s (g - <s, g> / sum s)` with `s = sqrt p`
pub fn entmax15_backward(x: &[f64], grad: &[f64]) -> Vec<f64> {
    backward(x, &entmax15(x), grad, f64::sqrt).0
}

/// How far from 1 the sum of weights may end: the last digit.
const SUM_ERROR: f64 = f64::EPSILON;

/// `p_i = exp(log1p(e (x_i - c)) / e)`, `e = alpha - 1`, with `c` in a bracket that shrinks; the softmax at `e = 0`.
pub fn entmax(x: &[f64], alpha: f64) -> Vec<f64> {
    if let Some(p) = special(x) {
        return p;
    }
    let e = alpha - 1.0;
    if e == 0.0 {
        return softmax(x, 1.0);
    }
    let z = sorted(x);
    let max = z[0];
    let weight = |x: f64, c: f64| {
        let t = e * (x - max - c);
        if x == f64::NEG_INFINITY || t <= -1.0 {
            0.0
        } else {
            (t.ln_1p() / e).exp()
        }
    };
    let excess = |c: f64| sum(z.iter().map(|&z| weight(z, c))) - 1.0;
    // At 0 the maximum alone has weight 1; with all entries tied, c is the upper end.
    let (mut low, mut high) = (0.0, -((-e * (z.len() as f64).ln()).exp_m1()) / e);
    let (mut above, mut below) = (excess(low), excess(high));
    let mut halve = false;
    while above > SUM_ERROR && below < -SUM_ERROR {
        // False position and halving take turns.
        halve = !halve;
        let share = if halve { 0.5 } else { above / (above - below) };
        let middle = low + (high - low) * share;
        if middle <= low || middle >= high {
            if halve {
                break;
            }
            continue;
        }
        let rest = excess(middle);
        if rest > 0.0 {
            (low, above) = (middle, rest);
        } else {
            (high, below) = (middle, rest);
        }
    }
    let c = if above <= SUM_ERROR { low } else { high };
    x.iter().map(|&x| weight(x, c)).collect()
}

/// Gradients of the logits and of alpha.
pub fn entmax_backward(x: &[f64], alpha: f64, grad: &[f64]) -> (Vec<f64>, f64) {
    let p = entmax(x, alpha);
    let (to_logits, mean) = backward(x, &p, grad, |p| p.powf(2.0 - alpha));
    if has_infinity(x) && !has_nan(x) {
        return (to_logits, 0.0);
    }
    let e = alpha - 1.0;
    let ratio = |p: f64| {
        let log = p.ln();
        let w = e * log;
        if w.abs() < 1e-3 {
            log * log * (-0.5 + w / 6.0 - w * w / 24.0 + w * w * w / 120.0 - w.powi(4) / 720.0)
        } else {
            -((-w).exp_m1() + w) / (e * e)
        }
    };
    let support = (0..x.len()).filter(|&i| p[i] != 0.0);
    let to_alpha = sum(support.map(|i| p[i] * ratio(p[i]) * (grad[i] - mean)));
    (to_logits, to_alpha)
}

/// `s_i (g_i - <s, g> / sum s)` on the support, and that mean.
fn backward(x: &[f64], p: &[f64], grad: &[f64], slope: impl Fn(f64) -> f64) -> (Vec<f64>, f64) {
    if has_infinity(x) && !has_nan(x) {
        return (vec![0.0; x.len()], 0.0);
    }
    let slope = |p: f64| if p == 0.0 || p.is_nan() { p } else { slope(p) };
    let s: Vec<f64> = p.iter().map(|&p| slope(p)).collect();
    let total = sum(s.iter().copied());
    let weighted = sum((0..s.len())
        .filter(|&i| s[i] != 0.0)
        .map(|i| s[i] * grad[i]));
    let mean = if total == 0.0 { 0.0 } else { weighted / total };
    let gradient = |(s, g): (&f64, &f64)| if *s == 0.0 { 0.0 } else { s * (g - mean) };
    (s.iter().zip(grad).map(gradient).collect(), mean)
}

/// `clip(x - t, 0, 1)` with sum `k`: `t` lies between two neighbours of the sorted breakpoints `x` and `x - 1`, where the sum is
/// linear. A row with fewer than `k` allowed entries gives 1 to each; with `+inf`, those share, up to 1 each.
pub fn budget(x: &[f64], k: f64) -> Vec<f64> {
    if has_nan(x) || k.is_nan() {
        return vec![f64::NAN; x.len()];
    }
    let infinite = x.iter().filter(|&&x| x == f64::INFINITY).count() as f64;
    if infinite > 0.0 {
        let share = (k / infinite).min(1.0);
        let shared = |&x: &f64| if x == f64::INFINITY { share } else { 0.0 };
        return x.iter().map(shared).collect();
    }
    let z = sorted(x);
    if k >= z.len() as f64 {
        return x
            .iter()
            .map(|&x| f64::from(u8::from(x > f64::NEG_INFINITY)))
            .collect();
    }
    if k <= 0.0 {
        return vec![0.0; x.len()];
    }
    let total = |t: f64| sum(z.iter().map(|z| (z - t).clamp(0.0, 1.0)));
    let mut breaks: Vec<f64> = z.iter().flat_map(|&z| [z, z - 1.0]).collect();
    breaks.sort_by(f64::total_cmp);
    // The last breakpoint at which the sum still reaches k, but for the rounding of z - (z - 1), and the one after it.
    let reached = k * (1.0 - 1e-12);
    let after = breaks.partition_point(|&t| total(t) >= reached);
    let after = after.clamp(1, breaks.len() - 1);
    let (low, high) = (breaks[after - 1], breaks[after]);
    let (most, least) = (total(low), total(high));
    let t = if most > least {
        low + (high - low) * (most - k) / (most - least)
    } else {
        low
    };
    x.iter().map(|x| (x - t).clamp(0.0, 1.0)).collect()
}

/// Gradients of the logits, `g - mean g` over the entries strictly between 0 and 1, and of `k`, that mean; 0 without such entries.
pub fn budget_backward(x: &[f64], k: f64, grad: &[f64]) -> (Vec<f64>, f64) {
    let p = budget(x, k);
    if has_nan(&p) {
        return (p, f64::NAN);
    }
    let free = |i: &usize| 0.0 < p[*i] && p[*i] < 1.0 && !has_infinity(x);
    let count = (0..x.len()).filter(free).count() as f64;
    if count == 0.0 {
        return (vec![0.0; x.len()], 0.0);
    }
    let mean = sum((0..x.len()).filter(free).map(|i| grad[i])) / count;
    let gradient = |i: usize| if free(&i) { grad[i] - mean } else { 0.0 };
    ((0..x.len()).map(gradient).collect(), mean)
}
