//! Costs of every class made into one: expected, free energy, mixtures, the winner's.

use burn_relax::loss::{
    expected_loss, free_energy_loss, hard_mixture_loss, mixture_loss, winner_takes_all_loss,
};
use burn_relax_kernels::naive;

use super::{
    Case, Coefficient, Contract, Expect, Row, Slope, Terms, call::call, primitive::primitive,
};

/// A sum over a row, and a difference of two weights.
const ENERGY: &[(&str, Terms)] = &[
    ("output", Terms::OfOrderOne),
    ("logits", Terms::Weights),
    ("stats", Terms::Private),
];

const HALF: f64 = core::f64::consts::LN_2;

pub const CASES: &[Case] = &[
    Case {
        ..Case::read_out(
            "expected_loss",
            call!(|x, dim| expected_loss(x.logits(), x.values(), dim)),
            |row| naive::soft_argmax_gather(row.logits(), row.values(), 1, 1.0),
        )
    },
    Case {
        coefficient: Some(Coefficient::TEMPERATURE.timed(0.1)),
        primitives: &[primitive!(free_energy)],
        contract: Contract {
            // -T ln (e^(-20/T) / 2 + e^(-30/T) / 2)
            infinite: Expect::Of(|t| vec![20.0 + t * (HALF - (-10.0 / t).exp().ln_1p())]),
            ties: Expect::Of(|t| vec![20.0 + t * (HALF - (-10.0 / t).exp().ln_1p())]),
            ..Contract::READ_OUT
        },
        terms: ENERGY,
        torch: &["free_energy_loss"],
        ..Case::read_out(
            "free_energy_loss",
            call!(|x, dim| free_energy_loss(x.logits(), x.values(), dim, x.coefficient())),
            |row| {
                vec![naive::free_energy(
                    row.logits(),
                    row.values(),
                    row.coefficient,
                )]
            },
        )
    },
    Case {
        contract: Contract {
            infinite: Expect::Of(|_| vec![-30.0 + HALF - (-10.0_f64).exp().ln_1p()]),
            ties: Expect::Of(|_| vec![-30.0 + HALF - (-10.0_f64).exp().ln_1p()]),
            single: Expect::Row(&[-10.0]),
            ..Contract::READ_OUT
        },
        terms: ENERGY,
        ..Case::read_out(
            "mixture_loss",
            call!(|x, dim| mixture_loss(x.logits(), x.values(), dim)),
            |row| {
                let cost: Vec<f64> = row.values().iter().map(|v| -v).collect();
                vec![naive::free_energy(row.logits(), &cost, 1.0)]
            },
        )
        .composed()
    },
    Case {
        contract: Contract {
            infinite: Expect::Row(&[-30.0 + HALF]),
            ties: Expect::Row(&[-30.0 + HALF]),
            single: Expect::Row(&[-10.0]),
            ..Contract::READ_OUT
        },
        ..Case::read_out(
            "hard_mixture_loss",
            call!(|x, dim| hard_mixture_loss(x.logits(), x.values(), dim)),
            |row| {
                let surprise = naive::log_softmax(row.logits()).into_iter().map(|l| -l);
                let values: Vec<f64> = row.values().to_vec();
                let total = surprise.zip(values).map(|(s, v)| s - v).collect();
                least(row, total)
            },
        )
        .composed()
    },
    Case {
        slope: Slope::Own,
        contract: Contract {
            infinite: Expect::Row(&[20.0 + HALF]),
            ties: Expect::Row(&[20.0 + HALF]),
            ..Contract::READ_OUT
        },
        ..Case::read_out(
            "winner_takes_all_loss",
            call!(|x, dim| winner_takes_all_loss(x.logits(), x.values(), dim)),
            |row| {
                let log_probs = naive::log_softmax(row.logits());
                let total = ranked(row, row.values());
                match total {
                    Some(k) => vec![row.values()[k] - log_probs[k]],
                    None => least(row, row.values().to_vec()),
                }
            },
        )
        .composed()
    },
];

/// The allowed class with the least cost, if every number is one.
fn ranked(row: &Row, cost: &[f64]) -> Option<usize> {
    let x = row.logits();
    // Beside `+inf` what is finite counts as forbidden.
    let log_probs = naive::log_softmax(x);
    let allowed = (0..x.len()).filter(|&k| log_probs[k] != f64::NEG_INFINITY);
    let unknown = x.iter().any(|x| x.is_nan()) || allowed.clone().any(|k| cost[k].is_nan());
    if unknown {
        return None;
    }
    allowed.min_by(|&a, &b| cost[a].total_cmp(&cost[b]))
}

/// The least cost of an allowed class: 0 without one, NaN where one is unknown.
fn least(row: &Row, cost: Vec<f64>) -> Vec<f64> {
    let allowed = row.logits().iter().any(|&x| x != f64::NEG_INFINITY);
    vec![match ranked(row, &cost) {
        Some(k) => cost[k],
        None if allowed => f64::NAN,
        None => 0.0,
    }]
}
