//! CPU row kernels of burn-relax: SIMD, threads and counter-based noise over plain slices.
