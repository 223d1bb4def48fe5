//! What carries out the operations: kernels, or Burn's own operations.

use core::sync::atomic::{AtomicBool, Ordering};

/// What carries out the operators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operators {
    /// A backend's kernels; on a remote device one custom operation each, forward and backward.
    #[default]
    Custom,
    /// The operations of Burn that an operator is composed of: slower, the same but for rounding, and known to every Burn server.
    Composed,
}

static COMPOSED: AtomicBool = AtomicBool::new(false);

/// Sets what carries out the operators from now on, in the whole process.
///
/// For remote servers that do not know this crate's operators, and to see whether a kernel is to blame for something. A
/// backward pass must find what its forward pass found: set it between steps.
///
/// # Example
///
/// ```standalone_crate
/// # #[cfg(feature = "flex")] {
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{execution::{Operators, set_operators}, softmax};
///
/// let weights = || softmax(Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &Device::flex()), 0, 1.0);
/// let fused = weights();
/// set_operators(Operators::Composed);
/// assert!(weights().all_close(fused, None, Some(1e-6)));
/// # set_operators(Operators::Custom);
/// # }
/// ```
pub fn set_operators(operators: Operators) {
    COMPOSED.store(operators == Operators::Composed, Ordering::Relaxed);
}

/// What carries out the operators.
#[must_use]
pub fn operators() -> Operators {
    if is_composed() {
        Operators::Composed
    } else {
        Operators::Custom
    }
}

/// Whether the default bodies carry them out.
pub(super) fn is_composed() -> bool {
    COMPOSED.load(Ordering::Relaxed)
}
