//! Seeded random numbers on the host, the same on every backend and platform.
//!
//! ChaCha with 8 rounds, a generator defined by its algorithm: a seed keeps its meaning when a library changes its default.
//! Each purpose draws from its own stream, so that a change to one does not move the others.

use chacha20::ChaCha8Rng;
use rand::SeedableRng;

/// What random numbers are drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The inputs, regimes and noise of a task, or the split of a table.
    Data,
    /// The initial parameters.
    Parameters,
    /// The rows of the minibatch of a step, counted from 0.
    Batch(usize),
}

/// The generator of a seed for one purpose.
#[must_use]
pub fn generator(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(match purpose {
        Purpose::Data => 0,
        Purpose::Parameters => 1,
        Purpose::Batch(step) => 2 + step as u64,
    });
    rng
}
