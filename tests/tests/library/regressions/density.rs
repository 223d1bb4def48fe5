//! The density of relaxed samples was infinite or NaN where a weight is 0, masks included.

use burn_core::tensor::Tensor;
use burn_relax::distribution::relaxed_categorical_log_density as density;
use burn_relax_tests::{Array, Site, in_every_dtype};

/// Sums of a few logarithms of order 1.
const CLOSE: [f64; 2] = [5e-6, 1e-12];
const INF: f64 = f64::INFINITY;
const LOGITS: [f64; 3] = [-2.0, 0.0, 0.5];

fn line(at: &Site, logits: &[f64], weights: &[f64], temperature: f64) -> Array {
    let [logits, weights] = [logits, weights].map(|numbers| at.tensor::<1>(numbers));
    Array::of(density(logits, weights, 0, temperature))
}

/// With `m` of `n` weights at 0 the density goes as their power `(n - m) T - m`. At ½ the terms that are left are
/// `ln 2 + 2 ln ½ + Σ x - 1.5 (ln .4 + ln .6) - 3 x₀`.
#[test]
fn the_density_at_a_weight_of_zero_is_what_it_tends_to() {
    in_every_dtype(CLOSE, |at| {
        let expected = -(2f64.ln()) - 1.5 - 1.5 * 0.24f64.ln() + 6.0;
        for (weights, temperature, expected) in [
            ([0.0, 0.4, 0.6], 0.5, expected),
            ([0.0, 0.4, 0.6], 1.0, -INF),
            ([0.0, 0.4, 0.6], 2.0, -INF),
            ([0.0, 0.4, 0.6], 0.4, INF),
            ([0.0, 0.0, 1.0], 1.9, INF),
            ([0.0, 0.0, 1.0], 2.1, -INF),
        ] {
            let title = format!("{weights:?} at {temperature}");
            at.is(&title, line(at, &LOGITS, &weights, temperature), [expected]);
        }
        // The limit itself: the density at a weight that is nearly 0.
        let near = line(at, &LOGITS, &[1e-12, 0.4, 0.6], 0.5);
        at.within("near", near, [expected], 1e-3);
    });
}

#[test]
fn a_temperature_of_one_over_the_others_is_the_boundary_however_it_is_rounded() {
    in_every_dtype(CLOSE, |at| {
        for classes in 3..30 {
            let logits = vec![0.0; classes];
            let mut weights = vec![1.0 / (classes - 1) as f64; classes];
            weights[0] = 0.0;
            let temperature = 1.0 / (classes - 1) as f64;
            let at_edge = line(at, &logits, &weights, temperature);
            at.check(
                at_edge.data[0].is_finite(),
                &format!("{classes}: {at_edge:?}"),
            );
            let column = Tensor::<1>::full([1], temperature, (&at.device, at.dtype));
            let [logits, weights] = [&logits, &weights].map(|n| at.tensor::<1>(n.as_slice()));
            let learned = Array::of(density(logits, weights, 0, column));
            at.is(&format!("{classes}"), learned, at_edge);
        }
    });
}

#[test]
fn a_masked_density_is_the_shorter_rows() {
    in_every_dtype(CLOSE, |at| {
        let full = |temperature| line(at, &LOGITS, &[0.2, 0.3, 0.5], temperature);
        for temperature in [0.5, 1.0, 2.0] {
            for (place, whatever) in [(0, 0.0), (1, f64::NAN), (3, 0.7)] {
                let mut logits = LOGITS.to_vec();
                let mut weights = vec![0.2, 0.3, 0.5];
                logits.insert(place, -INF);
                weights.insert(place, whatever);
                let title = format!("{place}, {whatever} at {temperature}");
                let masked = line(at, &logits, &weights, temperature);
                at.is(&title, masked, full(temperature));
            }
        }
        at.equals("nothing", line(at, &[-INF; 3], &[0.0; 3], 0.5), [0.0]);
        // At the boundary too: of three classes, one forbidden and one without weight.
        let edge = line(at, &[0.0, -INF, 0.5], &[0.0, 0.0, 1.0], 1.0);
        at.is("edge", edge, line(at, &[0.0, 0.5], &[0.0, 1.0], 1.0));
    });
}

#[test]
fn no_gradient_at_the_boundary_is_nan() {
    in_every_dtype(CLOSE, |at| {
        for temperature in [0.4, 0.5, 1.0] {
            let x = at.leaves([
                ("logits", Array::new([1, 4], [-2.0, 0.0, 0.5, -INF])),
                ("weights", Array::new([1, 4], [0.0, 0.4, 0.6, f64::NAN])),
                ("temperature", Array::new([1, 1], [temperature])),
            ]);
            let learned = x.get::<2>("temperature");
            let value = density(x.get::<2>("logits"), x.get::<2>("weights"), 1, learned);
            for (name, gradient) in x.gradients(value, [1.0]) {
                let finite = gradient.data.iter().all(|g| g.is_finite());
                at.check(finite, &format!("{name} at {temperature}: {gradient:?}"));
            }
        }
    });
}
