use burn_core::tensor::{AsIndex, DType, Tensor};

use serde::{Deserialize, Serialize};

use crate::{
    check,
    parts::{
        constant::Constant,
        dtype::{load, store},
        labels::index_dtype,
    },
};

/// What the cost of a sampled class is compared with, to lower the variance of the gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub enum Baseline {
    /// Nothing: every cost counts in full.
    #[default]
    None,
    /// The mean of past batches, used before the current one is folded in; none in the first step.
    MovingAverage {
        /// Share of the past in each update, in `[0, 1)`.
        decay: f64,
    },
    /// The mean cost of the other samples of the same row; needs at least two samples.
    LeaveOneOut,
    /// The mean cost of the other rows of the batch; needs at least two rows.
    Batch,
    /// The cost of the argmax, at one more evaluation of the cost.
    Greedy,
}

/// For each of `K` samples along `dim`, the mean cost of the others: an unbiased baseline that needs no tuning.
///
/// `b_s = (Σ_t f_t - f_s) / (K - 1)`
///
/// # Shapes
///
/// - cost: `[.., K, ..]` with `K ≥ 2` along `dim`
/// - output: the same
///
/// # Gradient
///
/// None: the baseline is detached.
///
/// # Panics
///
/// If `dim` is out of range or there are fewer than two samples.
///
/// # Numerical behaviour
///
/// Infinite and NaN costs are in the baselines of the other samples, and not in their own.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let cost = Tensor::<1>::from_floats([1.0, 2.0, 6.0], &Device::flex());
/// let baseline = burn_relax::estimate::leave_one_out_baseline(cost, 0);
/// assert_eq!(baseline.into_data().try_to_vec::<f32>().unwrap(), [4.0, 3.5, 1.5]);
/// ```
///
/// # References
///
/// Kool, van Hoof, Welling, 2019, "Buy 4 REINFORCE samples, get a baseline for free!"
#[track_caller]
pub fn leave_one_out_baseline<const D: usize>(cost: Tensor<D>, dim: impl AsIndex) -> Tensor<D> {
    let op = "leave_one_out_baseline";
    let dim = check::dim::<D>(op, dim);
    let cost = cost.dequantize();
    let samples = cost.dims()[dim];
    check::at_least(op, "the number of samples along dim", 2, samples);
    let (dtype, cost) = (cost.dtype(), cost.constant());
    if cost.dims().contains(&0) {
        return cost;
    }
    let others = others(load(cost), dim);
    store(others.div_scalar((samples - 1) as f64), dtype)
}

/// The sum of the other entries along `dim`, none of which is taken off a total: that would leave no digits beside a large one,
/// and NaN beside an infinite one.
fn others<const D: usize>(tensor: Tensor<D>, dim: usize) -> Tensor<D> {
    let before = sum_before(tensor.clone(), dim);
    let behind = reversed(sum_before(reversed(tensor, dim), dim), dim);
    before.add(behind)
}

/// The entries along `dim` from the last to the first.
///
/// By their numbers: burn-fusion 0.22.1 describes a flip of floats as one of integers, which ends a remote session.
fn reversed<const D: usize>(tensor: Tensor<D>, dim: usize) -> Tensor<D> {
    let device = tensor.device();
    let places: Vec<i64> = (0..tensor.dims()[dim] as i64).rev().collect();
    let options = (&device, DType::from(index_dtype(&device)));
    tensor.select(dim, Tensor::from_data(places.as_slice(), options))
}

/// The sum of the earlier entries along `dim`.
fn sum_before<const D: usize>(tensor: Tensor<D>, dim: usize) -> Tensor<D> {
    let count = tensor.dims()[dim];
    let nothing = tensor.clone().narrow(dim, 0, 1).zeros_like();
    let sums = tensor.narrow(dim, 0, count - 1).cumsum(dim);
    Tensor::cat(vec![nothing, sums], dim)
}

/// For each row of a batch, the mean cost of the other rows: an unbiased baseline where one sample a row is all there is.
///
/// `b_r = (Σ_q m_q - m_r) / (R - 1)`, with `m_r` the mean over the samples of row `r` and `R` the number of rows
///
/// Rows are whatever lies outside `dim`. The mean over *all* rows would contain the row's own cost and so be biased.
///
/// # Shapes
///
/// - cost: `[.., K, ..]`, the samples along `dim`, with no row or at least two
/// - output: the same
///
/// # Gradient
///
/// None: the baseline is detached.
///
/// # Panics
///
/// If `dim` is out of range, there is no sample, or there is exactly one row.
///
/// # Numerical behaviour
///
/// Infinite and NaN costs are in the baselines of the other rows, and not in that of their own.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let cost = Tensor::<2>::from_floats([[1.0], [2.0], [6.0]], &Device::flex());
/// let baseline = burn_relax::estimate::batch_baseline(cost, 1);
/// assert_eq!(baseline.into_data().try_to_vec::<f32>().unwrap(), [4.0, 3.5, 1.5]);
/// ```
///
/// # References
///
/// Mnih, Rezende, 2016, "Variational inference for Monte Carlo objectives", arXiv:1602.06725, for the leave-one-out mean.
#[track_caller]
pub fn batch_baseline<const D: usize>(cost: Tensor<D>, dim: impl AsIndex) -> Tensor<D> {
    let op = "batch_baseline";
    let (cost, dim) = check::floats(op, "cost", cost, dim);
    let cost = cost.constant();
    let (shape, dtype) = (cost.dims(), cost.dtype());
    let rows = shape.iter().product::<usize>() / shape[dim];
    if rows == 0 {
        return cost;
    }
    check::at_least(op, "the number of rows", 2, rows);
    let own = load(cost).mean_dim(dim);
    let per_row = own.dims();
    // In blocks of as many rows as there are blocks, so that no sum is long.
    let side = rows.isqrt() + usize::from(rows.isqrt().pow(2) < rows);
    let none = Tensor::<1>::zeros([side * side - rows], (&own.device(), own.dtype()));
    let own = match side * side - rows {
        0 => own.reshape([rows]),
        _ => Tensor::cat(vec![own.reshape([rows]), none], 0),
    };
    let blocks = own.reshape([side, side]);
    let other_blocks = others(blocks.clone().sum_dim(1), 0);
    let sums = others(blocks, 1).add(other_blocks).reshape([side * side]);
    let mean = sums.narrow(0, 0, rows).div_scalar((rows - 1) as f64);
    store(mean.reshape(per_row), dtype).expand(shape)
}
