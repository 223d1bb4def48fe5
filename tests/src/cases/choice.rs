//! One-hot choices with a soft gradient: of the argmax, of given classes, of samples.

use burn_relax::{
    Relaxation,
    relax::{reinmax, reinmax_with_indices, straight_through_with_indices},
    softmax, straight_through_argmax,
};
use burn_relax_kernels::naive;

use super::{
    Call, Case, Coefficient, Contract, Expect, Gradient, Input, Kind, Row, SEED, Slope, Terms,
    call::call, primitive::primitive,
};

const SOFTMAX: Call = call!(|x, dim| softmax(x.logits(), dim, x.coefficient()));

/// Logits, and a class for each row.
const GIVEN: &[Input] = &[
    Input::LOGITS,
    Input::learned("indices", Kind::Indices(1)).with(Gradient::None),
];

/// The class of the hand-made rows is 0, which one of them forbids.
const FIRST: Contract = Contract {
    infinite: Expect::Row(&[1.0, 0.0, 0.0, 0.0]),
    ties: Expect::Row(&[0.0; 3]),
    shorter: false,
    symmetric: false,
    ordered: false,
    // Not where the class that was given is forbidden.
    sum: super::Sum::None,
    ..Contract::WEIGHTS
};

/// A one-hot made of Burn's operations.
const fn one_hot(
    name: &'static str,
    inputs: &'static [Input],
    call: Call,
    reference: fn(&Row) -> Vec<f64>,
) -> Case {
    Case {
        inputs,
        coefficient: Some(Coefficient::TEMPERATURE),
        slope: Slope::Of(SOFTMAX),
        ..Case::weights(name, call, reference).composed()
    }
}

pub const CASES: &[Case] = &[
    Case {
        primitives: &[primitive!(straight_through_argmax)],
        contract: Contract::ONE_HOT,
        terms: &[("stats", Terms::Private)],
        memory: Some(3),
        launches: Some([1, 1]),
        requests: Some(2),
        torch: &["straight_through_argmax"],
        ..one_hot(
            "straight_through_argmax",
            &[Input::LOGITS],
            call!(|x, dim| straight_through_argmax(x.logits(), dim, x.coefficient())),
            |row| naive::one_hot(row.logits(), row.logits()),
        )
    },
    Case {
        contract: FIRST,
        ..one_hot(
            "straight_through_with_indices",
            GIVEN,
            call!(|x, dim| {
                let (logits, indices) = (x.logits(), x.ints("indices"));
                straight_through_with_indices(logits, indices, dim, x.coefficient())
            }),
            given,
        )
    },
    Case {
        contract: Contract::DRAWN,
        draws: 1,
        ..one_hot(
            "straight_through_sample",
            &[Input::LOGITS],
            call!(|x, dim| {
                Relaxation::softmax(x.coefficient())
                    .sampled_at(3.0, SEED)
                    .weights(x.logits(), dim)
            }),
            |row| {
                let flat: Vec<f64> = row.logits().iter().map(|x| x / 3.0).collect();
                naive::gumbel_argmax(&flat, &row.noise)
            },
        )
    },
    Case {
        contract: Contract::DRAWN,
        draws: 1,
        slope: Slope::Elsewhere("reinmax_has_the_gradient_of_its_formula"),
        ..one_hot(
            "reinmax",
            &[Input::LOGITS],
            call!(|x, dim| reinmax(x.logits(), dim, x.coefficient(), SEED)),
            |row| naive::gumbel_argmax(row.logits(), &row.noise),
        )
    },
    Case {
        contract: FIRST,
        slope: Slope::Elsewhere("reinmax_with_indices_agrees_with_its_goldens"),
        ..one_hot(
            "reinmax_with_indices",
            GIVEN,
            call!(|x, dim| {
                reinmax_with_indices(x.logits(), x.ints("indices"), dim, x.coefficient())
            }),
            given,
        )
    },
    Case {
        contract: Contract::DRAWN,
        // The one that decides, and two that are averaged over.
        draws: 3,
        slope: Slope::Elsewhere("second_order"),
        ..one_hot(
            "gumbel_rao",
            &[Input::LOGITS],
            call!(|x, dim| {
                let choice = Relaxation::softmax(x.coefficient()).gumbel(SEED).rao(2);
                choice.weights(x.logits(), dim)
            }),
            |row| naive::gumbel_argmax(row.logits(), &row.noise[..row.logits().len()]),
        )
    },
];

fn given(row: &Row) -> Vec<f64> {
    let x = row.logits();
    let nan = x.iter().any(|x| x.is_nan());
    let weight = |k: usize| match x[k] {
        _ if nan => f64::NAN,
        f64::NEG_INFINITY => 0.0,
        _ => f64::from(u8::from(k == row.indices[0])),
    };
    (0..x.len()).map(weight).collect()
}
