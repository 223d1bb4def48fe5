//! Rows with forbidden classes: a step from `-inf` goes nowhere, so their slope is exactly 0, and so must the gradient be.

use burn_core::tensor::Device;
use burn_relax::{
    Coordinates, categorical_entropy, expected_cost, free_energy_cost, gumbel_softmax_with_noise,
    soft_argmax, soft_argmax_gather, softmax,
};
use burn_relax_tests::{Array, Table};

use crate::{at_every_axis, per_row, spread, twice};

/// Every fifth entry is forbidden; no row of the shapes is forbidden as a whole.
fn masked<const D: usize>(shape: [usize; D], seed: u64) -> Array {
    let mut place = 0;
    spread(shape, seed).map(|x| {
        place += 1;
        if place % 5 == 2 { f64::NEG_INFINITY } else { x }
    })
}

fn masked_weights_have_their_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "masked softmax",
        |D, shape, dim| [
            ("logits", masked(shape, 1)),
            ("temperature", per_row(shape, dim))
        ],
        |x| softmax(x.get::<D>("logits"), dim, x.get::<D>("temperature"))
    );
    at_every_axis!(
        device,
        table,
        "masked gumbel_softmax",
        |D, shape, dim| [
            ("logits", masked(shape, 2)),
            ("noise", spread(shape, 3)),
            ("temperature", per_row(shape, dim)),
        ],
        |x| {
            let (logits, noise) = (x.get::<D>("logits"), x.get::<D>("noise"));
            gumbel_softmax_with_noise(logits, noise, dim, x.get::<D>("temperature"), false)
        }
    );
}

fn masked_read_outs_have_their_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "masked soft_argmax",
        |D, shape, dim| [
            ("logits", masked(shape, 4)),
            ("temperature", per_row(shape, dim))
        ],
        |x| soft_argmax(
            x.get::<D>("logits"),
            dim,
            x.get::<D>("temperature"),
            Coordinates::index()
        )
    );
    at_every_axis!(
        device,
        table,
        "masked soft_argmax_gather",
        |D, shape, dim| [("logits", masked(shape, 5)), ("values", spread(shape, 6))],
        |x| soft_argmax_gather(x.get::<D>("logits"), x.get::<D>("values"), dim, 0.7, false)
    );
    at_every_axis!(
        device,
        table,
        "masked categorical_entropy",
        |D, shape, dim| [("logits", masked(shape, 7))],
        |x| categorical_entropy(x.get::<D>("logits"), dim)
    );
}

fn masked_costs_have_their_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "masked expected_cost",
        |D, shape, dim| [("logits", masked(shape, 8)), ("cost", spread(shape, 9))],
        |x| expected_cost(x.get::<D>("logits"), x.get("cost"), dim)
    );
    at_every_axis!(
        device,
        table,
        "masked free_energy_cost",
        |D, shape, dim| [
            ("logits", masked(shape, 10)),
            ("cost", spread(shape, 11)),
            ("temperature", per_row(shape, dim)),
        ],
        |x| {
            let (logits, cost) = (x.get::<D>("logits"), x.get::<D>("cost"));
            free_energy_cost(logits, cost, dim, x.get::<D>("temperature"))
        }
    );
}

twice!(
    masked_weights_have_their_slope,
    masked_read_outs_have_their_slope,
    masked_costs_have_their_slope,
);
