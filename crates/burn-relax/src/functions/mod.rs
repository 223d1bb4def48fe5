//! Public relaxations, one family a file.

mod argmax;
mod budget;
mod categorical;
mod centred;
mod entmax;
mod entmax_loss;
mod gradual;
mod gumbel;
mod gumbel_rao;
mod noise;
mod reinmax;
mod simplex_map;
mod soft_argmax;
mod soft_argmax_gather;
mod softmax;
mod spatial;
mod straight_through;

pub(crate) use argmax::{first_argmax, gather_classes};
pub(crate) use categorical::{load, store};
pub(crate) use centred::{Centred, is_forbidden, spread};
pub(crate) use noise::noise_data;
pub(crate) use softmax::tempered;
pub(crate) use straight_through::one_hot;

pub use argmax::{argmax, argmax_gather};
pub use budget::budget;
pub use categorical::{
    categorical_entropy, categorical_log_prob, sample_categorical, sample_categorical_with_log_prob,
};
pub use entmax::{entmax, entmax15, log_entmax, log_entmax15, log_sparsemax, normmax, sparsemax};
pub use entmax_loss::{entmax_loss, sparsemax_loss};
pub use gradual::{gradual_argmax, power_softmax};
pub use gumbel::{gumbel_softmax, gumbel_softmax_with_noise, relaxed_categorical_log_density};
pub use gumbel_rao::gumbel_rao;
pub use noise::gumbel_noise;
pub use reinmax::{reinmax, reinmax_with_indices};
pub use simplex_map::{
    SimplexMap, gumbel_softmax_with_map, soft_argmax_gather_with_map,
    straight_through_argmax_with_map,
};
pub use soft_argmax::{
    Coordinates, soft_argmax, soft_argmax_with_map, soft_argmax_with_variance,
    windowed_soft_argmax, windowed_soft_argmax_with_map,
};
pub use soft_argmax_gather::soft_argmax_gather;
pub use softmax::{log_softmax, softmax};
pub use spatial::{
    Grid, spatial_soft_argmax, spatial_soft_argmax_with_variance, windowed_spatial_soft_argmax,
};
pub use straight_through::{
    straight_through, straight_through_argmax, straight_through_sample,
    straight_through_with_indices,
};
