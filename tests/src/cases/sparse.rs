//! The sparse maps, and weights with a given sum.

use burn_relax::{
    Relaxation, entmax, entmax15,
    sparse::{budget, log_entmax15, log_sparsemax, normmax},
    sparsemax,
};
use burn_relax_kernels::naive;

use super::{
    Call, Case, Coefficient, Contract, Expect, Row, SEED, Slope, Sum, Terms, call::call,
    primitive::primitive,
};

/// From 1.05 to 1.5: towards 2 a slope turns into the step of sparsemax, and weights that round to 0 have none.
const ALPHA: Coefficient = Coefficient {
    number: 1.25,
    range: [1.05, 1.5],
    timed: 1.25,
};

/// Slopes and squared logarithms of small weights, of order 1 before they are added up.
const SLOPES: &[(&str, Terms)] = &[("logits", Terms::OfOrderOne)];

/// Logarithms of weights that are 0 outside the support.
const LOG: Contract = Contract {
    forbidden: f64::NEG_INFINITY,
    empty: f64::NEG_INFINITY,
    infinite: Expect::Of(|_| [0.0_f64, 0.5, 0.5, 0.0].map(f64::ln).to_vec()),
    ties: Expect::Of(|_| [0.0_f64, 0.5, 0.5].map(f64::ln).to_vec()),
    single: Expect::Row(&[0.0]),
    sum: Sum::None,
    ..Contract::WEIGHTS
};

const fn logarithm(name: &'static str, call: Call, reference: fn(&Row) -> Vec<f64>) -> Case {
    Case {
        // Logarithms near the end of the support go to minus infinity, their slopes to infinity.
        slope: Slope::Elsewhere("log_forms_have_their_slope_on_the_support"),
        contract: LOG,
        terms: SLOPES,
        // A weight's rounding is divided by it, and some here are less than a hundredth.
        room: 100.0,
        ..Case::weights(name, call, reference).composed()
    }
}

pub const CASES: &[Case] = &[
    Case {
        primitives: &[primitive!(entmax).at(2.0)],
        terms: SLOPES,
        torch: &["sparsemax", "sparsemax_partial_sort"],
        ..Case::weights(
            "sparsemax",
            call!(|x, dim| sparsemax(x.logits(), dim)),
            |row| naive::sparsemax(row.logits()),
        )
    },
    Case {
        primitives: &[primitive!(entmax).at(1.5)],
        terms: SLOPES,
        torch: &["entmax15", "entmax15_partial_sort"],
        ..Case::weights(
            "entmax15",
            call!(|x, dim| entmax15(x.logits(), dim)),
            |row| naive::entmax15(row.logits()),
        )
    },
    Case {
        coefficient: Some(ALPHA),
        primitives: &[
            primitive!(entmax),
            primitive!(entmax_rows),
            primitive!(entmax).at(1.2),
            primitive!(entmax).at(1.0),
        ],
        terms: SLOPES,
        // A slope is a power of a weight, and alpha's gradient adds up squared logarithms: rounding is felt a few times.
        room: 4.0,
        torch: &["entmax"],
        ..Case::weights(
            "entmax",
            call!(|x, dim| entmax(x.logits(), dim, x.coefficient())),
            |row| naive::entmax(row.logits(), row.coefficient),
        )
    },
    Case {
        coefficient: Some(Coefficient {
            number: 1.5,
            range: [1.2, 2.0],
            timed: 1.5,
        }),
        terms: SLOPES,
        // An entmax, and a power of its weights.
        room: 8.0,
        ..Case::weights(
            "normmax",
            call!(|x, dim| normmax(x.logits(), dim, x.coefficient())),
            |row| normmax_of(row.logits(), row.coefficient),
        )
        .composed()
    },
    Case {
        coefficient: Some(Coefficient {
            // Half precision holds it.
            number: 0.75,
            range: [0.3, 3.0],
            timed: 8.0,
        }),
        primitives: &[primitive!(budget)],
        contract: Contract {
            infinite: Expect::Of(|k| vec![0.0, k / 2.0, k / 2.0, 0.0]),
            ties: Expect::Of(|k| vec![0.0, k / 2.0, k / 2.0]),
            single: Expect::Of(|k| vec![k]),
            sum: Sum::Coefficient,
            ..Contract::WEIGHTS
        },
        terms: SLOPES,
        // The budget is filled into a tensor before the kernel reads it.
        launches: Some([2, 1]),
        torch: &["budget"],
        ..Case::weights(
            "budget",
            call!(|x, dim| budget(x.logits(), dim, x.coefficient())),
            |row| naive::budget(row.logits(), row.coefficient),
        )
    },
    Case {
        coefficient: Some(Coefficient::TEMPERATURE),
        terms: SLOPES,
        ..Case::weights(
            "sparsemax_at_temperature",
            call!(|x, dim| Relaxation::sparsemax(x.coefficient()).weights(x.logits(), dim)),
            |row| naive::sparsemax(&scaled(row.logits(), row.coefficient)),
        )
        .composed()
    },
    Case {
        coefficient: Some(Coefficient::TEMPERATURE),
        slope: Slope::Of(call!(|x, dim| {
            Relaxation::sparsemax(x.coefficient()).weights(x.logits(), dim)
        })),
        contract: Contract::ONE_HOT,
        terms: SLOPES,
        ..Case::weights(
            "sparsemax_hard",
            call!(|x, dim| {
                let choice = Relaxation::sparsemax(x.coefficient()).hard();
                choice.weights(x.logits(), dim)
            }),
            |row| naive::one_hot(row.logits(), row.logits()),
        )
        .composed()
    },
    Case {
        coefficient: Some(Coefficient::TEMPERATURE),
        contract: Contract {
            infinite: Contract::WEIGHTS.infinite,
            ties: Expect::Reference,
            ..Contract::DRAWN
        },
        terms: SLOPES,
        // As for the softmax of perturbed logits.
        room: 11.0,
        draws: 1,
        ..Case::weights(
            "gumbel_sparsemax",
            call!(|x, dim| {
                let choice = Relaxation::sparsemax(x.coefficient()).gumbel(SEED);
                choice.weights(x.logits(), dim)
            }),
            |row| {
                let perturbed = naive::perturbed(row.logits(), &row.noise);
                naive::sparsemax(&scaled(&perturbed, row.coefficient))
            },
        )
        .composed()
    },
    logarithm(
        "log_sparsemax",
        call!(|x, dim| log_sparsemax(x.logits(), dim)),
        |row| logarithms(naive::sparsemax(row.logits())),
    ),
    logarithm(
        "log_entmax15",
        call!(|x, dim| log_entmax15(x.logits(), dim)),
        |row| logarithms(naive::entmax15(row.logits())),
    ),
];

fn logarithms(weights: Vec<f64>) -> Vec<f64> {
    weights.into_iter().map(f64::ln).collect()
}

/// Logits over the temperature, their maximum taken off first.
fn scaled(x: &[f64], temperature: f64) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max.is_infinite() {
        return x.to_vec();
    }
    x.iter().map(|x| (x - max) / temperature).collect()
}

/// `p ∝ [x - t]_+^(1/(α-1))` with `Σ [x - t]_+^(α/(α-1)) = 1`, by halving the bracket of `t`.
fn normmax_of(x: &[f64], alpha: f64) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max.is_infinite() || x.iter().any(|x| x.is_nan()) {
        return naive::softmax(x, 1.0);
    }
    let power = |t: f64, e: f64| -> Vec<f64> {
        let base = x.iter().map(|x| (x - max - t).max(0.0));
        base.map(|base| base.powf(e)).collect()
    };
    let (mut low, mut high) = (-1.0, 0.0);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if power(middle, alpha / (alpha - 1.0)).iter().sum::<f64>() > 1.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    let weights = power(low, 1.0 / (alpha - 1.0));
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| w / total).collect()
}
