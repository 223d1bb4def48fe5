use burn_core as burn;
use burn_core::module::Module;
use burn_core::tensor::{Bool, Int, Tensor};
use burn_nn::loss::Reduction;

use super::config::{config, one_line_display};
use crate::{
    check,
    loss::entmax_loss,
    parts::{
        centred::spread,
        constant::Constant,
        dtype::{load, store},
    },
};

config! {
    /// Configuration of [`SparsemaxLoss`].
    SparsemaxLossConfig {
        /// Labels whose rows do not count, as in Burn's cross-entropy. Default: none.
        pad_tokens: Option<Vec<usize>> = None, with_pad_tokens;
    }
}

config! {
    /// Configuration of [`EntmaxLoss`].
    EntmaxLossConfig {
        /// Alpha of the [`entmax`](crate::sparse::entmax) whose loss it is; finite and greater than 0. Default: 1.5.
        alpha: f64 = 1.5, with_alpha;
        /// Labels whose rows do not count, as in Burn's cross-entropy. Default: none.
        pad_tokens: Option<Vec<usize>> = None, with_pad_tokens;
    }
}

impl SparsemaxLossConfig {
    /// Initializes the module.
    pub fn init(&self) -> SparsemaxLoss {
        SparsemaxLoss {
            inner: EntmaxLoss {
                alpha: 2.0,
                pad_tokens: self.pad_tokens.clone(),
            },
        }
    }
}

impl EntmaxLossConfig {
    /// Initializes the module.
    ///
    /// # Panics
    ///
    /// If alpha is not finite and greater than 0.
    #[track_caller]
    pub fn init(&self) -> EntmaxLoss {
        check::positive("EntmaxLoss", "alpha", self.alpha);
        EntmaxLoss {
            alpha: self.alpha,
            pad_tokens: self.pad_tokens.clone(),
        }
    }
}

/// The loss of a classifier that ends in [`sparsemax`](crate::sparsemax); see [`sparsemax_loss`](crate::loss::sparsemax_loss).
///
/// Created with [`SparsemaxLossConfig`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct SparsemaxLoss {
    #[module(skip)]
    inner: EntmaxLoss,
}

one_line_display!(SparsemaxLoss { inner });

/// The loss of a classifier that ends in [`entmax`](crate::entmax); see [`entmax_loss`].
///
/// Labels, ignored labels and reductions follow Burn's losses: `forward` takes class indices, [`Reduction`] says what becomes of the
/// rows. The mean is over the rows that count; where none does, it is 0.
///
/// Created with [`EntmaxLossConfig`].
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Int, Tensor};
/// use burn_nn::loss::Reduction;
/// use burn_relax::EntmaxLossConfig;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5], [3.0, 0.0, 0.0]], &device);
/// let targets = Tensor::<1, Int>::from_ints([2, 0], &device);
/// let loss = EntmaxLossConfig::new().init().forward(logits, targets, Reduction::Sum);
/// assert!((loss.into_scalar::<f32>() - 0.184_371).abs() < 1e-6); // the second row leads by more than 2
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct EntmaxLoss {
    /// Alpha of the map.
    #[module(skip)]
    pub alpha: f64,
    /// Labels whose rows do not count.
    #[module(skip)]
    pub pad_tokens: Option<Vec<usize>>,
}

one_line_display!(EntmaxLoss { alpha, pad_tokens });

impl EntmaxLoss {
    /// # Shapes
    ///
    /// - logits: `[batch, classes]`
    /// - targets: `[batch]`, class indices or ignored labels
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(
        &self,
        logits: Tensor<2>,
        targets: Tensor<1, Int>,
        reduction: Reduction,
    ) -> Tensor<1> {
        let ignored = self.ignored(&targets);
        let rows = self.rows("EntmaxLoss", logits, targets, ignored.clone());
        reduce(rows, ignored, reduction)
    }

    /// The loss of each row, 0 where it does not count.
    ///
    /// # Shapes
    ///
    /// - logits: `[batch, classes]`
    /// - targets: `[batch]`
    /// - output: `[batch]`
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward_no_reduction(&self, logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        let ignored = self.ignored(&targets);
        self.rows("EntmaxLoss", logits, targets, ignored)
    }

    /// [`forward`](Self::forward) with a distribution as each row's target.
    ///
    /// # Shapes
    ///
    /// - logits, targets: `[batch, classes]`
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    #[track_caller]
    pub fn forward_soft(
        &self,
        logits: Tensor<2>,
        targets: Tensor<2>,
        reduction: Reduction,
    ) -> Tensor<1> {
        let rows = entmax_loss(logits, targets, 1, self.alpha);
        let batch = rows.dims()[0];
        reduce(rows.reshape([batch]), None, reduction)
    }

    fn ignored(&self, targets: &Tensor<1, Int>) -> Option<Tensor<1, Bool>> {
        let tokens = self.pad_tokens.as_ref()?.iter();
        tokens
            .map(|&token| targets.clone().equal_scalar(token as i64))
            .reduce(Tensor::bool_or)
    }

    #[track_caller]
    fn rows(
        &self,
        op: &str,
        logits: Tensor<2>,
        targets: Tensor<1, Int>,
        ignored: Option<Tensor<1, Bool>>,
    ) -> Tensor<1> {
        let [batch, classes] = logits.dims();
        check::same_shape(op, "targets", "the batch", [batch].into(), targets.shape());
        // An ignored label need not be a class.
        let targets = match &ignored {
            Some(mask) => targets.mask_fill(mask.clone(), 0),
            None => targets,
        };
        let options = (&logits.device(), targets.dtype());
        let line = Tensor::<1, Int>::arange(0..classes as i64, options).reshape([1, classes]);
        let shape = [batch, classes];
        let targets = spread(targets.reshape([batch, 1]), shape);
        let chosen = spread(line, shape).equal(targets);
        let targets = logits.zeros_like().constant().mask_fill(chosen, 1.0);
        let rows = entmax_loss(logits, targets, 1, self.alpha).reshape([batch]);
        match ignored {
            Some(mask) => rows.mask_fill(mask, 0.0),
            None => rows,
        }
    }
}

impl SparsemaxLoss {
    /// As [`EntmaxLoss::forward`].
    #[track_caller]
    pub fn forward(
        &self,
        logits: Tensor<2>,
        targets: Tensor<1, Int>,
        reduction: Reduction,
    ) -> Tensor<1> {
        self.inner.forward(logits, targets, reduction)
    }

    /// As [`EntmaxLoss::forward_no_reduction`].
    #[track_caller]
    pub fn forward_no_reduction(&self, logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        self.inner.forward_no_reduction(logits, targets)
    }

    /// As [`EntmaxLoss::forward_soft`].
    #[track_caller]
    pub fn forward_soft(
        &self,
        logits: Tensor<2>,
        targets: Tensor<2>,
        reduction: Reduction,
    ) -> Tensor<1> {
        self.inner.forward_soft(logits, targets, reduction)
    }
}

/// The rows' losses as one number; a batch without any row that counts costs 0.
fn reduce(rows: Tensor<1>, ignored: Option<Tensor<1, Bool>>, reduction: Reduction) -> Tensor<1> {
    let batch = rows.dims()[0];
    let dtype = rows.dtype();
    let sum = load(rows).sum();
    let mean = match reduction {
        Reduction::Sum => sum,
        Reduction::BatchMean => sum.div_scalar(batch.max(1) as f64),
        Reduction::Mean | Reduction::Auto => match ignored {
            Some(mask) => {
                let counted = load(mask.bool_not().float()).sum().clamp_min(1.0);
                let counted = store(counted, sum.dtype());
                sum.div(counted)
            }
            None => sum.div_scalar(batch.max(1) as f64),
        },
    };
    store(mean, dtype)
}
