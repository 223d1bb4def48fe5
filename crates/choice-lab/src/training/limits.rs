//! How large a run may be, on the command line and in the files of a folder.

use std::ops::RangeInclusive;

/// Optimiser steps.
pub const STEPS: RangeInclusive<usize> = 1..=100_000_000;
/// Classes of a network.
pub const CLASSES: RangeInclusive<usize> = 1..=10_000;
/// Devices that share the 128 rows of a minibatch.
pub const DEVICES: RangeInclusive<usize> = 1..=128;
/// Runs of each strategy on each task of a comparison: all of them are listed before the first begins.
pub const SEEDS: RangeInclusive<usize> = 1..=10_000;
/// Runs of a comparison at a time: each has a thread of its own.
pub const JOBS: RangeInclusive<usize> = 1..=1024;
