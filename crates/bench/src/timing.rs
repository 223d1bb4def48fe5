//! Interleaved timing: the sides of a comparison take turns, so that a machine whose speed drifts slows all of them.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::Result;
use rayon::ThreadPool;
use serde::{Deserialize, Serialize};

/// At least this many rounds, however long they take.
const LEAST_ROUNDS: usize = 7;
const MOST_ROUNDS: usize = 200;
/// A sample shorter than this repeats its run, so that neither the clock nor the caches of the side before show.
const LEAST_SAMPLE: Duration = Duration::from_millis(2);
/// A run this short is run before the clock starts as often as after: caches, clocks and sleeping threads wake up first.
const SHORT_RUN: Duration = Duration::from_millis(20);
/// A side that takes longer sits out the later rounds.
const LONG_RUN: Duration = Duration::from_millis(250);
/// Rounds of such a side.
const LONG_RUN_ROUNDS: usize = 3;

/// One side of a comparison: seconds that `repeats` runs of it take.
pub type Side<'a> = Box<dyn FnMut(u32) -> Result<f64> + Send + 'a>;

/// A side whose runs are timed here, on the threads of `pool`.
pub fn side<'a>(pool: &'a ThreadPool, mut run: impl FnMut() + Send + 'a) -> Side<'a> {
    Box::new(move |repeats| {
        Ok(pool.install(|| {
            let start = Instant::now();
            for _ in 0..repeats {
                run();
            }
            start.elapsed().as_secs_f64()
        }))
    })
}

/// Lower quartile, median, upper quartile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// A quarter of the samples lie below.
    pub lower: f64,
    /// The middle sample.
    pub median: f64,
    /// A quarter of the samples lie above.
    pub upper: f64,
}

impl Spread {
    /// Of samples; nothing of none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |share: f64| values[(last as f64 * share).round() as usize];
        Some(Self {
            lower: at(0.25),
            median: at(0.5),
            upper: at(0.75),
        })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            lower,
            median,
            upper,
        } = self;
        write!(f, "{median:.2} [{lower:.2}, {upper:.2}]")
    }
}

/// Seconds per run: in each round one sample of each side that took part.
pub struct Times {
    rounds: Vec<Vec<Option<f64>>>,
}

impl Times {
    /// Seconds of a side.
    pub fn of(&self, side: usize) -> Option<Spread> {
        Spread::of(self.rounds.iter().filter_map(|round| round[side]))
    }

    /// The rounds' own ratios of one side over another.
    pub fn ratio(&self, side: usize, over: usize) -> Option<Spread> {
        let pairs = self
            .rounds
            .iter()
            .filter_map(|round| Some(round[side]? / round[over]?));
        Spread::of(pairs)
    }
}

/// Runs the sides in turn for about `seconds`, after one run of each to warm up and one to choose its repeats.
pub fn interleave(sides: &mut [Option<Side>], seconds: f64) -> Result<Times> {
    let mut plans = Vec::new();
    for side in sides.iter_mut() {
        plans.push(match side {
            Some(side) => {
                side(1)?;
                Some(Plan::for_run(side(1)?))
            }
            None => None,
        });
    }
    let start = Instant::now();
    let mut rounds = Vec::new();
    while rounds.len() < LEAST_ROUNDS
        || (start.elapsed().as_secs_f64() < seconds && rounds.len() < MOST_ROUNDS)
    {
        let mut round = Vec::new();
        for (side, plan) in sides.iter_mut().zip(&plans) {
            let sample = match (side, plan) {
                (Some(side), Some(plan)) if rounds.len() < plan.rounds => {
                    if plan.warms_up {
                        side(plan.repeats)?;
                    }
                    Some(side(plan.repeats)? / f64::from(plan.repeats))
                }
                _ => None,
            };
            round.push(sample);
        }
        rounds.push(round);
    }
    Ok(Times { rounds })
}

/// How a side is sampled.
struct Plan {
    repeats: u32,
    rounds: usize,
    warms_up: bool,
}

impl Plan {
    fn for_run(seconds: f64) -> Self {
        let repeats = (LEAST_SAMPLE.as_secs_f64() / seconds.max(1e-9)).ceil();
        let long = seconds > LONG_RUN.as_secs_f64();
        Self {
            repeats: repeats.max(1.0) as u32,
            rounds: if long { LONG_RUN_ROUNDS } else { MOST_ROUNDS },
            warms_up: seconds < SHORT_RUN.as_secs_f64(),
        }
    }
}
