use core::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::check::{self, Domain};

/// A temperature, power or weight as a function of the training step.
///
/// After `steps` the end value holds. A [`RelaxationConfig`](crate::RelaxationConfig) and a [`Strategy`](crate::Strategy) take one
/// wherever they take a number, and the modules of [`nn`](crate::nn) count the steps. In JSON a plain number is a constant one.
///
/// However far apart the ends are, every value lies between them.
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
#[derive(Clone, Copy, Debug, PartialEq)]
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
            Self::Linear { from, to, steps } => mix(from, to, share(from, to, step, steps)),
            Self::Exponential { from, to, steps } => {
                check::positive(op, "from", from);
                check::positive(op, "to", to);
                let share = share(from, to, step, steps);
                let ratio = to / from;
                let value = if ratio.is_normal() {
                    from * ratio.powf(share)
                } else {
                    mix(from.ln(), to.ln(), share).exp()
                };
                between(from, to, share, value)
            }
            Self::Cosine { from, to, steps } => {
                let share = share(from, to, step, steps);
                let weight = (1.0 + (core::f64::consts::PI * share).cos()) / 2.0;
                mix(to, from, weight)
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
    /// Whether every value it takes lies in a domain: where its first and its last one do, as those of monotone schedules.
    #[track_caller]
    pub(crate) fn check(&self, op: &str, argument: &str, domain: Domain) {
        let (first, last) = match *self {
            // Not through `at`, whose message would name the schedule.
            Self::Constant { value } => (value, value),
            Self::Linear { steps, .. }
            | Self::Exponential { steps, .. }
            | Self::Cosine { steps, .. } => (self.at(0), self.at(steps)),
        };
        domain.check(op, argument, first);
        domain.check(op, argument, last);
    }
}

/// What a [`Schedule`] is written as.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Schedule", rename = "Schedule", deny_unknown_fields)]
enum Written {
    Constant { value: f64 },
    Linear { from: f64, to: f64, steps: usize },
    Exponential { from: f64, to: f64, steps: usize },
    Cosine { from: f64, to: f64, steps: usize },
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(NumberOrSchedule)
        } else {
            Written::deserialize(deserializer)
        }
    }
}

/// A number, which is a constant schedule, or one as it is written.
struct NumberOrSchedule;

impl<'de> Visitor<'de> for NumberOrSchedule {
    type Value = Schedule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a schedule")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Schedule, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Schedule, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Schedule, E> {
        Ok(value.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Schedule, A::Error> {
        Written::deserialize(MapAccessDeserializer::new(map))
    }
}

/// `from + (to - from) share`, between the two, whatever they are.
fn mix(from: f64, to: f64, share: f64) -> f64 {
    let way = to - from;
    let value = if way.is_finite() {
        from + way * share
    } else {
        from * (1.0 - share) + to * share
    };
    between(from, to, share, value)
}

/// The value on the way between two others: these themselves at the ends, and nothing beyond them by rounding.
fn between(from: f64, to: f64, share: f64, value: f64) -> f64 {
    match share {
        0.0 => from,
        1.0 => to,
        _ => value.clamp(from.min(to), from.max(to)),
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
