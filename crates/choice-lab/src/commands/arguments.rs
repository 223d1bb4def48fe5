//! Numbers and addresses on the command line.

/// Optimiser steps.
pub(super) fn step_count(text: &str) -> Result<usize, String> {
    within(text, 1, 100_000_000)
}

/// Draws of a gradient; a variance needs two.
pub(super) fn draw_count(text: &str) -> Result<usize, String> {
    within(text, 2, 100_000_000)
}

/// Devices that share the 128 rows of a minibatch.
pub(super) fn device_count(text: &str) -> Result<usize, String> {
    within(text, 1, 128)
}

/// Classes of a network.
pub(super) fn class_count(text: &str) -> Result<usize, String> {
    within(text, 1, 10_000)
}

fn within(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let bad = || format!("must be a whole number from {least} to {most}");
    text.parse()
        .ok()
        .filter(|count| (least..=most).contains(count))
        .ok_or_else(bad)
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
