//! Numbers and addresses on the command line.

use crate::training::limits::{CLASSES, DEVICES, JOBS, SEEDS, STEPS};
use std::ops::RangeInclusive;

/// Optimiser steps.
pub(super) fn step_count(text: &str) -> Result<usize, String> {
    within(text, STEPS)
}

/// Draws of a gradient; a variance needs two.
pub(super) fn draw_count(text: &str) -> Result<usize, String> {
    within(text, 2..=100_000_000)
}

/// Devices that share the 128 rows of a minibatch.
pub(super) fn device_count(text: &str) -> Result<usize, String> {
    within(text, DEVICES)
}

/// Classes of a network.
pub(super) fn class_count(text: &str) -> Result<usize, String> {
    within(text, CLASSES)
}

/// Runs of a comparison with the seeds 0, 1, …
pub(super) fn seed_count(text: &str) -> Result<u64, String> {
    within(text, SEEDS).map(|count| count as u64)
}

/// Runs at a time.
pub(super) fn job_count(text: &str) -> Result<usize, String> {
    within(text, JOBS)
}

fn within(text: &str, range: RangeInclusive<usize>) -> Result<usize, String> {
    let bad = || {
        let (least, most) = (range.start(), range.end());
        format!("must be a whole number from {least} to {most}")
    };
    let count = text.parse().ok();
    count.filter(|count| range.contains(count)).ok_or_else(bad)
}

/// The address of a server.
pub(super) fn host(text: &str) -> Result<String, String> {
    let port = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0);
    let plain = |text: &str| !text.is_empty() && !text.contains(['/', '?', '#', '@', ' ']);
    text.strip_prefix("ws://")
        .and_then(|rest| rest.rsplit_once(':'))
        .filter(|(name, number)| plain(name) && port(number))
        .map(|_| text.to_owned())
        .ok_or_else(|| "must be ws://HOST:PORT, such as ws://127.0.0.1:3000".to_owned())
}

/// A finite number greater than 0.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    number(text)
        .filter(|number| *number > 0.0)
        .ok_or_else(|| "must be a number greater than 0".to_owned())
}

/// A finite number, 0 or greater.
pub(super) fn not_negative(text: &str) -> Result<f64, String> {
    number(text)
        .filter(|number| *number >= 0.0)
        .ok_or_else(|| "must be a number, 0 or greater".to_owned())
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}
