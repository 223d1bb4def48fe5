//! An axis, linear or logarithmic.

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{IntoLogRange, LogCoord, Ranged};
use std::borrow::Cow;
use std::ops::Range;

/// Ticks on an axis whose ticks are not given, at most.
const TICKS: usize = 6;

/// An axis; numbers off it are drawn at its nearer end.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    ends: [f64; 2],
    ticks: Cow<'static, [f64]>,
    logarithmic: bool,
}

impl Axis {
    /// An axis with these ticks, the first and the last one at its ends.
    pub const fn marked(ticks: &'static [f64], logarithmic: bool) -> Self {
        Self {
            ends: [ticks[0], ticks[ticks.len() - 1]],
            ticks: Cow::Borrowed(ticks),
            logarithmic,
        }
    }

    /// A linear axis with round ticks.
    pub fn linear(ends: Range<f64>) -> Self {
        Self::found(RangedCoordf64::from(ends.clone()), ends, false)
    }

    /// A logarithmic axis with powers of ten as ticks.
    pub fn logarithmic(ends: Range<f64>) -> Self {
        Self::found(LogCoord::from(ends.clone().log_scale()), ends, true)
    }

    /// A linear axis of rows, from the first at its top to the last, with a tick for each at its middle.
    pub fn rows(count: usize) -> Self {
        Self {
            ends: [count as f64, 0.0],
            ticks: (0..count).map(|row| row as f64 + 0.5).collect(),
            logarithmic: false,
        }
    }

    fn found(scale: impl Ranged<ValueType = f64>, ends: Range<f64>, logarithmic: bool) -> Self {
        Self {
            ends: [ends.start, ends.end],
            ticks: scale.key_points(TICKS).into(),
            logarithmic,
        }
    }

    /// Numbers at equal distances on the axis, from end to end.
    pub fn points(&self, count: usize) -> Vec<f64> {
        let [first, last] = self.ends;
        let (from, to) = (self.place(first), self.place(last));
        let at = |point: usize| from + (to - from) * point as f64 / (count - 1) as f64;
        (0..count)
            .map(|point| match point {
                0 => first,
                point if point == count - 1 => last,
                point if self.logarithmic => 10_f64.powf(at(point)),
                point => at(point),
            })
            .collect()
    }

    /// Where a number lies, as a length that the axis shows evenly.
    fn place(&self, x: f64) -> f64 {
        if self.logarithmic { x.log10() } else { x }
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, x: &f64, (from, to): (i32, i32)) -> i32 {
        let [start, end] = self.ends.map(|end| self.place(end));
        let share = (self.place(*x) - start) / (end - start);
        from + (share.clamp(0.0, 1.0) * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.to_vec()
    }

    fn range(&self) -> Range<f64> {
        self.ends[0]..self.ends[1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let linear = Axis::linear(0.0..4000.0);
        assert_eq!(*linear.ticks, [0.0, 1000.0, 2000.0, 3000.0, 4000.0]);
        assert_eq!(*Axis::linear(-3.0..3.0).ticks, [-2.0, 0.0, 2.0]);
        assert_eq!(*Axis::logarithmic(0.002..1.3).ticks, [0.01, 0.1, 1.0]);
    }

    #[test]
    fn numbers_are_placed() {
        let at = |axis: Axis, x: f64| axis.map(&x, (0, 100));
        assert_eq!(at(Axis::linear(0.0..4.0), 1.0), 25);
        assert_eq!(at(Axis::logarithmic(0.01..1.0), 0.1), 50);
        assert_eq!(at(Axis::logarithmic(0.01..1.0), 0.0), 0);
        assert_eq!(at(Axis::rows(4), 0.5), 88);
    }
}
