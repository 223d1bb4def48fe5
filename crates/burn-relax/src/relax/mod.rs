//! Relaxations: something smooth in the place of a choice, or the choice itself with a smooth gradient.
//!
//! [`Relaxation`] is the choice as a value; the functions are the forms that are known by a name.

pub(crate) mod argmax;
mod config;
mod coordinate;
pub(crate) mod coordinates;
mod gather;
pub(crate) mod gradual_argmax;
mod grid;
mod gumbel_rao;
mod gumbel_softmax;
pub(crate) mod map;
mod normalised_gradual_argmax;
pub(crate) mod power_softmax;
mod reinmax;
pub(crate) mod relaxation;
pub(crate) mod soft_argmax;
pub(crate) mod soft_argmax_gather;
pub(crate) mod softmax;
mod spatial;
pub(crate) mod straight_through;
mod weights;
mod window;

pub use argmax::{argmax, argmax_gather};
pub use config::{NoiseConfig, RelaxationConfig};
pub use coordinates::Coordinates;
pub use gradual_argmax::gradual_argmax;
pub use grid::Grid;
pub use gumbel_softmax::gumbel_softmax;
pub use map::Map;
pub use normalised_gradual_argmax::normalised_gradual_argmax;
pub use power_softmax::power_softmax;
pub use reinmax::{reinmax, reinmax_with_indices};
pub use relaxation::{Hardness, Noise, Relaxation};
pub use soft_argmax::soft_argmax;
pub use soft_argmax_gather::soft_argmax_gather;
pub use softmax::{log_softmax, softmax};
pub use straight_through::{
    straight_through, straight_through_argmax, straight_through_with_indices,
};
