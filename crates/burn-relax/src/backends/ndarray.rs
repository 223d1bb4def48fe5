#![allow(deprecated)] // Burn deprecates its ndarray backend in favour of Flex; this crate keeps serving it.

use burn_core::backend::NdArray;

use crate::RelaxOps;

impl RelaxOps for NdArray {}
