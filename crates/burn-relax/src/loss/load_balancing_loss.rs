use burn_core::tensor::{AsIndex, Tensor};

use crate::{
    check,
    parts::{
        centred::is_forbidden,
        choose::{first_argmax, one_hot},
        constant::Constant,
        dtype::{load, store},
    },
    relax::softmax::softmax,
};

/// The load-balancing cost of the Switch transformer: least when the hard choices of a batch spread evenly over the classes.
///
/// `n Σ_k F_k P_k`, with `F_k` the share of rows whose argmax is `k` and `P_k` the mean probability of `k`
///
/// Add it with a small weight, such as .01, to a cost whose gate would otherwise leave classes unused. 1 when balanced, `n`
/// when all rows choose one class with certainty.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`; every position outside `dim` is one row
/// - output: one number
///
/// # Gradient
///
/// Through `P` alone, the shares being held: `n / R · p (F - <p, F>) g` over `R` rows.
///
/// # Panics
///
/// If `dim` is out of range or the axis is empty.
///
/// # Numerical behaviour
///
/// Rows that are all `-inf` choose nothing and count in neither share; a batch without a row gives 0.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let even = Tensor::<2>::from_floats([[9.0, 0.0], [0.0, 9.0]], &Device::flex());
/// assert!((burn_relax::loss::load_balancing_loss(even, 1).into_scalar::<f32>() - 1.0).abs() < 1e-6);
/// let crowded = Tensor::<2>::from_floats([[99.0, 0.0], [99.0, 0.0]], &Device::flex());
/// assert!((burn_relax::loss::load_balancing_loss(crowded, 1).into_scalar::<f32>() - 2.0).abs() < 1e-6);
/// ```
///
/// # References
///
/// Fedus, Zoph, Shazeer, 2022, "Switch transformers", arXiv:2101.03961, equation 4.
#[track_caller]
pub fn load_balancing_loss<const D: usize>(logits: Tensor<D>, dim: impl AsIndex) -> Tensor<1> {
    let op = "load_balancing_loss";
    let (logits, dim) = check::logits(op, logits, dim);
    let (dtype, classes) = (logits.dtype(), logits.dims()[dim]);
    let Some(rows) = rows(&logits, dim) else {
        return Tensor::zeros([1], (&logits.device(), dtype));
    };
    let logits = load(logits);
    let held = logits.clone().constant();
    let chosen = first_argmax(held.clone(), dim);
    let shares = total(one_hot(&held, chosen, dim), dim).div(rows.clone());
    let importance = total(softmax(logits, dim, 1.0), dim).div(rows);
    let cost = shares.mul(importance).sum().mul_scalar(classes as f64);
    store(cost, dtype)
}

/// The importance cost of the sparsely gated mixture of experts: the squared coefficient of variation of the classes' total
/// probabilities over a batch.
///
/// `Var(I) / mean(I)²` with `I_k = Σ_rows p_k`, the variance over the `n` classes
///
/// 0 when every class receives the same total probability, `n - 1` when one receives all. Unlike
/// [`load_balancing_loss`] it does not look at hard choices.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`; every position outside `dim` is one row
/// - output: one number
///
/// # Gradient
///
/// Exact.
///
/// # Panics
///
/// If `dim` is out of range or the axis is empty.
///
/// # Numerical behaviour
///
/// Rows that are all `-inf` add nothing; a batch without a row that can choose gives 0.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let even = Tensor::<2>::from_floats([[9.0, 0.0], [0.0, 9.0]], &Device::flex());
/// assert!(burn_relax::loss::importance_loss(even, 1).into_scalar::<f32>().abs() < 1e-6);
/// let crowded = Tensor::<2>::from_floats([[99.0, 0.0], [99.0, 0.0]], &Device::flex());
/// assert!((burn_relax::loss::importance_loss(crowded, 1).into_scalar::<f32>() - 1.0).abs() < 1e-6);
/// ```
///
/// # References
///
/// Shazeer et al., 2017, "Outrageously large neural networks", arXiv:1701.06538, equation 6.
#[track_caller]
pub fn importance_loss<const D: usize>(logits: Tensor<D>, dim: impl AsIndex) -> Tensor<1> {
    let op = "importance_loss";
    let (logits, dim) = check::logits(op, logits, dim);
    let (dtype, classes) = (logits.dtype(), logits.dims()[dim]);
    let Some(rows) = rows(&logits, dim) else {
        return Tensor::zeros([1], (&logits.device(), dtype));
    };
    let importance = total(softmax(load(logits), dim, 1.0), dim);
    // The probabilities of a row sum to 1, so the mean is known and constant.
    let relative = importance.div(rows).mul_scalar(classes as f64);
    store(relative.sub_scalar(1.0).square().mean(), dtype)
}

/// The number of rows that can choose, at least 1, as one number; none in a batch without rows.
fn rows<const D: usize>(logits: &Tensor<D>, dim: usize) -> Option<Tensor<1>> {
    if logits.dims().contains(&0) {
        return None;
    }
    let held = load(logits.clone().constant());
    let unable = is_forbidden(&held.clone().max_dim(dim));
    // Ones in the logits' own dtype: that of the device may be a short one, which stops counting.
    let ones = Tensor::<D>::ones(unable.dims(), (&held.device(), held.dtype()));
    Some(ones.mask_fill(unable, 0.0).sum().clamp_min(1.0))
}

/// Sums over everything but `dim`.
fn total<const D: usize>(tensor: Tensor<D>, dim: usize) -> Tensor<1> {
    let others: Vec<usize> = (0..D).filter(|&axis| axis != dim).collect();
    let classes = tensor.dims()[dim];
    let summed = others
        .into_iter()
        .fold(tensor, |tensor, axis| tensor.sum_dim(axis));
    summed.reshape([classes])
}
