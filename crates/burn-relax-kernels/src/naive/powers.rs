//! Powers of values: the gradual argmax and its normalised twin.

use super::rows::{argmax, has_nan, sum};

/// `1 - (1 - v)^p` at every maximum, `v^p` elsewhere.
pub fn gradual_argmax(v: &[f64], p: f64) -> Vec<f64> {
    if has_nan(v) {
        return vec![f64::NAN; v.len()];
    }
    let max = v[argmax(v)];
    v.iter()
        .map(|&v| {
            if v == max {
                -(p * (-v).ln_1p()).exp_m1()
            } else {
                v.powf(p)
            }
        })
        .collect()
}

/// Gradients of the values and of the power.
pub fn gradual_argmax_backward(v: &[f64], p: f64, grad: &[f64]) -> (Vec<f64>, f64) {
    if has_nan(v) {
        return (vec![f64::NAN; v.len()], f64::NAN);
    }
    let max = v[argmax(v)];
    let slope = |base: f64| match base {
        0.0 => f64::from(u8::from(p == 1.0)),
        _ => p * base.powf(p - 1.0),
    };
    let values = v
        .iter()
        .zip(grad)
        .map(|(&v, g)| g * slope(if v == max { 1.0 - v } else { v }))
        .collect();
    let log = |base: f64| {
        if base == 0.0 {
            0.0
        } else {
            base.powf(p) * base.ln()
        }
    };
    let power = sum(v
        .iter()
        .zip(grad)
        .map(|(&v, g)| g * if v == max { -log(1.0 - v) } else { log(v) }));
    (values, power)
}

/// The gradual argmax over its sum.
pub fn normalised_gradual_argmax(v: &[f64], p: f64) -> Vec<f64> {
    let y = gradual_argmax(v, p);
    let total = sum(y.iter().copied());
    if total == 0.0 {
        return y;
    }
    y.iter().map(|y| y / total).collect()
}

/// Gradients of the values and of the power.
pub fn normalised_gradual_argmax_backward(v: &[f64], p: f64, grad: &[f64]) -> (Vec<f64>, f64) {
    let total = sum(gradual_argmax(v, p).into_iter());
    if total == 0.0 {
        return (vec![0.0; v.len()], 0.0);
    }
    let weights = normalised_gradual_argmax(v, p);
    let mean = sum(weights.iter().zip(grad).map(|(w, g)| w * g));
    let arriving: Vec<f64> = grad.iter().map(|g| (g - mean) / total).collect();
    gradual_argmax_backward(v, p, &arriving)
}

/// `v^p / sum v^p`
pub fn power_softmax(v: &[f64], p: f64) -> Vec<f64> {
    if has_nan(v) {
        return vec![f64::NAN; v.len()];
    }
    let max = v[argmax(v)];
    if max == 0.0 {
        return vec![0.0; v.len()];
    }
    let e: Vec<f64> = v
        .iter()
        .map(|&v| if v == max { 1.0 } else { (v / max).powf(p) })
        .collect();
    let total = sum(e.iter().copied());
    e.iter().map(|e| e / total).collect()
}

/// Gradients of the values and of the power.
pub fn power_softmax_backward(v: &[f64], p: f64, grad: &[f64]) -> (Vec<f64>, f64) {
    let y = power_softmax(v, p);
    let max = v[argmax(v)];
    if max == 0.0 || max == f64::INFINITY {
        return (vec![0.0; v.len()], 0.0);
    }
    let total = sum(v.iter().map(|v| (v / max).powf(p)));
    let mean = sum(y
        .iter()
        .zip(grad)
        .filter(|(y, _)| **y != 0.0)
        .map(|(y, g)| y * g));
    let lower = |q: f64| match q {
        0.0 => f64::from(u8::from(p == 1.0)),
        _ => q.powf(p - 1.0),
    };
    let values = v
        .iter()
        .zip(grad)
        .map(|(v, g)| p * lower(v / max) / (total * max) * (g - mean))
        .collect();
    let power = sum((0..v.len())
        .filter(|&i| y[i] != 0.0)
        .map(|i| y[i] * (grad[i] - mean) * (v[i] / max).ln()));
    (values, power)
}
