use burn_core::tensor::Device;
use burn_relax::{
    Coefficient, Relaxation, argmax_gather, entmax,
    loss::{entmax_loss, sparsemax_loss},
    relax::Coordinates,
    sparse::{log_entmax, log_sparsemax, normmax},
};
use burn_relax_tests::{Difference, Leaves, Random, Table};

use super::{at_every_axis, per_row, shared, spread, twice, unit};

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
                .input("logits", row)
                .input("alpha", [alpha])
                .check(device, table, |x| {
                    entmax(x.get::<1>("logits"), 0, x.get::<1>("alpha"))
                });
            Difference::new(format!("entmax, fixed alpha {alpha}, {row:?}"))
                .input("logits", row)
                .check(device, table, |x| entmax(x.get::<1>("logits"), 0, alpha));
        }
    }
}

fn entmax_has_its_slope_along_every_axis(device: &Device, table: &mut Table) {
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
    let near = [0.1, 0.25, -0.05, 0.17];
    Difference::new("log_sparsemax")
        .input("logits", near)
        .check(device, table, |x| log_sparsemax(x.get::<1>("logits"), 0));
    Difference::new("log_entmax")
        .input("logits", near)
        .input("alpha", [1.4])
        .check(device, table, |x| {
            log_entmax(x.get::<1>("logits"), 0, x.get::<1>("alpha"))
        });
}

fn normmax_has_its_slope(device: &Device, table: &mut Table) {
    for alpha in [1.1, 1.5, 2.0, 3.0] {
        Difference::new(format!("normmax, alpha {alpha}"))
            .input("logits", [-3.0, 0.0, 0.5, 0.3])
            .input("alpha", [alpha])
            .check(device, table, |x| {
                normmax(x.get::<1>("logits"), 0, x.get::<1>("alpha"))
            });
    }
}

fn losses_have_their_slope(device: &Device, table: &mut Table) {
    // Every target has some weight, and its row sums to 1.
    let targets = [[0.1, 0.2, 0.3, 0.4]; 3];
    for alpha in [1.0, 1.001, 1.3, 1.5, 2.0, 2.5] {
        Difference::new(format!("entmax_loss, alpha {alpha}"))
            .input("logits", spread([3, 4], 6))
            .input("targets", targets)
            .input("alpha", [[alpha]; 3])
            .check(device, table, |x| {
                let (logits, targets) = (x.get::<2>("logits"), x.get::<2>("targets"));
                entmax_loss(logits, targets, 1, x.get::<2>("alpha"))
            });
    }
    Difference::new("sparsemax_loss")
        .input("logits", spread([3, 4], 7))
        .input("targets", targets)
        .check(device, table, |x| {
            sparsemax_loss(x.get::<2>("logits"), x.get("targets"), 1)
        });
}

type Map = fn(Coefficient<2>) -> Relaxation<2>;

const MAPS: [(&str, Map); 4] = [
    ("sparsemax", |t| Relaxation::sparsemax(t)),
    ("1.5-entmax", |t| Relaxation::entmax15(t)),
    ("1.2-entmax", |t| Relaxation::entmax(1.2, t)),
    ("1.5-normmax", |t| Relaxation::normmax(1.5, t)),
];

fn read_outs_and_hard_choices_have_the_slope_of_their_map(device: &Device, table: &mut Table) {
    for (map, choice) in MAPS {
        let choice = |x: &Leaves| choice(x.get::<2>("temperature").into());
        let sample = |x: &Leaves| choice(x).gumbel(5);
        let inputs = |name: &str| {
            Difference::new(format!("{name}, {map}"))
                .input("logits", spread([3, 5], 8))
                .input("temperature", Random::new(9).array([3, 1], 0.8, 1.6))
        };
        inputs("coordinate")
            .input("coordinates", unit([5], 10))
            .check(device, table, |x| {
                let coordinates = Coordinates::Given(x.get::<1>("coordinates"));
                choice(x).coordinate(x.get("logits"), 1, coordinates)
            });
        let gathers = |name: &str| inputs(name).input("values", spread([3, 5], 11));
        let values = |x: &Leaves| x.get::<2>("values");
        let soft = |x: &Leaves| choice(x).gather(x.get("logits"), values(x), 1);
        gathers("gather").check(device, table, soft);
        let blended = |x: &Leaves| {
            let hard = choice(x).hard();
            hard.blended_gather(x.get("logits"), values(x), 1)
        };
        gathers("blended gather").check_against(device, table, blended, soft);
        let hard = |x: &Leaves| choice(x).hard().gather(x.get("logits"), values(x), 1);
        // The values that are held move the logits, the chosen one learns.
        gathers("hard gather").check_against(device, table, hard, |x| {
            let held = |name: &str| x.held::<2>(name).expect("it is an input");
            let moved = choice(x).gather(x.get("logits"), held("values"), 1);
            moved + argmax_gather(held("logits"), values(x), 1)
        });
        inputs("hard weights").check_against(
            device,
            table,
            |x| choice(x).hard().weights(x.get("logits"), 1),
            |x| choice(x).weights(x.get("logits"), 1),
        );
        let soft = |x: &Leaves| sample(x).weights(x.get("logits"), 1);
        inputs("gumbel").check(device, table, soft);
        let hard = |x: &Leaves| sample(x).hard().weights(x.get("logits"), 1);
        inputs("hard gumbel").check_against(device, table, hard, soft);
    }
}

twice!(
    entmax_has_its_slope_in_logits_and_alpha,
    entmax_has_its_slope_along_every_axis,
    log_forms_have_their_slope_on_the_support,
    normmax_has_its_slope,
    losses_have_their_slope,
    read_outs_and_hard_choices_have_the_slope_of_their_map,
);
