use burn_core::backend::Flex;

use crate::RelaxOps;

impl RelaxOps for Flex {
    row_kernels!(burn_relax_flex);
}
