use core::fmt;

use serde::{Deserialize, Serialize};

/// Standard deviations up to which a difference is put down to chance.
const BY_CHANCE: f64 = 4.0;

/// What an audit found out about one estimator on one problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the problem.
    pub problem: String,
    /// The strategy, or the name of the caller's estimator.
    pub strategy: String,
    /// What the library says of the strategy; empty for an estimator of the caller's.
    pub label: String,
    /// Distance of the mean gradient from the enumerated one, over the norm of the latter.
    pub bias_relative: f64,
    /// How improbable that distance is by chance, in standard deviations of a normal number; without noise, in units of
    /// what rounding can explain.
    pub bias_z: f64,
    /// Total variance of one draw.
    pub variance: f64,
    /// Root of the variance over the norm of the gradient.
    pub noise: f64,
    /// Between the mean gradient and the enumerated one.
    pub cosine: f64,
    /// Evaluations of the cost for one row and one draw, as counted.
    pub cost_evaluations: usize,
    /// Draws taken.
    pub draws: usize,
    /// Of one draw for all rows, forward and backward.
    pub seconds: f64,
    /// What it comes to.
    pub verdict: Verdict,
}

/// What an audit comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The gradient of the expected cost, without noise.
    Exact,
    /// No bias was found.
    Unbiased,
    /// The mean differs from the gradient, and has a part in its direction.
    Biased,
    /// The mean has a part *against* the gradient: descent climbs.
    AgainstTheGradient,
    /// Nothing comes back to the logits.
    NoGradient,
}

impl Verdict {
    pub(super) fn new(length: f64, cosine: f64, z: f64, noisy: bool) -> Self {
        match (length > 0.0, z < BY_CHANCE) {
            (false, false) => Self::NoGradient,
            (_, true) if noisy => Self::Unbiased,
            (_, true) => Self::Exact,
            (true, false) if cosine < 0.0 => Self::AgainstTheGradient,
            (true, false) => Self::Biased,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Exact => "exact",
            Self::Unbiased => "unbiased",
            Self::Biased => "biased",
            Self::AgainstTheGradient => "AGAINST THE GRADIENT",
            Self::NoGradient => "NO GRADIENT",
        })
    }
}

impl Report {
    /// Fails loudly unless no bias was found.
    ///
    /// # Panics
    ///
    /// If the verdict is neither exact nor unbiased, with all figures.
    #[track_caller]
    pub fn assert_unbiased(&self) {
        assert!(
            matches!(self.verdict, Verdict::Exact | Verdict::Unbiased),
            "audit: {} must have the gradient of the expected cost as its mean on {}, got the verdict {}: cosine {:.3}, \
             bias {:.3} of the gradient's norm, z {:.1}",
            self.strategy,
            self.problem,
            self.verdict,
            self.cosine,
            self.bias_relative,
            self.bias_z
        );
    }
}

/// Reports as a table for people, in Markdown.
pub struct Table<'a>(pub &'a [Report]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = [
            "problem", "strategy", "label", "cosine", "bias", "z", "noise", "costs", "verdict",
        ];
        let mut lines = vec![head.map(str::to_owned)];
        lines.extend(self.0.iter().map(|report| {
            [
                report.problem.clone(),
                report.strategy.clone(),
                report.label.clone(),
                format!("{:+.3}", report.cosine),
                format!("{:.3}", report.bias_relative),
                short(report.bias_z),
                format!("{:.2}", report.noise),
                report.cost_evaluations.to_string(),
                report.verdict.to_string(),
            ]
        }));
        let width = |column: usize| {
            let widths = lines.iter().map(|line| line[column].chars().count());
            widths.max().unwrap_or(0)
        };
        let widths: [usize; 9] = core::array::from_fn(width);
        for (place, line) in lines.iter().enumerate() {
            for (cell, width) in line.iter().zip(widths) {
                write!(f, "| {cell:<width$} ")?;
            }
            f.write_str("|\n")?;
            if place == 0 {
                for width in widths {
                    write!(f, "|{:-<1$}", "", width + 2)?;
                }
                f.write_str("|\n")?;
            }
        }
        Ok(())
    }
}

fn short(z: f64) -> String {
    if z.abs() < 1000.0 {
        format!("{z:.1}")
    } else {
        format!("{z:.0e}")
    }
}

/// Reports as a JSON array of objects.
#[must_use]
pub fn to_json(reports: &[Report]) -> String {
    serde_json::to_string_pretty(reports).expect("numbers and text are always JSON")
}
