//! Relaxed samples, soft and hard, with the noise of a seed or given noise.

use burn_relax::{Relaxation, distribution::gumbel_noise, gumbel_softmax, softmax};
use burn_relax_kernels::naive;

use super::{
    Case, Coefficient, Contract, Domain, Gradient, Input, Kind, SEED, Slope, Terms, call::call,
    primitive::primitive, traffic,
};

const TEMPERATURE: Coefficient = Coefficient::TEMPERATURE.timed(0.5);

const NOISE: &[Input] = &[
    Input::LOGITS,
    Input::learned("noise", Kind::Classes(Domain::Real)).with(Gradient::Checked),
];

/// The normaliser of a hard choice may be left to the backward pass.
const PRIVATE: &[(&str, Terms)] = &[("stats", Terms::Private)];

/// Noise to 4 units in the last place of up to 16.6, which one draw in 2²⁴ is beyond, over the temperature.
const ROOM: f64 = 11.0;

pub const CASES: &[Case] = &[
    Case {
        coefficient: Some(TEMPERATURE),
        primitives: &[primitive!(gumbel_softmax)],
        contract: Contract {
            // A soft weight of half each, whatever the noise.
            infinite: Contract::WEIGHTS.infinite,
            ..Contract::DRAWN
        },
        room: ROOM,
        draws: 1,
        torch: &["gumbel_softmax"],
        ..Case::weights(
            "gumbel_softmax",
            call!(|x, dim| gumbel_softmax(x.logits(), dim, x.coefficient(), SEED)),
            |row| naive::gumbel_softmax(row.logits(), &row.noise, row.coefficient),
        )
    },
    Case {
        coefficient: Some(TEMPERATURE),
        slope: Slope::Of(call!(|x, dim, D| {
            let logits = x.logits::<D>();
            let options = (&logits.device(), logits.dtype());
            let noise = gumbel_noise(logits.dims(), dim, SEED, options);
            softmax(logits + noise, dim, x.coefficient())
        })),
        primitives: &[primitive!(gumbel_argmax)],
        terms: PRIVATE,
        contract: Contract::DRAWN,
        room: ROOM,
        draws: 1,
        torch: &["gumbel_softmax_hard"],
        ..Case::weights(
            "gumbel_softmax_hard",
            call!(|x, dim| {
                let choice = Relaxation::softmax(x.coefficient()).gumbel(SEED).hard();
                choice.weights(x.logits(), dim)
            }),
            |row| naive::gumbel_argmax(row.logits(), &row.noise),
        )
    },
    Case {
        inputs: NOISE,
        coefficient: Some(TEMPERATURE),
        primitives: &[primitive!(gumbel_softmax_with_noise)],
        contract: Contract {
            ordered: false,
            ..Contract::WEIGHTS
        },
        traffic: [traffic(2, 1), traffic(2, 1)],
        torch: &["gumbel_softmax_with_noise"],
        ..Case::weights(
            "gumbel_softmax_with_noise",
            call!(|x, dim| {
                let choice = Relaxation::softmax(x.coefficient()).noise(x.get("noise"));
                choice.weights(x.logits(), dim)
            }),
            |row| naive::gumbel_softmax(row.logits(), row.get("noise"), row.coefficient),
        )
    },
    Case {
        inputs: NOISE,
        coefficient: Some(TEMPERATURE),
        slope: Slope::Of(call!(|x, dim, D| {
            softmax(x.logits::<D>() + x.get("noise"), dim, x.coefficient())
        })),
        primitives: &[primitive!(gumbel_argmax_with_noise)],
        terms: PRIVATE,
        contract: Contract {
            ordered: false,
            ..Contract::ONE_HOT
        },
        traffic: [traffic(2, 1), traffic(3, 1)],
        torch: &["gumbel_softmax_hard_with_noise"],
        ..Case::weights(
            "gumbel_softmax_hard_with_noise",
            call!(|x, dim| {
                let choice = Relaxation::softmax(x.coefficient())
                    .noise(x.get("noise"))
                    .hard();
                choice.weights(x.logits(), dim)
            }),
            |row| naive::gumbel_argmax(row.logits(), row.get("noise")),
        )
    },
];
