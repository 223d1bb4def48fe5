//! Logits relative to their maximum, and what is forbidden among them.

use burn_core::tensor::{Bool, DType, Tensor, kind::Basic};

use super::constant::Constant;

/// Logits relative to their row's maximum, with infinities set apart so that plain arithmetic on them is safe.
///
/// Rows that hold a `+inf` become 0 at the infinite entries and forbidden elsewhere; their logits get no gradient.
pub(crate) struct Centred<const D: usize> {
    /// `x - max`, finite and at most 0 unless NaN; 0 at forbidden entries.
    pub(crate) gaps: Tensor<D>,
    /// Entries that can never be chosen.
    pub(crate) forbidden: Tensor<D, Bool>,
}

impl<const D: usize> Centred<D> {
    pub(crate) fn new(logits: Tensor<D>, dim: usize) -> Self {
        let top = logits.clone().constant().max_dim(dim);
        let Chances {
            forbidden,
            infinite,
            decided,
            empty,
        } = Chances::new(&logits, &top);
        let top = top.mask_fill(decided.bool_or(empty), 0.0);
        let blocked = forbidden.clone().bool_or(infinite);
        let gaps = logits
            .mask_fill(blocked, 0.0)
            .sub(top)
            .mask_fill(forbidden.clone(), 0.0);
        Self { gaps, forbidden }
    }

    /// Logits again, after `change` was applied to the finite gaps.
    pub(crate) fn map(self, change: impl FnOnce(Tensor<D>) -> Tensor<D>) -> Tensor<D> {
        change(self.gaps).mask_fill(self.forbidden, f64::NEG_INFINITY)
    }
}

/// What can be chosen in rows of logits.
pub(crate) struct Chances<const D: usize> {
    /// Entries that can never be chosen: `-inf`, and finite ones beside `+inf`.
    pub(crate) forbidden: Tensor<D, Bool>,
    /// Entries that are `+inf`.
    infinite: Tensor<D, Bool>,
    /// Rows that hold one.
    decided: Tensor<D, Bool>,
    /// Rows that are all `-inf`.
    pub(crate) empty: Tensor<D, Bool>,
}

impl<const D: usize> Chances<D> {
    /// From the rows' maxima.
    pub(crate) fn new(logits: &Tensor<D>, top: &Tensor<D>) -> Self {
        let (lowest, largest) = limits(logits.dtype());
        let decided = top.clone().greater_scalar(largest);
        let infinite = logits.clone().greater_scalar(largest);
        let outdone = spread(decided.clone(), logits.dims());
        let outdone = outdone.bool_and(infinite.clone().bool_not());
        Self {
            forbidden: logits.clone().lower_scalar(lowest).bool_or(outdone),
            infinite,
            decided,
            empty: top.clone().lower_scalar(lowest),
        }
    }
}

/// Lowest and largest finite number of `dtype`.
pub(crate) fn limits(dtype: DType) -> (f64, f64) {
    let max = match dtype {
        DType::F64 => f64::MAX,
        DType::F16 => 65504.0,
        DType::BF16 => 3.389_531_389_251_535_5e38,
        _ => f64::from(f32::MAX),
    };
    (-max, max)
}

/// `tensor` repeated to `shape`; Burn's own `expand` refuses a dimension of 0.
pub(crate) fn spread<const D: usize, K: Basic>(
    tensor: Tensor<D, K>,
    shape: [usize; D],
) -> Tensor<D, K> {
    if shape.contains(&0) {
        Tensor::empty(shape, (&tensor.device(), tensor.dtype()))
    } else {
        tensor.expand(shape)
    }
}

/// True at `-inf` entries.
pub(crate) fn is_forbidden<const D: usize>(logits: &Tensor<D>) -> Tensor<D, Bool> {
    logits.clone().lower_scalar(limits(logits.dtype()).0)
}
