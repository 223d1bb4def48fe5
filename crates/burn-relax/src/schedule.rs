use serde::{Deserialize, Serialize};

use crate::check;

/// A temperature, power or weight as a function of the training step.
///
/// After `steps` the end value holds. A [`RelaxationConfig`](crate::RelaxationConfig) and a [`Strategy`](crate::Strategy) take one
/// wherever they take a number, and the modules of [`nn`](crate::nn) count the steps.
///
/// ```
/// use burn_relax::{Relaxation, RelaxationConfig, Schedule};
///
/// let cooling = Schedule::Exponential { from: 1.0, to: 0.1, steps: 100 };
/// assert!((cooling.at(50) - 0.1_f64.sqrt()).abs() < 1e-12);
///
/// let choice = RelaxationConfig::softmax(cooling).gumbel().hard();
/// let now: Relaxation<2> = choice.at(50, 7); // at step 50, with the noise of seed 7
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub enum Schedule {
    /// Always the same.
    Constant {
        /// The value.
        value: f64,
    },
    /// `from + (to - from) s`, with `s` the share of the steps done.
    Linear {
        /// Value at step 0.
        from: f64,
        /// Value from the last step on.
        to: f64,
        /// Steps until then, at least 1.
        steps: usize,
    },
    /// `from (to / from)^s`; both ends greater than 0.
    Exponential {
        /// Value at step 0.
        from: f64,
        /// Value from the last step on.
        to: f64,
        /// Steps until then, at least 1.
        steps: usize,
    },
    /// `to + (from - to) (1 + cos π s) / 2`.
    Cosine {
        /// Value at step 0.
        from: f64,
        /// Value from the last step on.
        to: f64,
        /// Steps until then, at least 1.
        steps: usize,
    },
}

impl Schedule {
    /// The value at a step, counted from 0.
    ///
    /// # Panics
    ///
    /// If `steps` is 0, an end is not finite, or an exponential schedule's end is not greater than 0.
    #[track_caller]
    pub fn at(&self, step: usize) -> f64 {
        let op = "Schedule";
        match *self {
            Self::Constant { value } => {
                check::finite(op, "value", value);
                value
            }
            Self::Linear { from, to, steps } => {
                let share = share(from, to, step, steps);
                from + (to - from) * share
            }
            Self::Exponential { from, to, steps } => {
                check::positive(op, "from", from);
                check::positive(op, "to", to);
                let share = share(from, to, step, steps);
                from * (to / from).powf(share)
            }
            Self::Cosine { from, to, steps } => {
                let share = share(from, to, step, steps);
                to + (from - to) * (1.0 + (core::f64::consts::PI * share).cos()) / 2.0
            }
        }
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl From<$number> for Schedule {
            /// Always this number.
            fn from(value: $number) -> Self {
                Self::Constant { value: value as f64 }
            }
        }
    )*};
}
numbers!(f64, f32, i32, i64, u32, u64, usize);

impl Schedule {
    /// Whether every value it takes passes the check of its first and its last one, as monotone schedules' do.
    #[track_caller]
    pub(crate) fn check(&self, op: &str, argument: &str, check: impl Fn(&str, &str, f64)) {
        let (first, last) = match *self {
            // Not through `at`, whose message would name the schedule.
            Self::Constant { value } => (value, value),
            Self::Linear { steps, .. }
            | Self::Exponential { steps, .. }
            | Self::Cosine { steps, .. } => (self.at(0), self.at(steps)),
        };
        check(op, argument, first);
        check(op, argument, last);
    }
}

#[track_caller]
fn share(from: f64, to: f64, step: usize, steps: usize) -> f64 {
    check::finite("Schedule", "from", from);
    check::finite("Schedule", "to", to);
    check::at_least("Schedule", "steps", 1, steps);
    step.min(steps) as f64 / steps as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schedule_meets_its_ends_and_stays_at_the_last() {
        for schedule in [
            Schedule::Linear {
                from: 2.0,
                to: 0.5,
                steps: 10,
            },
            Schedule::Exponential {
                from: 2.0,
                to: 0.5,
                steps: 10,
            },
            Schedule::Cosine {
                from: 2.0,
                to: 0.5,
                steps: 10,
            },
        ] {
            assert_eq!(schedule.at(0), 2.0);
            assert!((schedule.at(10) - 0.5).abs() < 1e-15);
            assert!((schedule.at(1000) - 0.5).abs() < 1e-15);
        }
        assert_eq!(Schedule::Constant { value: 3.0 }.at(7), 3.0);
    }

    #[test]
    fn the_middle_is_the_mean_the_root_of_the_product_and_the_mean() {
        let middle = |schedule: Schedule| schedule.at(5);
        assert_eq!(
            middle(Schedule::Linear {
                from: 2.0,
                to: 0.5,
                steps: 10
            }),
            1.25
        );
        let exponential = middle(Schedule::Exponential {
            from: 2.0,
            to: 0.5,
            steps: 10,
        });
        assert!((exponential - 1.0).abs() < 1e-15);
        let cosine = middle(Schedule::Cosine {
            from: 2.0,
            to: 0.5,
            steps: 10,
        });
        assert!((cosine - 1.25).abs() < 1e-15);
    }

    #[test]
    #[should_panic(expected = "Schedule: to must be a finite number greater than 0, got 0")]
    fn an_exponential_schedule_cannot_end_at_zero() {
        Schedule::Exponential {
            from: 1.0,
            to: 0.0,
            steps: 10,
        }
        .at(0);
    }

    #[test]
    #[should_panic(expected = "Schedule: steps must be at least 1, got 0")]
    fn a_schedule_needs_a_step() {
        Schedule::Linear {
            from: 1.0,
            to: 0.0,
            steps: 0,
        }
        .at(0);
    }
}
