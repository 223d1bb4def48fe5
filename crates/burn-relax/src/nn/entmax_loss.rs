use burn_core as burn;
use burn_core::module::Module;
use burn_core::tensor::{Bool, Int, Tensor};
use burn_nn::loss::Reduction;

use super::config::{config, one_line_display};
use crate::{
    check,
    loss::entmax_loss::entmax_loss_of,
    parts::{
        centred::spread,
        choose::is_class,
        constant::Constant,
        dtype::{load, store},
        labels::{any_of, wide},
    },
};

config! {
    /// Configuration of [`SparsemaxLoss`].
    SparsemaxLossConfig {
        /// Labels whose rows do not count, as in Burn's cross-entropy. Default: none.
        pad_tokens: Option<Vec<usize>> = None, with_pad_tokens;
        /// One more such label, which may be negative: PyTorch's is -100. Default: none.
        ignore_index: Option<i64> = None, with_ignore_index;
    }
}

config! {
    /// Configuration of [`EntmaxLoss`].
    EntmaxLossConfig {
        /// Alpha of the [`entmax`](crate::sparse::entmax) whose loss it is; finite and greater than 0. Default: 1.5.
        alpha: f64 = 1.5, with_alpha;
        /// Labels whose rows do not count, as in Burn's cross-entropy. Default: none.
        pad_tokens: Option<Vec<usize>> = None, with_pad_tokens;
        /// One more such label, which may be negative: PyTorch's is -100. Default: none.
        ignore_index: Option<i64> = None, with_ignore_index;
    }
}

impl SparsemaxLossConfig {
    /// Initializes the module.
    pub fn init(&self) -> SparsemaxLoss {
        SparsemaxLoss {
            inner: EntmaxLoss {
                alpha: 2.0,
                pad_tokens: self.pad_tokens.clone(),
                ignore_index: self.ignore_index,
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
            ignore_index: self.ignore_index,
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

/// The loss of a classifier that ends in [`entmax`](crate::entmax); see [`entmax_loss`](crate::loss::entmax_loss).
///
/// Labels, ignored labels and reductions follow Burn's losses: `forward` takes class indices, [`Reduction`] says what becomes of the
/// rows. A row whose label is ignored costs 0, has no gradient, whatever its logits hold, and does not count in the mean, which is 0
/// where no row counts. A label that is neither a class nor ignored panics: the labels are read back for it, except in a browser.
///
/// Created with [`EntmaxLossConfig`].
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Int, Tensor};
/// use burn_nn::loss::Reduction;
/// use burn_relax::nn::EntmaxLossConfig;
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
    /// One more such label, which may be negative.
    #[module(skip)]
    pub ignore_index: Option<i64>,
}

one_line_display!(EntmaxLoss {
    alpha,
    pad_tokens,
    ignore_index
});

impl EntmaxLoss {
    /// # Shapes
    ///
    /// - logits: `[batch, classes]`
    /// - targets: `[batch]`, class indices or ignored labels
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// If the shapes do not fit, or a label is neither a class nor ignored.
    #[track_caller]
    pub fn forward(
        &self,
        logits: Tensor<2>,
        targets: Tensor<1, Int>,
        reduction: Reduction,
    ) -> Tensor<1> {
        let logits = logits.dequantize();
        let dtype = logits.dtype();
        let (rows, ignored) = self.rows("EntmaxLoss", logits, targets);
        store(reduce(rows, ignored, reduction), dtype)
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
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn forward_no_reduction(&self, logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        let logits = logits.dequantize();
        let dtype = logits.dtype();
        store(self.rows("EntmaxLoss", logits, targets).0, dtype)
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
        self.soft("EntmaxLoss", logits, targets, reduction)
    }

    #[track_caller]
    fn soft(
        &self,
        op: &str,
        logits: Tensor<2>,
        targets: Tensor<2>,
        reduction: Reduction,
    ) -> Tensor<1> {
        let (logits, targets) = (logits.dequantize(), targets.dequantize());
        check::beside(op, "targets", &logits, &targets);
        let dtype = logits.dtype();
        let rows = entmax_loss_of(op, load(logits), load(targets), 1, self.alpha.into());
        let batch = rows.dims()[0];
        store(reduce(rows.reshape([batch]), None, reduction), dtype)
    }

    /// The rows' losses in at least f32, and which rows do not count.
    #[track_caller]
    fn rows(
        &self,
        op: &str,
        logits: Tensor<2>,
        targets: Tensor<1, Int>,
    ) -> (Tensor<1>, Option<Tensor<1, Bool>>) {
        let (mut logits, _) = check::logits(op, logits, 1);
        let [batch, classes] = logits.dims();
        check::same_shape(op, "targets", "the batch", [batch].into(), targets.shape());
        let mut targets = wide(targets);
        let tokens = self.pad_tokens.iter().flatten();
        let tokens = tokens.filter_map(|&token| i64::try_from(token).ok());
        let ignored = any_of(&targets, tokens.chain(self.ignore_index));
        if let Some(mask) = &ignored {
            // An ignored label need not be a class, nor its logits be numbers.
            targets = targets.mask_fill(mask.clone(), 0);
            let rows = spread(mask.clone().reshape([batch, 1]), [batch, classes]);
            logits = logits.mask_fill(rows, 0.0);
        }
        check::indices(op, "targets", &targets, classes);
        let logits = load(logits);
        let chosen = is_class(&logits, targets.reshape([batch, 1]), 1);
        let targets = logits.zeros_like().constant().mask_fill(chosen, 1.0);
        let rows = entmax_loss_of(op, logits, targets, 1, self.alpha.into()).reshape([batch]);
        match ignored {
            Some(mask) => (rows.mask_fill(mask.clone(), 0.0), Some(mask)),
            None => (rows, None),
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
        let logits = logits.dequantize();
        let dtype = logits.dtype();
        let (rows, ignored) = self.inner.rows("SparsemaxLoss", logits, targets);
        store(reduce(rows, ignored, reduction), dtype)
    }

    /// As [`EntmaxLoss::forward_no_reduction`].
    #[track_caller]
    pub fn forward_no_reduction(&self, logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        let logits = logits.dequantize();
        let dtype = logits.dtype();
        store(self.inner.rows("SparsemaxLoss", logits, targets).0, dtype)
    }

    /// As [`EntmaxLoss::forward_soft`].
    #[track_caller]
    pub fn forward_soft(
        &self,
        logits: Tensor<2>,
        targets: Tensor<2>,
        reduction: Reduction,
    ) -> Tensor<1> {
        self.inner.soft("SparsemaxLoss", logits, targets, reduction)
    }
}

/// The rows' losses, in at least f32, as one number; a batch without any row that counts costs 0.
fn reduce(rows: Tensor<1>, ignored: Option<Tensor<1, Bool>>, reduction: Reduction) -> Tensor<1> {
    let batch = rows.dims()[0];
    let sum = rows.sum();
    match reduction {
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
    }
}
