//! Checks of plain numbers and settings.

/// What numbers an argument may be, for a schedule whose every value has to be one of them.
#[derive(Clone, Copy)]
pub(crate) enum Domain {
    /// [`positive`].
    Positive,
    /// [`not_negative`].
    NotNegative,
    /// [`greater_than_one`].
    GreaterThanOne,
}

impl Domain {
    /// Whether a number lies in it.
    #[track_caller]
    pub(crate) fn check(self, op: &str, argument: &str, value: f64) {
        match self {
            Self::Positive => positive(op, argument, value),
            Self::NotNegative => not_negative(op, argument, value),
            Self::GreaterThanOne => greater_than_one(op, argument, value),
        }
    }
}

/// A temperature, power or other positive number.
#[track_caller]
pub(crate) fn positive(op: &str, argument: &str, value: f64) {
    assert!(
        value.is_finite() && value > 0.0,
        "{op}: {argument} must be a finite number greater than 0, got {value}"
    );
}

/// A rate or weight that may be zero.
#[track_caller]
pub(crate) fn not_negative(op: &str, argument: &str, value: f64) {
    assert!(
        value.is_finite() && value >= 0.0,
        "{op}: {argument} must be a finite number of at least 0, got {value}"
    );
}

/// A count of samples, steps or the like.
#[track_caller]
pub(crate) fn at_least(op: &str, argument: &str, least: usize, value: usize) {
    assert!(
        value >= least,
        "{op}: {argument} must be at least {least}, got {value}"
    );
}

/// Any finite number.
#[track_caller]
pub(crate) fn finite(op: &str, argument: &str, value: f64) {
    assert!(
        value.is_finite(),
        "{op}: {argument} must be a finite number, got {value}"
    );
}

/// A share in `[0, 1)`.
#[track_caller]
pub(crate) fn share(op: &str, argument: &str, value: f64) {
    assert!(
        (0.0..1.0).contains(&value),
        "{op}: {argument} must be in [0, 1), got {value}"
    );
}

/// An alpha above that of the softmax.
#[track_caller]
pub(crate) fn greater_than_one(op: &str, argument: &str, value: f64) {
    assert!(
        value.is_finite() && value > 1.0,
        "{op}: {argument} must be a finite number greater than 1, got {value}"
    );
}

/// A number of classes to choose, whole or not.
#[track_caller]
pub(crate) fn at_most_classes(op: &str, argument: &str, classes: usize, value: f64) {
    assert!(
        value <= classes as f64,
        "{op}: {argument} must be at most the number of classes, {classes}, got {value}"
    );
}

/// Something that a setting asks for.
#[track_caller]
pub(crate) fn given(op: &str, argument: &str, reason: &str, given: bool) {
    assert!(
        given,
        "{op}: {argument} must be given for {reason}, got none"
    );
}

/// Few enough combinations of `choices` among `classes` to list them all.
#[track_caller]
pub(crate) fn enumerable(
    op: &str,
    classes: usize,
    choices: usize,
    most: usize,
    count: Option<usize>,
) {
    assert!(
        count.is_some_and(|count| count <= most),
        "{op}: the number of outcomes must be at most {most} to list them all, got {classes} to the power of {choices}{}",
        count.map_or_else(String::new, |count| format!(" = {count}"))
    );
}

/// A map that only the softmax can take the place of.
#[track_caller]
pub(crate) fn softmax(op: &str, softmax: bool) {
    assert!(
        softmax,
        "{op}: map must be the softmax for a Rao-Blackwellised gradient, got another"
    );
}

/// A number whose magnitude a dtype holds.
#[track_caller]
pub(crate) fn at_most(op: &str, argument: &str, most: f64, value: f64) {
    assert!(
        value.abs() <= most,
        "{op}: {argument} must be at most {most:e} in magnitude, got {value:e}"
    );
}
