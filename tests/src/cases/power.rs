//! Gradual argmax and power softmax: numbers in `[0, 1]` in place of logits.

use burn_relax::{Relaxation, gradual_argmax, power_softmax, relax::normalised_gradual_argmax};
use burn_relax_kernels::naive;

use super::{
    Call, Case, Coefficient, Contract, Input, Row, Sum, call::call, primitive::primitive, traffic,
};

const POWER: Coefficient = Coefficient {
    // Half precision holds it.
    number: 1.75,
    range: [0.5, 2.0],
    // Not an integer, which PyTorch would multiply out.
    timed: 2.5,
};

/// A function of numbers in `[0, 1]`, with a kernel of its own in each direction.
const fn unit(name: &'static str, call: Call, reference: fn(&Row) -> Vec<f64>) -> Case {
    Case {
        inputs: &[Input::UNIT],
        coefficient: Some(POWER),
        contract: Contract::UNIT,
        // The power is filled into a tensor before the kernel reads it.
        launches: Some([2, 1]),
        ..Case::weights(name, call, reference)
    }
}

/// Powers over their sum, which the backward pass reads beside the values.
const fn normalised(name: &'static str, call: Call, reference: fn(&Row) -> Vec<f64>) -> Case {
    Case {
        contract: Contract {
            sum: Sum::One,
            ..Contract::UNIT
        },
        traffic: [traffic(1, 1), traffic(3, 1)],
        ..unit(name, call, reference)
    }
}

pub const CASES: &[Case] = &[
    Case {
        primitives: &[primitive!(gradual_argmax)],
        torch: &["gradual_argmax"],
        ..unit(
            "gradual_argmax",
            call!(|x, dim| gradual_argmax(x.values(), dim, x.coefficient())),
            |row| naive::gradual_argmax(row.values(), row.coefficient),
        )
    },
    Case {
        primitives: &[primitive!(power_softmax)],
        torch: &["power_softmax"],
        ..normalised(
            "power_softmax",
            call!(|x, dim| power_softmax(x.values(), dim, x.coefficient())),
            |row| naive::power_softmax(row.values(), row.coefficient),
        )
    },
    Case {
        primitives: &[primitive!(normalised_gradual_argmax)],
        // Powers of values, by a logarithm and an exponential, over their sum.
        room: 4.0,
        torch: &["normalised_gradual_argmax"],
        ..normalised(
            "normalised_gradual_argmax",
            call!(|x, dim| normalised_gradual_argmax(x.values(), dim, x.coefficient())),
            |row| naive::normalised_gradual_argmax(row.values(), row.coefficient),
        )
    },
    Case {
        coefficient: Some(POWER),
        ..Case::weights(
            "gradual_weights",
            call!(|x, dim| Relaxation::gradual(x.coefficient()).weights(x.logits(), dim)),
            |row| {
                let probs = naive::softmax(row.logits(), 1.0);
                let gates = naive::gradual_argmax(&probs, row.coefficient);
                let total: f64 = gates.iter().sum();
                let total = if total == 0.0 { 1.0 } else { total };
                gates.iter().map(|gate| gate / total).collect()
            },
        )
        .composed()
    },
];
