//! ndarray backend of burn-relax: Burn's ndarray tensors over the row kernels.
