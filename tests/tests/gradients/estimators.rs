use burn_core::tensor::Device;
use burn_relax::{expected_cost, free_energy_cost, score_function_cost};
use burn_relax_tests::Table;

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

twice!(
    expected_cost_has_its_slope,
    free_energy_cost_has_its_slope,
    the_score_function_has_the_slope_of_its_estimator,
);
