use burn_core::tensor::{Device, Tensor};
use burn_relax::{
    Coordinates, SimplexMap, budget, entmax, entmax_loss, entmax15, gumbel_softmax_with_map,
    log_entmax, log_sparsemax, normmax, soft_argmax_gather_with_map, soft_argmax_with_map,
    sparsemax, sparsemax_loss, straight_through_argmax_with_map,
};
use burn_relax_tests::{Array, Difference, Random, Table, flat};

use crate::{at_every_axis, per_row, shared, spread, twice, unit};

/// The alphas of the checks: both sides of the softmax's, the closed forms, and beyond the kink of sparsemax.
const ALPHAS: [f64; 11] = [
    0.8,
    1.0,
    1.000_001,
    1.001,
    1.2,
    4.0 / 3.0,
    1.5,
    1.75,
    2.0,
    2.25,
    3.0,
];

/// Logits whose weights are all far from 0 or exactly 0 for each of [`ALPHAS`]: no support changes within a difference's step.
const ROWS: [[f64; 4]; 3] = [
    [-1.0, 0.0, 0.5, 0.3],
    [0.15, 0.25, 0.2, -0.05],
    [-7.0, 1.0, 0.9, -9.0],
];

fn entmax_has_its_slope_in_logits_and_alpha(device: &Device, table: &mut Table) {
    for alpha in ALPHAS {
        for row in ROWS {
            Difference::new(format!("entmax, alpha {alpha}, {row:?}"))
                .input("logits", Array::line(row))
                .input("alpha", Array::line([alpha]))
                .check(device, table, |x| {
                    entmax(x.get::<1>("logits"), 0, x.get::<1>("alpha"))
                });
            Difference::new(format!("entmax, fixed alpha {alpha}, {row:?}"))
                .input("logits", Array::line(row))
                .check(device, table, |x| entmax(x.get::<1>("logits"), 0, alpha));
        }
    }
}

fn entmax_has_its_slope_along_every_axis(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "sparsemax",
        |D, shape, _dim| [("logits", spread(shape, 1))],
        |x| sparsemax(x.get::<D>("logits"), _dim)
    );
    at_every_axis!(
        device,
        table,
        "entmax15",
        |D, shape, _dim| [("logits", spread(shape, 2))],
        |x| entmax15(x.get::<D>("logits"), _dim)
    );
    at_every_axis!(
        device,
        table,
        "entmax per row",
        |D, shape, dim| [
            ("logits", spread(shape, 3)),
            ("alpha", per_row(shape, dim).map(|a| a + 0.3))
        ],
        |x| entmax(x.get::<D>("logits"), dim, x.get::<D>("alpha"))
    );
    at_every_axis!(
        device,
        table,
        "entmax shared",
        |D, shape, dim| [
            ("logits", spread(shape, 4)),
            ("alpha", shared(shape).map(|a| a + 0.6))
        ],
        |x| entmax(x.get::<D>("logits"), dim, x.get::<D>("alpha"))
    );
}

fn log_forms_have_their_slope_on_the_support(device: &Device, table: &mut Table) {
    // Logits within .7: everything has weight.
    let near = Array::line([0.1, 0.25, -0.05, 0.17]);
    Difference::new("log_sparsemax")
        .input("logits", near.clone())
        .check(device, table, |x| log_sparsemax(x.get::<1>("logits"), 0));
    Difference::new("log_entmax")
        .input("logits", near)
        .input("alpha", Array::line([1.4]))
        .check(device, table, |x| {
            log_entmax(x.get::<1>("logits"), 0, x.get::<1>("alpha"))
        });
}

fn normmax_has_its_slope(device: &Device, table: &mut Table) {
    for alpha in [1.1, 1.5, 2.0, 3.0] {
        Difference::new(format!("normmax, alpha {alpha}"))
            .input("logits", Array::line([-3.0, 0.0, 0.5, 0.3]))
            .input("alpha", Array::line([alpha]))
            .check(device, table, |x| {
                normmax(x.get::<1>("logits"), 0, x.get::<1>("alpha"))
            });
    }
}

fn budget_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "budget",
        |D, shape, dim| [
            ("logits", spread(shape, 5).map(|x| 0.3 * x)),
            ("budget", per_row(shape, dim).map(|k| k - 0.45))
        ],
        |x| budget(x.get::<D>("logits"), dim, x.get::<D>("budget"))
    );
}

fn losses_have_their_slope(device: &Device, table: &mut Table) {
    // Every target has some weight, and its row sums to 1.
    let targets = |shape: &[usize]| {
        let row = [0.1, 0.2, 0.3, 0.4];
        Array::new(
            shape.to_vec(),
            row.repeat(shape.iter().product::<usize>() / 4),
        )
    };
    for alpha in [1.0, 1.001, 1.3, 1.5, 2.0, 2.5] {
        Difference::new(format!("entmax_loss, alpha {alpha}"))
            .input("logits", spread([3, 4], 6))
            .input("targets", targets(&[3, 4]))
            .input("alpha", Array::new([3, 1], [alpha; 3]))
            .check(device, table, |x| {
                let (logits, targets) = (x.get::<2>("logits"), x.get::<2>("targets"));
                flat(entmax_loss(logits, targets, 1, x.get::<2>("alpha")))
            });
    }
    Difference::new("sparsemax_loss")
        .input("logits", spread([3, 4], 7))
        .input("targets", targets(&[3, 4]))
        .check(device, table, |x| {
            flat(sparsemax_loss(
                x.get::<2>("logits"),
                x.get::<2>("targets"),
                1,
            ))
        });
}

const MAPS: [SimplexMap; 3] = [
    SimplexMap::Sparsemax,
    SimplexMap::Entmax15,
    SimplexMap::Entmax { alpha: 1.2 },
];

fn read_outs_and_hard_choices_have_the_slope_of_their_map(device: &Device, table: &mut Table) {
    for map in MAPS {
        let inputs = |name: &str| {
            Difference::new(format!("{name}, {map:?}"))
                .input("logits", spread([3, 5], 8))
                .input("temperature", Random::new(9).array([3, 1], 0.8, 1.6))
        };
        inputs("soft_argmax")
            .input("coordinates", unit([5], 10))
            .check(device, table, |x| {
                let coordinates = Coordinates::Given(x.get::<1>("coordinates"));
                let (logits, t) = (x.get::<2>("logits"), x.get::<2>("temperature"));
                flat(soft_argmax_with_map(logits, 1, t, map, coordinates))
            });
        for hard in [false, true] {
            inputs("gather")
                .input("values", spread([3, 5], 11))
                .check_against(
                    device,
                    table,
                    |x| {
                        let (logits, values) = (x.get::<2>("logits"), x.get::<2>("values"));
                        let t = x.get::<2>("temperature");
                        flat(soft_argmax_gather_with_map(logits, values, 1, t, map, hard))
                    },
                    |x| {
                        let (logits, values) = (x.get::<2>("logits"), x.get::<2>("values"));
                        let t = x.get::<2>("temperature");
                        flat(soft_argmax_gather_with_map(
                            logits, values, 1, t, map, false,
                        ))
                    },
                );
        }
        inputs("straight_through_argmax").check_against(
            device,
            table,
            |x| {
                let (logits, t) = (x.get::<2>("logits"), x.get::<2>("temperature"));
                flat(straight_through_argmax_with_map(logits, 1, t, map))
            },
            |x| {
                let (logits, t) = (x.get::<2>("logits"), x.get::<2>("temperature"));
                flat(map.apply(logits, 1, t))
            },
        );
        for hard in [false, true] {
            let sample = |x: &burn_relax_tests::Leaves, hard| {
                let (logits, t) = (x.get::<2>("logits"), x.get::<2>("temperature"));
                let sample: Tensor<2> = gumbel_softmax_with_map(logits, 1, t, map, hard, 5);
                flat(sample)
            };
            inputs("gumbel").check_against(
                device,
                table,
                |x| sample(x, hard),
                |x| sample(x, false),
            );
        }
    }
}

twice!(
    entmax_has_its_slope_in_logits_and_alpha,
    entmax_has_its_slope_along_every_axis,
    log_forms_have_their_slope_on_the_support,
    normmax_has_its_slope,
    budget_has_its_slope,
    losses_have_their_slope,
    read_outs_and_hard_choices_have_the_slope_of_their_map,
);
