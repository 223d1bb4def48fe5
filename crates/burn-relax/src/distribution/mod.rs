//! Categorical distributions: samples, log-probabilities, entropies, and the noise that samples are made of.

pub(crate) mod categorical;
mod likelihood;
mod noise;
mod relaxed_categorical;

pub use categorical::{
    categorical_entropy, categorical_log_prob, sample_categorical, sample_categorical_with_log_prob,
};
pub use likelihood::{categorical_log_likelihood, gaussian_log_likelihood};
pub use noise::gumbel_noise;
pub use relaxed_categorical::relaxed_categorical_log_density;
