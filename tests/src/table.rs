use std::fmt::Write;

use crate::array::Array;

/// Collects every mismatch of a test and reports them together.
#[derive(Debug, Default)]
pub struct Table {
    compared: usize,
    rows: Vec<String>,
}

impl Table {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// `actual` agrees with `expected` within `tolerance` of max(1, the largest magnitude expected).
    pub fn close(&mut self, name: &str, actual: &Array, expected: &Array, tolerance: f64) {
        self.within(
            name,
            actual,
            expected,
            tolerance * expected.largest().max(1.0),
        );
    }

    /// `actual` agrees with `expected` within `tolerance` of the largest magnitude expected.
    pub fn close_relative(&mut self, name: &str, actual: &Array, expected: &Array, tolerance: f64) {
        self.within(name, actual, expected, tolerance * expected.largest());
    }

    /// `actual` is `expected`, to the bit.
    pub fn equal(&mut self, name: &str, actual: &Array, expected: &Array) {
        self.within(name, actual, expected, 0.0);
    }

    /// `actual` agrees with `expected` within the absolute `allowed`; infinities and NaN must be the same.
    pub fn within(&mut self, name: &str, actual: &Array, expected: &Array, allowed: f64) {
        self.compared += 1;
        // A reduced dimension may be kept with size 1 or dropped.
        let squeezed = |array: &Array| -> Vec<usize> {
            array.shape.iter().copied().filter(|&n| n != 1).collect()
        };
        if squeezed(actual) != squeezed(expected) {
            let shapes = format!("shape {:?}, expected {:?}", actual.shape, expected.shape);
            self.fail(name, &shapes);
            return;
        }
        let pairs = || {
            actual
                .data
                .iter()
                .copied()
                .zip(expected.data.iter().copied())
        };
        let wrong = pairs().filter(|&(a, e)| error(a, e) > allowed).count();
        let worst = pairs()
            .enumerate()
            .max_by(|(_, (a, e)), (_, (b, f))| error(*a, *e).total_cmp(&error(*b, *f)));
        if let (1.., Some((index, (a, e)))) = (wrong, worst) {
            let count = expected.data.len();
            self.fail(
                name,
                &format!(
                    "{wrong} of {count} entries, worst [{index}]: got {a:e}, expected {e:e}, error {:.1e}, allowed {allowed:.1e}",
                    error(a, e)
                ),
            );
        }
    }

    /// Notes a failure of another kind.
    pub fn fail(&mut self, name: &str, what: &str) {
        self.rows.push(format!("{name:<60} {what}"));
    }

    /// Notes a failure unless `holds`.
    pub fn check(&mut self, holds: bool, name: &str, what: &str) {
        self.compared += 1;
        if !holds {
            self.fail(name, what);
        }
    }

    /// # Panics
    ///
    /// With the whole table if anything failed, or if nothing was compared.
    #[track_caller]
    pub fn finish(self) {
        assert!(self.compared > 0, "nothing was compared");
        let mut report = String::new();
        for row in &self.rows {
            writeln!(report, "  {row}").expect("a string takes any text");
        }
        assert!(
            self.rows.is_empty(),
            "{} of {} comparisons failed:\n{report}",
            self.rows.len(),
            self.compared
        );
    }
}

/// Distance, 0 between equal infinities or two NaN and infinite where only one is finite.
fn error(actual: f64, expected: f64) -> f64 {
    if actual == expected || (actual.is_nan() && expected.is_nan()) {
        0.0
    } else if actual.is_finite() && expected.is_finite() {
        (actual - expected).abs()
    } else {
        f64::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "1 of 2 entries, worst [1]: got 2e0, expected 3e0")]
    fn a_wrong_entry_is_reported() {
        let mut table = Table::new();
        let (actual, expected) = (Array::line([1.0, 2.0]), Array::line([1.0, 3.0]));
        table.close("x", &actual, &expected, 1e-6);
        table.finish();
    }

    #[test]
    #[should_panic(expected = "1 of 3 entries")]
    fn nan_agrees_with_nan_only_and_infinity_with_itself() {
        let mut table = Table::new();
        let expected = Array::line([f64::NAN, f64::INFINITY, 0.0]);
        table.close("same", &expected, &expected, 0.0);
        let actual = Array::line([f64::NAN, f64::INFINITY, f64::NAN]);
        table.close("different", &actual, &expected, 1e9);
        table.finish();
    }

    #[test]
    #[should_panic(expected = "shape [2], expected [3]")]
    fn a_wrong_shape_is_reported() {
        let mut table = Table::new();
        table.close(
            "x",
            &Array::line([1.0, 2.0]),
            &Array::line([1.0, 2.0, 3.0]),
            1.0,
        );
        table.finish();
    }

    #[test]
    #[should_panic(expected = "nothing was compared")]
    fn an_empty_table_does_not_pass() {
        Table::new().finish();
    }
}
