//! Flex backend of burn-relax: Burn's CPU tensors over the row kernels.
