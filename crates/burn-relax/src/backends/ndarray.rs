use burn_core::backend::NdArray;

use crate::RelaxOps;

impl RelaxOps for NdArray {
    row_kernels!(burn_relax_ndarray);
}
