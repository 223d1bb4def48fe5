//! The gathers whose gradient reaches the logits: the soft one is the hard one without the chosen value.

use crate::operators::kernels::kernels;
use crate::row::output::Out;

/// Elements of work of a row.
fn work(n: usize, features: usize) -> usize {
    if features == 1 { n } else { n * (features + 1) }
}

kernels! {
    /// The value at the argmax of every row (exactly; the lowest index on ties), and the results of [`soft_argmax_gather`].
    ///
    /// A row of `-inf` gives 0, a row with NaN gives NaN.
    hard_argmax_gather(logits: F[n], values: F[n, features]; temperature: f64)
        -> (hard: F[1, features], soft: F[1, features], stats: Acc[2]), features of values
        => struct Forward {}, work work(n, features);

    /// `soft = sum_i w_i V_i` with `w = softmax(logits / temperature)`, for every row, and the row's statistics as in
    /// [`softmax`](crate::softmax()).
    ///
    /// The value at an entry of weight 0 is ignored, even NaN. A row of `-inf` gives 0.
    soft_argmax_gather(logits: F[n], values: F[n, features]; temperature: f64)
        -> (soft: F[1, features], stats: Acc[2]), features of values
        => as Forward { temperature: temperature, hard: Out::none() }, work work(n, features);

    /// Gradient of [`soft_argmax_gather`].
    ///
    /// With `d_i = <V_i, g>` and `s = <soft, g>`: `grad_logits = w_i (d_i - s) / temperature`, `grad_values = w_i g`. Entries of
    /// weight 0 get exactly 0 in both, whatever their value; in rows with `+inf` the logits get 0.
    soft_argmax_gather_backward(
        logits: F[n], values: F[n, features], stats: Acc[2], soft: F[1, features], grad: F[1, features]; temperature: f64
    ) -> (grad_logits: F[n], grad_values: F[n, features]), features of values
        => struct Backward { hard: bool = false }, work 2 * work(n, features);

    /// Gradient of [`hard_argmax_gather`]: for the logits that of [`soft_argmax_gather`], for the values the upstream gradient at the
    /// argmax, 0 elsewhere, so that the value that was chosen is what learns.
    ///
    /// In rows of `-inf` nothing was chosen, and both are 0; in rows with `+inf` the first of them was. Rows with NaN get NaN.
    hard_argmax_gather_backward(
        logits: F[n], values: F[n, features], stats: Acc[2], soft: F[1, features], grad: F[1, features]; temperature: f64
    ) -> (grad_logits: F[n], grad_values: F[n, features]), features of values
        => as Backward { temperature: temperature, hard: true }, work 2 * work(n, features);
}
