use core::fmt;

use serde::{Deserialize, Serialize};

/// What to expect of a [`Strategy`](crate::Strategy)'s gradient for the logits, as an estimate of that of the expected cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// How far its mean is from the gradient of the expected cost.
    pub bias: Bias,
    /// How often the cost is evaluated for one row.
    pub evaluations: usize,
    /// Whether the gradient for the logits flows through the cost.
    pub differentiable_cost: bool,
    /// Whether two calls differ.
    pub stochastic: bool,
}

/// How far an estimator's mean is from the gradient of the expected cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Bias {
    /// Not at all, and there is no noise either.
    Exact,
    /// Not at all.
    Unbiased,
    /// Not at all for costs that are polynomials of the one-hot choice up to an order; else somewhat.
    ExactToOrder {
        /// The order.
        order: usize,
    },
    /// Somewhat.
    Biased,
    /// It is the exact gradient of another objective.
    OtherObjective,
}

impl fmt::Display for Bias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact => f.pad("exact"),
            Self::Unbiased => f.pad("unbiased"),
            Self::ExactToOrder { order } => f.pad(&format!("exact to order {order}")),
            Self::Biased => f.pad("biased"),
            Self::OtherObjective => f.pad("other objective"),
        }
    }
}
