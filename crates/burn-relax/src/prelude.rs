//! What most programs with a choice in them use: `use burn_relax::prelude::*;`.

pub use crate::{
    coefficient::Coefficient,
    loss::{expected_loss, free_energy_loss, score_function_loss},
    nn::{
        Baseline, Choice, ChoiceConfig, ScoreFunctionSelector, ScoreFunctionSelectorConfig,
        Selector, SelectorConfig, SoftArgmaxGather, SoftArgmaxGatherConfig,
    },
    relax::{Coordinates, Grid, Relaxation, RelaxationConfig, argmax_gather},
    schedule::Schedule,
    strategy::Strategy,
};
