use burn_core::tensor::{Device, Tensor};
use burn_relax::{
    Coordinates, categorical_entropy, categorical_log_prob, gradual_argmax, gumbel_softmax,
    gumbel_softmax_with_noise, log_softmax, power_softmax, relaxed_categorical_log_density,
    soft_argmax, soft_argmax_gather, soft_argmax_with_variance, softmax, windowed_soft_argmax,
};
use burn_relax_tests::{Array, Difference, Table, flat};

use crate::{at_every_axis, indices, per_row, shared, spread, twice, unit};

fn softmax_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "softmax at a number",
        |D, shape, dim| [("logits", spread(shape, 1))],
        |x| softmax(x.get::<D>("logits"), dim, 0.7)
    );
    at_every_axis!(
        device,
        table,
        "softmax per row",
        |D, shape, dim| [
            ("logits", spread(shape, 2)),
            ("temperature", per_row(shape, dim))
        ],
        |x| softmax(x.get::<D>("logits"), dim, x.get::<D>("temperature"))
    );
    at_every_axis!(
        device,
        table,
        "softmax at one tensor",
        |D, shape, dim| [("logits", spread(shape, 2)), ("temperature", shared(shape))],
        |x| softmax(x.get::<D>("logits"), dim, x.get::<D>("temperature"))
    );
    at_every_axis!(
        device,
        table,
        "softmax counted from the end",
        |D, shape, dim| [("logits", spread(shape, 1))],
        |x| softmax(x.get::<D>("logits"), dim as i64 - D as i64, 0.7)
    );
}

fn log_softmax_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "log_softmax",
        |D, shape, dim| [("logits", spread(shape, 4))],
        |x| log_softmax(x.get::<D>("logits"), dim)
    );
}

/// Irregular coordinates for `classes`.
fn places(classes: usize) -> Array {
    Array::line(
        (0..classes)
            .map(|i| (i * i) as f64 * 0.3 - 1.0)
            .collect::<Vec<_>>(),
    )
}

fn soft_argmax_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "soft_argmax of a line",
        |D, shape, dim| [("logits", spread(shape, 5))],
        |x| soft_argmax(
            x.get::<D>("logits"),
            dim,
            0.5,
            Coordinates::Index {
                base: 1.0,
                step: -0.4
            }
        )
    );
    at_every_axis!(
        device,
        table,
        "soft_argmax of places per row",
        |D, shape, dim| [
            ("logits", spread(shape, 6)),
            ("coordinates", places(shape[dim])),
            ("temperature", per_row(shape, dim)),
        ],
        |x| soft_argmax(
            x.get::<D>("logits"),
            dim,
            x.get::<D>("temperature"),
            x.get::<1>("coordinates")
        )
    );
    at_every_axis!(
        device,
        table,
        "soft_argmax of places at a number",
        |D, shape, dim| [
            ("logits", spread(shape, 6)),
            ("coordinates", places(shape[dim]))
        ],
        |x| soft_argmax(x.get::<D>("logits"), dim, 0.5, x.get::<1>("coordinates"))
    );
}

fn soft_argmax_with_variance_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "soft_argmax_with_variance",
        |D, shape, dim| [
            ("logits", spread(shape, 7)),
            ("coordinates", places(shape[dim])),
            ("temperature", per_row(shape, dim)),
        ],
        |x| {
            let (logits, temperature) = (x.get::<D>("logits"), x.get::<D>("temperature"));
            let places = x.get::<1>("coordinates");
            let (mean, variance) = soft_argmax_with_variance(logits, dim, temperature, places);
            Tensor::cat(vec![mean, variance], dim)
        }
    );
}

fn windowed_soft_argmax_has_its_slope(device: &Device, table: &mut Table) {
    // Coordinates lie 0.7 apart or more, so that no step reaches the window's edge at ±1 round a place.
    at_every_axis!(
        device,
        table,
        "windowed_soft_argmax",
        |D, shape, dim| [
            ("logits", spread(shape, 8)),
            (
                "coordinates",
                Array::line((0..shape[dim]).map(|i| 0.7 * i as f64).collect::<Vec<_>>())
            ),
            ("temperature", per_row(shape, dim)),
        ],
        |x| {
            let (logits, temperature) = (x.get::<D>("logits"), x.get::<D>("temperature"));
            windowed_soft_argmax(logits, dim, temperature, x.get::<1>("coordinates"), 1.0)
        }
    );
}

fn soft_argmax_gather_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "soft_argmax_gather at a number",
        |D, shape, dim| [("logits", spread(shape, 9)), ("values", spread(shape, 10))],
        |x| soft_argmax_gather(x.get::<D>("logits"), x.get::<D>("values"), dim, 0.7, false)
    );
    at_every_axis!(
        device,
        table,
        "soft_argmax_gather per row",
        |D, shape, dim| [
            ("logits", spread(shape, 9)),
            ("values", spread(shape, 10)),
            ("temperature", per_row(shape, dim)),
        ],
        |x| {
            let (logits, values) = (x.get::<D>("logits"), x.get::<D>("values"));
            soft_argmax_gather(logits, values, dim, x.get::<D>("temperature"), false)
        }
    );
}

fn soft_argmax_gather_of_features_has_its_slope(device: &Device, table: &mut Table) {
    /// Logits and values of these shapes, along every axis of the logits.
    macro_rules! features {
        ($rank:literal $shape:expr, $with_features:literal $values:expr) => {
            for dim in 0..$rank {
                let name = format!(
                    "soft_argmax_gather of {:?} from {:?} along {dim}",
                    $values, $shape
                );
                Difference::new(name)
                    .input("logits", spread($shape, 12))
                    .input("values", spread($values, 13))
                    .check(device, table, |x| {
                        let (logits, values) =
                            (x.get::<$rank>("logits"), x.get::<$with_features>("values"));
                        flat(soft_argmax_gather(logits, values, dim, 0.7, false))
                    });
            }
        };
    }
    features!(1 [5], 2 [5, 3]);
    features!(1 [5], 3 [5, 2, 2]);
    features!(2 [3, 4], 3 [3, 4, 1]);
    features!(2 [3, 4], 4 [3, 4, 2, 2]);
    features!(3 [2, 3, 2], 4 [2, 3, 2, 3]);
}

fn gradual_argmax_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "gradual_argmax at a number",
        |D, shape, dim| [("values", unit(shape, 14))],
        |x| gradual_argmax(x.get::<D>("values"), dim, 2.5)
    );
    at_every_axis!(
        device,
        table,
        "gradual_argmax per row",
        |D, shape, dim| [("values", unit(shape, 15)), ("power", per_row(shape, dim))],
        |x| gradual_argmax(x.get::<D>("values"), dim, x.get::<D>("power"))
    );
    at_every_axis!(
        device,
        table,
        "gradual_argmax at one tensor",
        |D, shape, dim| [("values", unit(shape, 15)), ("power", shared(shape))],
        |x| gradual_argmax(x.get::<D>("values"), dim, x.get::<D>("power"))
    );
}

fn power_softmax_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "power_softmax at a number",
        |D, shape, dim| [("values", unit(shape, 16))],
        |x| power_softmax(x.get::<D>("values"), dim, 2.5)
    );
    at_every_axis!(
        device,
        table,
        "power_softmax per row",
        |D, shape, dim| [("values", unit(shape, 17)), ("power", per_row(shape, dim))],
        |x| power_softmax(x.get::<D>("values"), dim, x.get::<D>("power"))
    );
    at_every_axis!(
        device,
        table,
        "power_softmax at one tensor",
        |D, shape, dim| [("values", unit(shape, 17)), ("power", shared(shape))],
        |x| power_softmax(x.get::<D>("values"), dim, x.get::<D>("power"))
    );
}

fn gumbel_softmax_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "gumbel_softmax_with_noise",
        |D, shape, dim| [
            ("logits", spread(shape, 18)),
            ("noise", spread(shape, 19)),
            ("temperature", per_row(shape, dim)),
        ],
        |x| {
            let (logits, noise) = (x.get::<D>("logits"), x.get::<D>("noise"));
            gumbel_softmax_with_noise(logits, noise, dim, x.get::<D>("temperature"), false)
        }
    );
    at_every_axis!(
        device,
        table,
        "gumbel_softmax",
        |D, shape, dim| [
            ("logits", spread(shape, 18)),
            ("temperature", per_row(shape, dim))
        ],
        |x| gumbel_softmax(
            x.get::<D>("logits"),
            dim,
            x.get::<D>("temperature"),
            false,
            5
        )
    );
}

fn relaxed_categorical_log_density_has_its_slope(device: &Device, table: &mut Table) {
    // The weights are perturbed one by one, off the simplex; the formula holds there too.
    at_every_axis!(
        device,
        table,
        "relaxed_categorical_log_density",
        |D, shape, dim| [
            ("logits", spread(shape, 20)),
            ("weights", unit(shape, 21)),
            ("temperature", per_row(shape, dim)),
        ],
        |x| {
            let (logits, weights) = (x.get::<D>("logits"), x.get::<D>("weights"));
            relaxed_categorical_log_density(logits, weights, dim, x.get::<D>("temperature"))
        }
    );
}

fn categorical_log_prob_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "categorical_log_prob of 3 samples",
        |D, shape, dim| [("logits", spread(shape, 22))],
        |x| {
            let samples = indices(shape, dim, 3).ints::<D>(x.device());
            categorical_log_prob(x.get::<D>("logits"), samples, dim)
        }
    );
}

fn categorical_entropy_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "categorical_entropy",
        |D, shape, dim| [("logits", spread(shape, 23))],
        |x| categorical_entropy(x.get::<D>("logits"), dim)
    );
}

twice!(
    softmax_has_its_slope,
    log_softmax_has_its_slope,
    soft_argmax_has_its_slope,
    soft_argmax_with_variance_has_its_slope,
    windowed_soft_argmax_has_its_slope,
    soft_argmax_gather_has_its_slope,
    soft_argmax_gather_of_features_has_its_slope,
    gradual_argmax_has_its_slope,
    power_softmax_has_its_slope,
    gumbel_softmax_has_its_slope,
    relaxed_categorical_log_density_has_its_slope,
    categorical_log_prob_has_its_slope,
    categorical_entropy_has_its_slope,
);
