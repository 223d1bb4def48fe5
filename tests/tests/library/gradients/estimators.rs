use burn_core::tensor::{Device, Int, Tensor};
use burn_relax::{
    distribution::{categorical_log_likelihood, gaussian_log_likelihood},
    estimate::dice,
    loss::{dice_loss, importance_loss, load_balancing_loss, mixture_loss, score_function_loss},
};
use burn_relax_tests::{Difference, Leaves, Table};

use super::{at_every_axis, per_row, shared, spread, twice};

/// The surrogates' value is the cost; their gradient is that of `cost + log_prob · (cost - baseline)` with the parenthesis held.
fn surrogates_have_the_slope_of_their_estimator(device: &Device, table: &mut Table) {
    fn surrogate<const D: usize>(name: &str, x: &Leaves, baseline: Option<Tensor<D>>) -> Tensor<D> {
        let loss = match name {
            "dice_loss" => dice_loss,
            _ => score_function_loss,
        };
        loss(x.get("log_prob"), x.get("cost"), baseline)
    }
    for (name, with_baseline) in [
        ("score_function_loss", false),
        ("score_function_loss", true),
        ("dice_loss", true),
    ] {
        at_every_axis!(
            device,
            table,
            format!("{name}, baseline {with_baseline}"),
            |D, shape, _dim| [("log_prob", spread(shape, 5)), ("cost", spread(shape, 6))],
            |x| {
                let baseline = || spread(shape, 7).tensor::<D>(x.device(), x.dtype());
                surrogate::<D>(name, x, with_baseline.then(baseline))
            },
            |x| {
                let held = |seed| spread(shape, seed).tensor::<D>(x.device(), x.dtype());
                let advantage = match with_baseline {
                    true => held(6) - held(7),
                    false => held(6),
                };
                x.get::<D>("cost") + x.get::<D>("log_prob") * advantage
            }
        );
    }
    at_every_axis!(
        device,
        table,
        "dice",
        |D, shape, _dim| [("log_prob", spread(shape, 5))],
        |x| dice(x.get::<D>("log_prob")),
        |x| x.get::<D>("log_prob")
    );
}

fn mixtures_have_their_slopes(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "mixture of Gaussians",
        |D, shape, dim| [
            ("logits", spread(shape, 1)),
            ("values", spread(shape, 2)),
            ("target", per_row(shape, dim)),
            ("deviation", shared(shape)),
        ],
        |x| {
            let (values, target) = (x.get::<D>("values"), x.get::<D>("target"));
            let density = gaussian_log_likelihood(values, target, x.get::<D>("deviation"));
            mixture_loss(x.get::<D>("logits"), density, dim)
        }
    );
}

fn a_mixture_of_categoricals_has_its_slope(device: &Device, table: &mut Table) {
    Difference::new("mixture of categoricals")
        .input("logits", spread([3, 4], 1))
        .input("outputs", spread([3, 4, 5], 2))
        .check(device, table, |x| {
            let target = Tensor::<3, Int>::from_ints([[[4]], [[0]], [[2]]], x.device());
            let density = categorical_log_likelihood(x.get::<3>("outputs"), target);
            mixture_loss(x.get::<2>("logits"), density, 1)
        });
}

/// The shares of the hard choices are held; these logits are far from a tie.
fn balancing_costs_have_their_slopes(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "importance_loss",
        |D, shape, dim| [("logits", spread(shape, 4))],
        |x| importance_loss(x.get::<D>("logits"), dim)
    );
    Difference::new("load_balancing_loss")
        .input("logits", spread([5, 3], 4))
        .check(device, table, |x| {
            load_balancing_loss(x.get::<2>("logits"), 1)
        });
}

twice!(
    a_mixture_of_categoricals_has_its_slope,
    balancing_costs_have_their_slopes,
    mixtures_have_their_slopes,
    surrogates_have_the_slope_of_their_estimator,
);
