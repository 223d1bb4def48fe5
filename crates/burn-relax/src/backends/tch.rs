#![allow(deprecated)] // Burn deprecates LibTorch; it stays reachable on the default bodies.

use burn_tch::LibTorch;

use crate::RelaxOps;

impl RelaxOps for LibTorch {}
