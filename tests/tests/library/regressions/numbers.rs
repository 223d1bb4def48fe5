//! Numbers that a dtype does not hold passed the checks and gave NaN, and so did the squares of small ones.

use burn_core::tensor::Tensor;
use burn_relax::{
    Relaxation,
    distribution::{categorical_entropy, gaussian_log_likelihood},
    entmax, gradual_argmax,
    loss::free_energy_loss,
    power_softmax,
    relax::{Coordinates, reinmax},
    soft_argmax, soft_argmax_gather, softmax, straight_through_argmax,
};
use burn_relax_tests::{Array, Leaves, Site, in_every_dtype};

use crate::arguments::message;

const CLOSE: [f64; 2] = [1e-5, 1e-12];

/// Below f32's normal numbers, and below f64's.
const TINY: [f64; 3] = [1e-40, 1e-44, 1e-310];

/// Output and gradients of its sum are finite.
fn finite<const D: usize>(at: &Site, title: &str, x: &Leaves, output: Tensor<D>) {
    let check = |title: &str, array: &Array| {
        let finite = array.data.iter().all(|x| x.is_finite());
        at.check(finite, &format!("{title}: {array:?}"));
    };
    let shown = Array::of(output.clone());
    check(title, &shown);
    for (name, gradient) in x.gradients(output, shown.map(|_| 1.0)) {
        check(&format!("{title}: {name}"), &gradient);
    }
}

type Map = fn(Tensor<1>, f64) -> Tensor<1>;

const MAPS: [(&str, Map); 11] = [
    ("softmax", |x, t| softmax(x, 0, t)),
    ("straight-through", |x, t| straight_through_argmax(x, 0, t)),
    ("reinmax", |x, t| reinmax(x, 0, t, 3)),
    ("soft-argmax", |x, t| {
        soft_argmax(x, 0, t, Coordinates::index())
    }),
    ("gather", |x, t| soft_argmax_gather(x.clone(), x, 0, t)),
    ("sparsemax", |x, t| Relaxation::sparsemax(t).weights(x, 0)),
    ("entmax", |x, t| Relaxation::entmax(1.3, t).weights(x, 0)),
    ("normmax", |x, t| Relaxation::normmax(1.5, t).weights(x, 0)),
    ("sampled", |x, t| {
        Relaxation::softmax(t).sampled(1).weights(x, 0)
    }),
    ("sampled at", |x, t| {
        Relaxation::softmax(1).sampled_at(t, 1).weights(x, 0)
    }),
    ("variance", |x, t| {
        let choice = Relaxation::softmax(t);
        choice
            .coordinate_with_variance(x, 0, Coordinates::index())
            .1
    }),
];

#[test]
fn a_temperature_below_the_dtype_gives_numbers() {
    in_every_dtype(CLOSE, |at| {
        for (name, map) in MAPS {
            for temperature in TINY {
                let x = at.leaves([("logits", [0.3, 0.9, -1.0, 0.2])]);
                let output = map(x.get::<1>("logits"), temperature);
                finite(at, &format!("{name} at {temperature:e}"), &x, output);
            }
        }
    });
}

#[test]
fn a_temperature_beyond_the_dtype_gives_numbers() {
    in_every_dtype(CLOSE, |at| {
        for (name, map) in MAPS {
            for temperature in [1e39, 1e300] {
                let x = at.leaves([("logits", [0.3, 0.9, -1.0, 0.2])]);
                let output = map(x.get::<1>("logits"), temperature);
                finite(at, &format!("{name} at {temperature:e}"), &x, output);
            }
        }
    });
}

#[test]
fn powers_alphas_and_deviations_outside_the_dtype_give_numbers() {
    in_every_dtype(CLOSE, |at| {
        for number in [1e-40, 1e39, 1e300] {
            let x = at.leaves([("values", [0.25, 0.75, 0.5, 1.0])]);
            let values = || x.get::<1>("values");
            let title = |name: &str| format!("{name} of {number:e}");
            finite(
                at,
                &title("gradual"),
                &x,
                gradual_argmax(values(), 0, number),
            );
            finite(at, &title("power"), &x, power_softmax(values(), 0, number));
            if number > 1.0 {
                finite(at, &title("entmax"), &x, entmax(values(), 0, number));
                let normmax = Relaxation::normmax(number, 1).weights(values(), 0);
                finite(at, &title("normmax"), &x, normmax);
                let density = gaussian_log_likelihood(values(), x.constant("values"), number);
                finite(at, &title("deviation"), &x, density);
            }
        }
    });
}

/// The gradient of a quotient has the divisor's square, which leaves f32 from 1e-19 on.
#[test]
fn a_small_temperature_that_is_learned_has_a_gradient() {
    in_every_dtype(CLOSE, |at| {
        for temperature in [1e-10, 1e-19, 1e-20, 1e-30, 1e-37] {
            let x = at.leaves([
                (
                    "logits",
                    Array::new([2, 3], [0.3, 0.9, -1.0, 0.5, 0.5, 0.1]),
                ),
                ("cost", Array::new([2, 3], [1.0, 0.25, 3.0, 0.5, 2.0, 0.25])),
                ("temperature", Array::new([1, 1], [temperature])),
            ]);
            let [logits, cost, t] = ["logits", "cost", "temperature"].map(|name| x.get::<2>(name));
            let title = |name: &str| format!("{name} at {temperature:e}");
            let soft = softmax(logits.clone(), 1, t.clone());
            // Ties share, and have no slope in the temperature.
            let expected = [[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]];
            at.is(&title("softmax"), soft.clone(), expected);
            let weighted = soft * Tensor::from_data([[1.0, 2.0, 3.0]], (&at.device, at.dtype));
            let gradients = x.gradients(weighted, [1.0; 6]);
            at.equals(&title("slope"), &gradients["temperature"], [0.0]);
            let energy = free_energy_loss(logits, cost, 1, t);
            finite(at, &title("free energy"), &x, energy);
        }
    });
}

/// A temperature that is not small still has the gradient of the formula, `-<J(p) g, x> / T²`.
#[test]
fn a_learned_temperature_has_the_slope_of_the_formula() {
    in_every_dtype(CLOSE, |at| {
        for temperature in [0.3f64, 1.0, 4.0] {
            let logits = [0.3, 0.9, -1.0];
            let x = at.leaves([
                ("logits", Array::line(logits)),
                ("temperature", Array::line([temperature])),
            ]);
            let soft = softmax(x.get::<1>("logits"), 0, x.get::<1>("temperature"));
            let upstream = [1.0, 2.0, 3.0];
            let gradients = x.gradients(soft, upstream);
            let exps = logits.map(|x| (x / temperature).exp());
            let total: f64 = exps.iter().sum();
            let probs = exps.map(|e| e / total);
            let mean: f64 = (0..3).map(|i| probs[i] * upstream[i]).sum();
            let slope: f64 = (0..3)
                .map(|i| probs[i] * (upstream[i] - mean) * logits[i])
                .sum();
            let expected = -slope / temperature.powi(2);
            at.is("slope", &gradients["temperature"], [expected]);
        }
    });
}

/// A sum over ten million classes: ln 10⁷.
#[test]
fn the_entropy_of_many_classes_keeps_its_digits() {
    let device = burn_core::tensor::Device::flex();
    let entropy = categorical_entropy(Tensor::<1>::zeros([10_000_000], &device), 0);
    let error = (f64::from(entropy.into_scalar::<f32>()) - 1e7f64.ln()).abs();
    // Two units in the last place.
    assert!(error < 4e-6, "{error:e}");
}

#[test]
fn coordinates_beyond_the_dtype_are_named() {
    let logits = || Tensor::<1>::zeros([3], &burn_core::tensor::Device::flex());
    let line = |base: f64, step: f64| {
        message(|| soft_argmax(logits(), 0, 1.0, Coordinates::Index { base, step }))
    };
    let most = "soft_argmax: coordinates must be at most 3.4028234663852886e38 in magnitude, got";
    assert_eq!(line(1e39, 1.0), format!("{most} 1e39"));
    assert_eq!(line(0.0, -1e39), format!("{most} -2e39"));
}
