//! One function for each operator; arguments are checked by the caller. Shapes are those of the core crate's operations.

use half::{bf16, f16};

use super::{
    Float, RowTensor,
    rows::{Rows, filled},
};
use crate::Element;

/// Runs `$body` with `$element` naming the element type of `$tensor` and `$stats` that of its statistics.
macro_rules! with_element {
    ($tensor:expr, $element:ident, $stats:ident => $body:expr) => {
        match $tensor.float() {
            Float::F64 => {
                type $element = f64;
                let $stats = Float::F64;
                $body
            }
            Float::F32 => {
                type $element = f32;
                let $stats = Float::F32;
                $body
            }
            Float::F16 => {
                type $element = f16;
                let $stats = Float::F32;
                $body
            }
            Float::Bf16 => {
                type $element = bf16;
                let $stats = Float::F32;
                $body
            }
        }
    };
}

type Acc<F> = <F as Element>::Acc;

/// Softmax with a temperature, and its row statistics.
pub fn softmax<T: RowTensor>(logits: T, dim: usize, temperature: f64) -> (T, T) {
    let rows = Rows::new(&logits, dim);
    let float = logits.float();
    let logits = rows.load(logits);
    with_element!(logits, F, stats_float => {
        let x = logits.elements::<F>();
        let mut stats = Vec::new();
        let probs = filled::<F>(x.len(), |probs| {
            stats = filled::<Acc<F>>(2 * rows.count, |stats| {
                crate::softmax(x, rows.n, temperature, probs, stats);
            });
        });
        (rows.store(probs, rows.n, &[], float), rows.store(stats, 2, &[], stats_float))
    })
}

/// Gradient of [`softmax`].
pub fn softmax_backward<T: RowTensor>(
    probs: T,
    stats: T,
    grad: T,
    dim: usize,
    temperature: f64,
) -> T {
    let rows = Rows::new(&probs, dim);
    let float = probs.float();
    let (probs, stats, grad) = (rows.load(probs), rows.load(stats), rows.load(grad));
    with_element!(probs, F, _stats_float => {
        let p = probs.elements::<F>();
        let (stats, g) = (stats.elements::<Acc<F>>(), grad.elements::<F>());
        let grad = filled::<F>(p.len(), |out| {
            crate::softmax_backward(p, stats, g, rows.n, temperature, out);
        });
        rows.store(grad, rows.n, &[], float)
    })
}

/// Logarithm of the softmax, and its row statistics.
pub fn log_softmax<T: RowTensor>(logits: T, dim: usize) -> (T, T) {
    let rows = Rows::new(&logits, dim);
    let float = logits.float();
    let logits = rows.load(logits);
    with_element!(logits, F, stats_float => {
        let x = logits.elements::<F>();
        let mut stats = Vec::new();
        let log_probs = filled::<F>(x.len(), |log_probs| {
            stats = filled::<Acc<F>>(2 * rows.count, |stats| {
                crate::log_softmax(x, rows.n, log_probs, stats);
            });
        });
        (rows.store(log_probs, rows.n, &[], float), rows.store(stats, 2, &[], stats_float))
    })
}

/// Gradient of [`log_softmax`].
pub fn log_softmax_backward<T: RowTensor>(log_probs: T, stats: T, grad: T, dim: usize) -> T {
    let rows = Rows::new(&log_probs, dim);
    let float = log_probs.float();
    let (log_probs, stats, grad) = (rows.load(log_probs), rows.load(stats), rows.load(grad));
    with_element!(log_probs, F, _stats_float => {
        let lp = log_probs.elements::<F>();
        let (stats, g) = (stats.elements::<Acc<F>>(), grad.elements::<F>());
        let grad = filled::<F>(lp.len(), |out| {
            crate::log_softmax_backward(lp, stats, g, rows.n, out);
        });
        rows.store(grad, rows.n, &[], float)
    })
}

/// Expected coordinate, and the row statistics; `coordinates` is one-dimensional.
pub fn soft_argmax<T: RowTensor>(
    logits: T,
    coordinates: T,
    dim: usize,
    temperature: f64,
) -> (T, T) {
    let rows = Rows::new(&logits, dim);
    let float = logits.float();
    let (logits, coordinates) = (rows.load(logits), coordinates.contiguous());
    with_element!(logits, F, stats_float => {
        let (x, c) = (logits.elements::<F>(), coordinates.elements::<F>());
        let mut stats = Vec::new();
        let out = filled::<F>(rows.count, |out| {
            stats = filled::<Acc<F>>(2 * rows.count, |stats| {
                crate::soft_argmax(x, c, rows.n, temperature, out, stats);
            });
        });
        (rows.store(out, 1, &[], float), rows.store(stats, 2, &[], stats_float))
    })
}

/// Gradient of [`soft_argmax`] with respect to the logits.
pub fn soft_argmax_backward<T: RowTensor>(
    logits: T,
    coordinates: T,
    stats: T,
    output: T,
    grad: T,
    dim: usize,
    temperature: f64,
) -> T {
    let rows = Rows::new(&logits, dim);
    let float = logits.float();
    let (logits, coordinates) = (rows.load(logits), coordinates.contiguous());
    let (stats, output, grad) = (rows.load(stats), rows.load(output), rows.load(grad));
    with_element!(logits, F, _stats_float => {
        let (x, c) = (logits.elements::<F>(), coordinates.elements::<F>());
        let (stats, e, g) = (
            stats.elements::<Acc<F>>(),
            output.elements::<F>(),
            grad.elements::<F>(),
        );
        let grad = filled::<F>(x.len(), |out| {
            crate::soft_argmax_backward(x, c, stats, e, g, rows.n, temperature, out);
        });
        rows.store(grad, rows.n, &[], float)
    })
}

/// Expected value, and the row statistics; `values` has the logits' shape, then any feature axes.
pub fn soft_argmax_gather<T: RowTensor>(
    logits: T,
    values: T,
    dim: usize,
    temperature: f64,
) -> (T, T) {
    let rows = Rows::new(&logits, dim);
    let float = values.float();
    let feature_dims = rows.features(&values);
    let features = feature_dims.iter().product();
    let (logits, values) = (rows.load(logits), rows.load(values));
    with_element!(logits, F, stats_float => {
        let (x, v) = (logits.elements::<F>(), values.elements::<F>());
        let mut stats = Vec::new();
        let out = filled::<F>(rows.count * features, |out| {
            stats = filled::<Acc<F>>(2 * rows.count, |stats| {
                crate::soft_argmax_gather(x, v, rows.n, features, temperature, out, stats);
            });
        });
        (rows.store(out, 1, &feature_dims, float), rows.store(stats, 2, &[], stats_float))
    })
}

/// Value at the argmax, expected value, and the row statistics.
pub fn hard_argmax_gather<T: RowTensor>(
    logits: T,
    values: T,
    dim: usize,
    temperature: f64,
) -> (T, T, T) {
    let rows = Rows::new(&logits, dim);
    let float = values.float();
    let feature_dims = rows.features(&values);
    let features = feature_dims.iter().product();
    let len = rows.count * features;
    let (logits, values) = (rows.load(logits), rows.load(values));
    with_element!(logits, F, stats_float => {
        let (x, v) = (logits.elements::<F>(), values.elements::<F>());
        let (mut soft, mut stats) = (Vec::new(), Vec::new());
        let out = filled::<F>(len, |out| {
            soft = filled::<F>(len, |soft| {
                stats = filled::<Acc<F>>(2 * rows.count, |stats| {
                    crate::hard_argmax_gather(x, v, rows.n, features, temperature, out, soft, stats);
                });
            });
        });
        (
            rows.store(out, 1, &feature_dims, float),
            rows.store(soft, 1, &feature_dims, float),
            rows.store(stats, 2, &[], stats_float),
        )
    })
}

/// Gradients of [`soft_argmax_gather`] with respect to logits and values.
#[allow(clippy::too_many_arguments)]
pub fn soft_argmax_gather_backward<T: RowTensor>(
    logits: T,
    values: T,
    stats: T,
    soft: T,
    grad: T,
    dim: usize,
    temperature: f64,
) -> (T, T) {
    let rows = Rows::new(&logits, dim);
    let float = values.float();
    let feature_dims = rows.features(&values);
    let features = feature_dims.iter().product();
    let (logits, values, stats) = (rows.load(logits), rows.load(values), rows.load(stats));
    let (soft, grad) = (rows.load(soft), rows.load(grad));
    with_element!(logits, F, _stats_float => {
        let (x, v) = (logits.elements::<F>(), values.elements::<F>());
        let (stats, y, g) = (
            stats.elements::<Acc<F>>(),
            soft.elements::<F>(),
            grad.elements::<F>(),
        );
        let mut grad_values = Vec::new();
        let grad_logits = filled::<F>(x.len(), |grad_logits| {
            grad_values = filled::<F>(v.len(), |grad_values| {
                crate::soft_argmax_gather_backward(
                    x,
                    v,
                    stats,
                    y,
                    g,
                    rows.n,
                    features,
                    temperature,
                    grad_logits,
                    grad_values,
                );
            });
        });
        (
            rows.store(grad_logits, rows.n, &[], float),
            rows.store(grad_values, rows.n, &feature_dims, float),
        )
    })
}

/// Power sharpening; `power` holds one value, or one for each row with size 1 along `dim`.
pub fn gradual_argmax<T: RowTensor>(values: T, power: T, dim: usize) -> T {
    let rows = Rows::new(&values, dim);
    let float = values.float();
    let (values, power) = (rows.load(values), rows.load(power));
    with_element!(values, F, _stats_float => {
        let (v, p) = (values.elements::<F>(), power.elements::<F>());
        let out = filled::<F>(v.len(), |out| crate::gradual_argmax(v, p, rows.n, out));
        rows.store(out, rows.n, &[], float)
    })
}

/// Gradients of [`gradual_argmax`] with respect to values and power, the latter one for each row.
pub fn gradual_argmax_backward<T: RowTensor>(values: T, power: T, grad: T, dim: usize) -> (T, T) {
    let rows = Rows::new(&values, dim);
    let float = values.float();
    let (values, power, grad) = (rows.load(values), rows.load(power), rows.load(grad));
    with_element!(values, F, _stats_float => {
        let (v, p) = (values.elements::<F>(), power.elements::<F>());
        let g = grad.elements::<F>();
        let mut grad_power = Vec::new();
        let grad_values = filled::<F>(v.len(), |grad_values| {
            grad_power = filled::<F>(rows.count, |grad_power| {
                crate::gradual_argmax_backward(v, p, g, rows.n, grad_values, grad_power);
            });
        });
        (rows.store(grad_values, rows.n, &[], float), rows.store(grad_power, 1, &[], float))
    })
}

/// Normalised power, and its row statistics; `power` as in [`gradual_argmax`].
pub fn power_softmax<T: RowTensor>(values: T, power: T, dim: usize) -> (T, T) {
    let rows = Rows::new(&values, dim);
    let float = values.float();
    let (values, power) = (rows.load(values), rows.load(power));
    with_element!(values, F, stats_float => {
        let (v, p) = (values.elements::<F>(), power.elements::<F>());
        let mut stats = Vec::new();
        let out = filled::<F>(v.len(), |out| {
            stats = filled::<Acc<F>>(2 * rows.count, |stats| {
                crate::power_softmax(v, p, rows.n, out, stats);
            });
        });
        (rows.store(out, rows.n, &[], float), rows.store(stats, 2, &[], stats_float))
    })
}

/// Gradients of [`power_softmax`] with respect to values and power, the latter one for each row.
pub fn power_softmax_backward<T: RowTensor>(
    values: T,
    power: T,
    output: T,
    stats: T,
    grad: T,
    dim: usize,
) -> (T, T) {
    let rows = Rows::new(&values, dim);
    let float = values.float();
    let (values, power, output) = (rows.load(values), rows.load(power), rows.load(output));
    let (stats, grad) = (rows.load(stats), rows.load(grad));
    with_element!(values, F, _stats_float => {
        let (v, p) = (values.elements::<F>(), power.elements::<F>());
        let (y, stats, g) = (
            output.elements::<F>(),
            stats.elements::<Acc<F>>(),
            grad.elements::<F>(),
        );
        let mut grad_power = Vec::new();
        let grad_values = filled::<F>(v.len(), |grad_values| {
            grad_power = filled::<F>(rows.count, |grad_power| {
                crate::power_softmax_backward(v, p, y, stats, g, rows.n, grad_values, grad_power);
            });
        });
        (rows.store(grad_values, rows.n, &[], float), rows.store(grad_power, 1, &[], float))
    })
}

/// Free energy of the costs, and four row statistics for its gradient.
pub fn free_energy<T: RowTensor>(logits: T, cost: T, dim: usize, temperature: f64) -> (T, T) {
    let rows = Rows::new(&logits, dim);
    let float = cost.float();
    let (logits, cost) = (rows.load(logits), rows.load(cost));
    with_element!(logits, F, stats_float => {
        let (x, f) = (logits.elements::<F>(), cost.elements::<F>());
        let mut stats = Vec::new();
        let out = filled::<F>(rows.count, |out| {
            stats = filled::<Acc<F>>(4 * rows.count, |stats| {
                crate::free_energy(x, f, rows.n, temperature, out, stats);
            });
        });
        (rows.store(out, 1, &[], float), rows.store(stats, 4, &[], stats_float))
    })
}

/// Gradients of [`free_energy`] with respect to logits and cost.
pub fn free_energy_backward<T: RowTensor>(
    logits: T,
    cost: T,
    stats: T,
    grad: T,
    dim: usize,
    temperature: f64,
) -> (T, T) {
    let rows = Rows::new(&logits, dim);
    let float = cost.float();
    let (logits, cost) = (rows.load(logits), rows.load(cost));
    let (stats, grad) = (rows.load(stats), rows.load(grad));
    with_element!(logits, F, _stats_float => {
        let (x, f) = (logits.elements::<F>(), cost.elements::<F>());
        let (stats, g) = (stats.elements::<Acc<F>>(), grad.elements::<F>());
        let mut grad_cost = Vec::new();
        let grad_logits = filled::<F>(x.len(), |grad_logits| {
            grad_cost = filled::<F>(x.len(), |grad_cost| {
                crate::free_energy_backward(x, f, stats, g, rows.n, temperature, grad_logits, grad_cost);
            });
        });
        (rows.store(grad_logits, rows.n, &[], float), rows.store(grad_cost, rows.n, &[], float))
    })
}

/// Lowest index of the largest entry, one for each row in row-major order, and the shape of the result with its axes
/// already in the original order.
pub fn argmax<T: RowTensor>(logits: T, dim: usize) -> (Vec<i64>, Vec<usize>) {
    let rows = Rows::new(&logits, dim);
    let mut dims = logits.dims();
    dims[dim] = 1;
    let logits = rows.load(logits);
    let index = with_element!(logits, F, _stats_float => {
        filled(rows.count, |index| crate::argmax(logits.elements::<F>(), rows.n, index))
    });
    (index, dims)
}
