use burn_core as burn;
use burn_core::module::{Module, Param};
use burn_core::tensor::{Device, Tensor, activation::softplus};

use super::config::{config, one_line_display};
use crate::{
    check,
    parts::dtype::{load, store},
    sparse::entmax::{entmax, entmax_of},
};

config! {
    /// Configuration of [`Entmax`].
    EntmaxConfig {
        /// The axis of the classes; negative counts from the end. Default: -1.
        dim: isize = -1, with_dim;
        /// Sparsity, where it is learned at the start; finite and greater than 0, or than 1 where it is learned. Default: 1.5.
        alpha: f64 = 1.5, with_alpha;
        /// Learns alpha, in a parameter of this shape: it is laid against the last axes of the logits, has size 1 along `dim`, and 1
        /// or the logits' size elsewhere. `[]` is one alpha for the module, `[heads, 1, 1]` one for each head of attention scores,
        /// `[rows, 1]` one for each row. Default: alpha stays.
        learned: Option<Vec<usize>> = None, with_learned;
    }
}

/// Weights that are as sparse as `alpha` says, or learns to say; see [`entmax`](crate::sparse::entmax).
///
/// A learned alpha is `1 + softplus(raw)`, so it stays above 1 whatever the optimizer does.
///
/// Created with [`EntmaxConfig`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Entmax {
    /// The axis of the classes.
    #[module(skip)]
    pub dim: isize,
    /// Sparsity, where it is learned at the start.
    #[module(skip)]
    pub alpha: f64,
    /// Shape of the learned alpha.
    #[module(skip)]
    pub learned: Option<Vec<usize>>,
    /// What is learned, in row-major order.
    pub raw: Option<Param<Tensor<1>>>,
}

one_line_display!(Entmax {
    dim,
    alpha,
    learned
});

impl EntmaxConfig {
    /// Initializes the module; the device is that of the parameter.
    ///
    /// # Panics
    ///
    /// If alpha is out of its domain, or the shape of a learned one has a size of 0.
    #[track_caller]
    pub fn init(&self, device: &Device) -> Entmax {
        let op = "Entmax";
        check::positive(op, "alpha", self.alpha);
        let raw = self.learned.as_ref().map(|shape| {
            check::greater_than_one(op, "alpha", self.alpha);
            check::sizes(op, "learned", shape);
            let count = shape.iter().product::<usize>();
            // The inverse of the softplus: ln(e^y - 1), without its overflow.
            let excess = self.alpha - 1.0;
            let start = excess + (-(-excess).exp_m1()).ln();
            Param::from_tensor(Tensor::full([count], start, device))
        });
        Entmax {
            dim: self.dim,
            alpha: self.alpha,
            learned: self.learned.clone(),
            raw,
        }
    }
}

impl Entmax {
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
    /// - output: the same
    ///
    /// # Panics
    ///
    /// If the shape of a learned alpha does not fit the logits.
    #[track_caller]
    pub fn forward<const D: usize>(&self, logits: Tensor<D>) -> Tensor<D> {
        match (&self.learned, self.learned_alpha()) {
            (Some(last), Some(alpha)) => {
                let op = "Entmax";
                let (logits, dim) = check::logits(op, logits, self.dim);
                let mut shape = [1; D];
                check::at_most_rank::<D>(op, "learned", last);
                shape[D - last.len()..].copy_from_slice(last);
                check::per_row(op, "learned", logits.shape(), shape.into(), dim);
                let dtype = logits.dtype();
                let logits = load(logits);
                // Not shortened: the logits are computed in at least f32 anyway.
                let alpha = store(load(alpha).reshape(shape), logits.dtype());
                store(entmax_of(op, logits, dim, alpha.into()), dtype)
            }
            _ => entmax(logits, self.dim, self.alpha),
        }
    }

    /// The values of alpha that are learned, in row-major order, if it is.
    pub fn learned_alpha(&self) -> Option<Tensor<1>> {
        let raw = self.raw.as_ref()?.val();
        Some(softplus(raw, 1.0).add_scalar(1.0))
    }
}
