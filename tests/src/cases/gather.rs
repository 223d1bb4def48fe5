//! Values gathered at the choice: expected, exact, and exact with the gradient of the expected one.

use burn_core::tensor::Tensor;
use burn_relax::{Relaxation, argmax, argmax_gather, soft_argmax_gather};
use burn_relax_kernels::naive;

use super::{
    Args, Call, Case, Coefficient, Contract, Expect, Gradient, Input, Kind, Row, SEED, Slope,
    Terms, call::call, primitive::primitive, traffic,
};

/// Features of a class.
const FEATURES: usize = 4;
const BLOCKS: &[Input] = &[
    Input::LOGITS,
    Input::learned("values", Kind::Features(FEATURES)),
];

/// The value of the first winner.
const HARD: Contract = Contract {
    infinite: Expect::Row(&[20.0]),
    ties: Expect::Row(&[20.0]),
    // A hard choice reads one value, which need not be the one that is NaN.
    shows_nan_values: false,
    ..Contract::READ_OUT
};

/// The value of a draw.
const DRAWN: Contract = Contract {
    infinite: Expect::Reference,
    ties: Expect::Reference,
    shorter: false,
    symmetric: false,
    ..HARD
};

/// A hard choice's value, whose gradient is the slope of `slope`, made of Burn's operations.
const fn chosen(
    name: &'static str,
    call: Call,
    slope: Call,
    reference: fn(&Row) -> Vec<f64>,
) -> Case {
    Case {
        coefficient: Some(Coefficient::TEMPERATURE),
        slope: Slope::Of(slope),
        contract: HARD,
        // A difference of values, of which little may be left.
        terms: &[("logits", Terms::OfOrderOne)],
        ..Case::read_out(name, call, reference).composed()
    }
}

/// The logits move the soft weights of values that are held, and the values those weights that the held logits choose.
fn chosen_slope<const D: usize>(
    x: &Args,
    soft: Relaxation<D>,
    hard: Relaxation<D>,
    dim: isize,
) -> Tensor<D> {
    let moved = soft.gather(x.logits(), x.held::<D>("values"), dim);
    let chosen = hard.weights(x.held("logits"), dim).detach();
    moved + (chosen * x.values()).sum_dim(dim.rem_euclid(D as isize) as usize)
}

/// The value under a one-hot; 0 where nothing is chosen.
fn picked(row: &Row, weights: Vec<f64>) -> Vec<f64> {
    let index = weights.iter().position(|&w| w == 1.0);
    let unknown = weights.iter().any(|w| w.is_nan());
    vec![match index {
        _ if unknown => f64::NAN,
        Some(index) => row.values()[index],
        None => 0.0,
    }]
}

pub const CASES: &[Case] = &[
    Case {
        coefficient: Some(Coefficient::TEMPERATURE),
        primitives: &[primitive!(soft_argmax_gather)],
        torch: &["soft_argmax_gather"],
        ..Case::read_out(
            "soft_argmax_gather",
            call!(|x, dim, D| {
                soft_argmax_gather(x.logits::<D>(), x.values::<D>(), dim, x.coefficient())
            }),
            |row| naive::soft_argmax_gather(row.logits(), row.values(), 1, row.coefficient),
        )
    },
    Case {
        inputs: BLOCKS,
        coefficient: Some(Coefficient::TEMPERATURE),
        primitives: &[primitive!(soft_argmax_gather)],
        // Blocks of values for each class: 10, 20, 30, 40 stand for the features of class 0.
        contract: Contract {
            infinite: Expect::Reference,
            ties: Expect::Reference,
            single: Expect::Reference,
            ..Contract::READ_OUT
        },
        traffic: [
            traffic(1 + FEATURES, 0),
            traffic(1 + FEATURES, 1 + FEATURES),
        ],
        memory: Some(1 + FEATURES),
        torch: &["soft_argmax_gather_features"],
        ..Case::read_out(
            "soft_argmax_gather_features",
            call!(|x, dim, D, E| {
                let (logits, t) = (x.logits::<D>(), x.coefficient());
                let picked = soft_argmax_gather(logits, x.values::<E>(), dim, t);
                // The features stand in the place of the classes.
                picked
                    .swap_dims(dim.rem_euclid(D as isize), -1)
                    .squeeze_dim::<D>(D)
            }),
            |row| naive::soft_argmax_gather(row.logits(), row.values(), FEATURES, row.coefficient),
        )
    },
    Case {
        primitives: &[primitive!(hard_argmax_gather)],
        memory: Some(2),
        launches: Some([1, 1]),
        empty_on_gpu: true,
        requests: Some(2),
        torch: &["soft_argmax_gather_hard"],
        ..chosen(
            "soft_argmax_gather_hard",
            call!(|x, dim, D| {
                let choice = Relaxation::softmax(x.coefficient()).hard();
                choice.gather(x.logits::<D>(), x.values::<D>(), dim)
            }),
            call!(|x, dim| {
                let soft = Relaxation::softmax(x.coefficient());
                chosen_slope(x, soft, Relaxation::softmax(1).hard(), dim)
            }),
            |row| naive::hard_argmax_gather(row.logits(), row.values(), 1),
        )
    },
    Case {
        torch: &["blended_gather"],
        ..chosen(
            "blended_gather",
            call!(|x, dim, D| {
                let choice = Relaxation::softmax(x.coefficient()).hard();
                choice.blended_gather(x.logits::<D>(), x.values::<D>(), dim)
            }),
            call!(|x, dim, D| {
                soft_argmax_gather(x.logits::<D>(), x.values::<D>(), dim, x.coefficient())
            }),
            |row| naive::hard_argmax_gather(row.logits(), row.values(), 1),
        )
    },
    Case {
        contract: DRAWN,
        draws: 1,
        ..chosen(
            "gumbel_gather_hard",
            call!(|x, dim, D| {
                let choice = Relaxation::softmax(x.coefficient()).gumbel(SEED).hard();
                choice.gather(x.logits::<D>(), x.values::<D>(), dim)
            }),
            call!(|x, dim| {
                let soft = Relaxation::softmax(x.coefficient()).gumbel(SEED);
                chosen_slope(x, soft.clone(), soft.hard(), dim)
            }),
            |row| picked(row, naive::gumbel_argmax(row.logits(), &row.noise)),
        )
    },
    Case {
        contract: DRAWN,
        draws: 1,
        ..chosen(
            "sampled_gather",
            call!(|x, dim, D| {
                let choice = Relaxation::softmax(x.coefficient()).sampled_at(3.0, SEED);
                choice.gather(x.logits::<D>(), x.values::<D>(), dim)
            }),
            call!(|x, dim| {
                let soft = Relaxation::softmax(x.coefficient());
                chosen_slope(x, soft.clone(), soft.sampled_at(3.0, SEED), dim)
            }),
            |row| {
                let flat: Vec<f64> = row.logits().iter().map(|x| x / 3.0).collect();
                picked(row, naive::gumbel_argmax(&flat, &row.noise))
            },
        )
    },
    Case {
        inputs: &[Input::LOGITS.with(Gradient::None), Input::VALUES],
        primitives: &[primitive!(argmax_gather)],
        contract: Contract {
            // A plain index counts NaN as largest.
            shows_nan: false,
            ..HARD
        },
        terms: &[],
        traffic: [traffic(1, 0), traffic(1, 1)],
        memory: Some(1),
        torch: &["argmax_gather"],
        ..Case::read_out(
            "argmax_gather",
            call!(|x, dim, D| argmax_gather(x.logits::<D>(), x.values::<D>(), dim)),
            |row| {
                let (x, values) = (row.logits(), row.values());
                let index = naive::argmax(x);
                vec![if x[index] == f64::NEG_INFINITY {
                    0.0
                } else {
                    values[index]
                }]
            },
        )
    },
    Case {
        inputs: &[Input::LOGITS.with(Gradient::None)],
        primitives: &[primitive!(argmax)],
        contract: Contract {
            infinite: Expect::Row(&[1.0]),
            ties: Expect::Row(&[1.0]),
            single: Expect::Row(&[0.0]),
            shows_nan: false,
            shows_nan_values: false,
            // The index is that of a place.
            shorter: false,
            symmetric: false,
            ..Contract::READ_OUT
        },
        terms: &[],
        traffic: [traffic(1, 0), traffic(0, 0)],
        // There is nothing to go back to.
        memory: None,
        launches: Some([1, 0]),
        requests: Some(1),
        torch: &["argmax"],
        ..Case::read_out(
            "argmax",
            call!(|x, dim| argmax(x.logits(), dim).float()),
            |row| vec![naive::argmax(row.logits()) as f64],
        )
    },
];
