//! The softmax and its logarithm.

use burn_relax::{log_softmax, softmax};
use burn_relax_kernels::naive;

use super::{Case, Coefficient, Contract, Expect, Sum, call::call, primitive::primitive, traffic};

/// `-ln 2`
const HALF: f64 = -core::f64::consts::LN_2;

pub const CASES: &[Case] = &[
    Case {
        coefficient: Some(Coefficient::TEMPERATURE.timed(0.5)),
        primitives: &[primitive!(softmax)],
        torch: &["softmax"],
        ..Case::weights(
            "softmax",
            call!(|x, dim| softmax(x.logits(), dim, x.coefficient())),
            |row| naive::softmax(row.logits(), row.coefficient),
        )
    },
    Case {
        primitives: &[primitive!(log_softmax)],
        contract: Contract {
            forbidden: f64::NEG_INFINITY,
            empty: f64::NEG_INFINITY,
            infinite: Expect::Row(&[f64::NEG_INFINITY, HALF, HALF, f64::NEG_INFINITY]),
            ties: Expect::Row(&[f64::NEG_INFINITY, HALF, HALF]),
            single: Expect::Row(&[0.0]),
            sum: Sum::None,
            ..Contract::WEIGHTS
        },
        traffic: [traffic(1, 1), traffic(2, 1)],
        torch: &["log_softmax"],
        ..Case::weights(
            "log_softmax",
            call!(|x, dim| log_softmax(x.logits(), dim)),
            |row| naive::log_softmax(row.logits()),
        )
    },
];
