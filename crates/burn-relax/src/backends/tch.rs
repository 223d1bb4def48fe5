use burn_tch::LibTorch;

use crate::RelaxOps;

impl RelaxOps for LibTorch {}
