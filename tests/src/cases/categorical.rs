//! Log-probabilities, samples, entropy and the density of relaxed samples.

use burn_relax::distribution::{
    categorical_entropy, categorical_log_prob, relaxed_categorical_log_density,
    sample_categorical_with_log_prob,
};
use burn_relax_kernels::naive;

use super::{
    Case, Coefficient, Contract, Domain, Expect, Gradient, Input, Kind, Row, SEED, Terms,
    call::call, primitive::primitive, traffic,
};

/// Several classes for each row.
const GIVEN: &[Input] = &[
    Input::LOGITS,
    Input::learned("indices", Kind::Indices(3)).with(Gradient::None),
];

/// A cost of each row's sample, known already.
const COST: &[Input] = &[
    Input::LOGITS,
    Input::learned("cost", Kind::PerRow).with(Gradient::None),
];

const LOG_PROB: Contract = Contract {
    empty: f64::NEG_INFINITY,
    // Class 0 is the one that is finite.
    infinite: Expect::Row(&[f64::NEG_INFINITY; 3]),
    ties: Expect::Row(&[f64::NEG_INFINITY; 3]),
    single: Expect::Row(&[0.0; 3]),
    shows_nan_values: false,
    shorter: false,
    symmetric: false,
    ..Contract::READ_OUT
};

pub const CASES: &[Case] = &[
    Case {
        inputs: &[Input::LOGITS],
        contract: Contract {
            infinite: Expect::Row(&[core::f64::consts::LN_2]),
            ties: Expect::Row(&[core::f64::consts::LN_2]),
            single: Expect::Row(&[0.0]),
            shows_nan_values: false,
            ..Contract::READ_OUT
        },
        terms: &[("output", Terms::OfOrderOne), ("logits", Terms::Logarithms)],
        traffic: [traffic(1, 0), traffic(1, 1)],
        ..Case::read_out(
            "categorical_entropy",
            call!(|x, dim| categorical_entropy(x.logits(), dim)),
            entropy,
        )
        .composed()
    },
    Case {
        inputs: GIVEN,
        primitives: &[primitive!(categorical_log_prob)],
        contract: LOG_PROB,
        traffic: [traffic(1, 0), traffic(1, 1)],
        memory: Some(1),
        torch: &["categorical_log_prob"],
        ..Case::read_out(
            "categorical_log_prob",
            call!(|x, dim| categorical_log_prob(x.logits(), x.ints("indices"), dim)),
            |row| {
                let log_probs = naive::log_softmax(row.logits());
                row.indices.iter().map(|&k| log_probs[k]).collect()
            },
        )
    },
    Case {
        inputs: COST,
        primitives: &[primitive!(sample_categorical)],
        contract: Contract {
            empty: f64::NEG_INFINITY,
            infinite: Expect::Reference,
            ties: Expect::Reference,
            single: Expect::Row(&[0.0]),
            ..LOG_PROB
        },
        draws: 1,
        traffic: [traffic(1, 0), traffic(1, 1)],
        memory: Some(1),
        torch: &["sample_log_prob_cost"],
        ..Case::read_out(
            "sample_log_prob_cost",
            call!(|x, dim| {
                let (_, log_prob) = sample_categorical_with_log_prob(x.logits(), dim, 1, SEED);
                log_prob * x.get("cost")
            }),
            |row| {
                let drawn = naive::gumbel_argmax(row.logits(), &row.noise);
                let drawn = drawn.iter().position(|&w| w == 1.0).unwrap_or(0);
                vec![naive::log_softmax(row.logits())[drawn] * row.get("cost")[0]]
            },
        )
    },
    Case {
        inputs: &[
            Input::LOGITS,
            Input::learned("weights", Kind::Classes(Domain::Positive)),
        ],
        coefficient: Some(Coefficient::TEMPERATURE),
        contract: DENSITY,
        // Sums of as many logarithms as there are classes.
        room: 4.0,
        ..Case::read_out(
            "relaxed_categorical_log_density",
            call!(|x, dim, D| {
                let (logits, weights) = (x.logits::<D>(), x.get("weights"));
                relaxed_categorical_log_density(logits, weights, dim, x.coefficient())
            }),
            density,
        )
        .composed()
    },
];

const DENSITY: Contract = Contract {
    infinite: Expect::Reference,
    ties: Expect::Reference,
    single: Expect::Reference,
    shows_nan_values: false,
    ..Contract::READ_OUT
};

fn entropy(row: &Row) -> Vec<f64> {
    let log_probs = naive::log_softmax(row.logits());
    let terms = log_probs.iter().filter(|l| **l != f64::NEG_INFINITY);
    vec![-terms.map(|l| l.exp() * l).sum::<f64>()]
}

/// `ln (n-1)! + (n-1) ln T + Σ (x_k - (T+1) ln w_k) - n ln Σ exp(x_k - T ln w_k)` over the allowed classes; 0 without one.
fn density(row: &Row) -> Vec<f64> {
    let (x, t) = (row.logits(), row.coefficient);
    let top = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Beside `+inf` what is finite counts as forbidden, and infinite ones are equal.
    let allowed = |x: f64| match top {
        f64::INFINITY => (x == top).then_some(0.0),
        _ => (x != f64::NEG_INFINITY).then_some(x - top),
    };
    let pairs = x.iter().zip(row.get("weights"));
    let pairs: Vec<_> = pairs
        .filter_map(|(&x, &w)| Some((allowed(x)?, w)))
        .collect();
    if pairs.is_empty() {
        return vec![0.0];
    }
    let n = pairs.len() as f64;
    let factorial: f64 = (1..pairs.len()).map(|k| (k as f64).ln()).sum();
    let terms = || pairs.iter().map(|(x, w)| x - t * w.ln());
    let max = terms().fold(f64::NEG_INFINITY, f64::max);
    let log_sum = max + terms().map(|term| (term - max).exp()).sum::<f64>().ln();
    let sum: f64 = pairs.iter().map(|(x, w)| x - (t + 1.0) * w.ln()).sum();
    vec![factorial + (n - 1.0) * t.ln() + sum - n * log_sum]
}
