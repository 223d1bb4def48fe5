//! CubeCL kernels of burn-relax for wgpu, CUDA, ROCm and Metal.
