use burn_core::tensor::{Device, Int, Tensor};
use burn_relax::{
    categorical_log_likelihood, dice, dice_cost, expected_cost, free_energy_cost,
    gaussian_log_likelihood, hard_mixture_nll, importance_cost, load_balancing_cost, mixture_nll,
    score_function_cost, winner_takes_all_cost,
};
use burn_relax_tests::{Difference, Table, flat};

use crate::{at_every_axis, per_row, shared, spread, twice};

fn expected_cost_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "expected_cost",
        |D, shape, dim| [("logits", spread(shape, 1)), ("cost", spread(shape, 2))],
        |x| expected_cost(x.get::<D>("logits"), x.get("cost"), dim)
    );
}

fn free_energy_cost_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "free_energy_cost at a number",
        |D, shape, dim| [("logits", spread(shape, 3)), ("cost", spread(shape, 4))],
        |x| free_energy_cost(x.get::<D>("logits"), x.get("cost"), dim, 0.4)
    );
    at_every_axis!(
        device,
        table,
        "free_energy_cost per row",
        |D, shape, dim| [
            ("logits", spread(shape, 3)),
            ("cost", spread(shape, 4)),
            ("temperature", per_row(shape, dim)),
        ],
        |x| {
            let (logits, cost) = (x.get::<D>("logits"), x.get::<D>("cost"));
            free_energy_cost(logits, cost, dim, x.get::<D>("temperature"))
        }
    );
    at_every_axis!(
        device,
        table,
        "free_energy_cost at one tensor",
        |D, shape, dim| [
            ("logits", spread(shape, 3)),
            ("cost", spread(shape, 4)),
            ("temperature", shared(shape)),
        ],
        |x| {
            let (logits, cost) = (x.get::<D>("logits"), x.get::<D>("cost"));
            free_energy_cost(logits, cost, dim, x.get::<D>("temperature"))
        }
    );
}

/// The surrogate's value is the cost; its gradient is that of `cost + log_prob · (cost - baseline)` with the parenthesis held.
fn the_score_function_has_the_slope_of_its_estimator(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "score_function_cost",
        |D, shape, _dim| [("log_prob", spread(shape, 5)), ("cost", spread(shape, 6))],
        |x| score_function_cost(x.get::<D>("log_prob"), x.get("cost"), None),
        |x| {
            let held = spread(shape, 6).tensor::<D>(x.device(), x.dtype());
            x.get::<D>("cost") + x.get::<D>("log_prob") * held
        }
    );
    at_every_axis!(
        device,
        table,
        "score_function_cost with a baseline",
        |D, shape, _dim| [("log_prob", spread(shape, 5)), ("cost", spread(shape, 6))],
        |x| {
            let baseline = spread(shape, 7).tensor::<D>(x.device(), x.dtype());
            score_function_cost(x.get::<D>("log_prob"), x.get("cost"), Some(baseline))
        },
        |x| {
            let held = |seed| spread(shape, seed).tensor::<D>(x.device(), x.dtype());
            x.get::<D>("cost") + x.get::<D>("log_prob") * (held(6) - held(7))
        }
    );
}

fn dice_has_the_slope_of_its_estimator(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "dice_cost with a baseline",
        |D, shape, _dim| [("log_prob", spread(shape, 5)), ("cost", spread(shape, 6))],
        |x| {
            let baseline = spread(shape, 7).tensor::<D>(x.device(), x.dtype());
            dice_cost(x.get::<D>("log_prob"), x.get("cost"), Some(baseline))
        },
        |x| {
            let held = |seed| spread(shape, seed).tensor::<D>(x.device(), x.dtype());
            x.get::<D>("cost") + x.get::<D>("log_prob") * (held(6) - held(7))
        }
    );
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
            mixture_nll(x.get::<D>("logits"), density, dim)
        }
    );
    at_every_axis!(
        device,
        table,
        "hard mixture",
        |D, shape, dim| [
            ("logits", spread(shape, 1)),
            ("log_likelihood", spread(shape, 2))
        ],
        |x| hard_mixture_nll(x.get::<D>("logits"), x.get("log_likelihood"), dim)
    );
    at_every_axis!(
        device,
        table,
        "winner_takes_all_cost",
        |D, shape, dim| [("logits", spread(shape, 1)), ("cost", spread(shape, 2))],
        |x| winner_takes_all_cost(x.get::<D>("logits"), x.get("cost"), dim)
    );
}

fn a_mixture_of_categoricals_has_its_slope(device: &Device, table: &mut Table) {
    Difference::new("mixture of categoricals")
        .input("logits", spread([3, 4], 1))
        .input("outputs", spread([3, 4, 5], 2))
        .check(device, table, |x| {
            let target = Tensor::<3, Int>::from_ints([[[4]], [[0]], [[2]]], x.device());
            let density = categorical_log_likelihood(x.get::<3>("outputs"), target);
            flat(mixture_nll(x.get::<2>("logits"), density, 1))
        });
}

/// The shares of the hard choices are held; these logits are far from a tie.
fn balancing_costs_have_their_slopes(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "importance_cost",
        |D, shape, dim| [("logits", spread(shape, 4))],
        |x| importance_cost(x.get::<D>("logits"), dim)
    );
    Difference::new("load_balancing_cost")
        .input("logits", spread([5, 3], 4))
        .check(device, table, |x| {
            load_balancing_cost(x.get::<2>("logits"), 1)
        });
}

twice!(
    a_mixture_of_categoricals_has_its_slope,
    balancing_costs_have_their_slopes,
    dice_has_the_slope_of_its_estimator,
    expected_cost_has_its_slope,
    free_energy_cost_has_its_slope,
    mixtures_have_their_slopes,
    the_score_function_has_the_slope_of_its_estimator,
);
