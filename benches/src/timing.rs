//! Interleaved timing.

use std::{
    fmt,
    time::{Duration, Instant},
};

use serde::Serialize;

/// A side of a comparison: one run of what is timed.
pub type Side = Box<dyn FnMut()>;

/// At least this many rounds, however long they take.
const LEAST_ROUNDS: usize = 7;
const MOST_ROUNDS: usize = 400;
/// A sample shorter than this is repeated within its round, so that the clock's resolution does not show.
const LEAST_SAMPLE: Duration = Duration::from_micros(200);

/// Seconds per run: one sample for each side in each round.
pub struct Times {
    rounds: Vec<Vec<f64>>,
}

/// Lower quartile, median, upper quartile.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    lower: f64,
    median: f64,
    upper: f64,
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.2} [{:.2}, {:.2}]",
            self.median, self.lower, self.upper
        )
    }
}

/// Runs the sides in turn for about `seconds`, after a round to warm up.
pub fn interleave(mut sides: Vec<Side>, seconds: f64) -> Times {
    let repeats: Vec<u32> = sides
        .iter_mut()
        .map(|side| {
            side();
            let once = sample(side, 1).max(1e-9);
            (LEAST_SAMPLE.as_secs_f64() / once).ceil().max(1.0) as u32
        })
        .collect();
    let start = Instant::now();
    let mut rounds = Vec::new();
    while rounds.len() < LEAST_ROUNDS
        || (start.elapsed().as_secs_f64() < seconds && rounds.len() < MOST_ROUNDS)
    {
        let round = sides.iter_mut().zip(&repeats);
        rounds.push(round.map(|(side, &n)| sample(side, n)).collect());
    }
    Times { rounds }
}

fn sample(side: &mut Side, repeats: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..repeats {
        side();
    }
    start.elapsed().as_secs_f64() / f64::from(repeats)
}

impl Times {
    /// Median seconds of a side.
    pub fn median(&self, side: usize) -> f64 {
        spread(self.rounds.iter().map(|round| round[side])).median
    }

    /// The rounds' ratios of one side over another.
    pub fn ratio(&self, side: usize, over: usize) -> Spread {
        spread(self.rounds.iter().map(|round| round[side] / round[over]))
    }
}

fn spread(values: impl Iterator<Item = f64>) -> Spread {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    Spread {
        lower: at(0.25),
        median: at(0.5),
        upper: at(0.75),
    }
}
