//! The device under test, transfers, and the operators.

#[macro_use]
pub mod operators;

use std::sync::OnceLock;

use burn_backend::{Shape, TensorData, ops::FloatTensorOps};
use burn_cubecl::{CubeBackend, CubeDevice, ops::into_data_sync, tensor::CubeTensor};
use burn_wgpu::{RuntimeOptions, WgpuDevice, graphics::AutoGraphicsApi, try_init_setup};

/// The default wgpu device.
///
/// # Panics
/// If there is none; a test that cannot run has failed.
pub fn device() -> CubeDevice {
    device_with(RuntimeOptions::default())
}

/// [`device`] with these options, if the device is not in use yet.
///
/// # Panics
/// As [`device`].
pub fn device_with(options: RuntimeOptions) -> CubeDevice {
    static DEVICE: OnceLock<CubeDevice> = OnceLock::new();
    DEVICE
        .get_or_init(|| {
            let device = WgpuDevice::default();
            if let Err(error) = try_init_setup::<AutoGraphicsApi>(&device, options) {
                panic!(
                    "these tests need a graphics adapter, and wgpu found none ({error}). A software one will do: on Debian, \
                     apt install mesa-vulkan-drivers"
                );
            }
            CubeDevice::Wgpu(device)
        })
        .clone()
}

/// A tensor of `shape` on the device.
pub fn tensor(values: &[f32], shape: &[usize]) -> CubeTensor {
    CubeBackend::float_from_data(
        TensorData::new(values.to_vec(), Shape::from(shape)),
        &device(),
    )
}

/// The values of `tensor` in row-major order.
pub fn read(tensor: &CubeTensor) -> Vec<f32> {
    into_data_sync(tensor.clone()).iter::<f32>().collect()
}

/// Reproducible numbers in `-scale..scale`.
pub struct Numbers(pub u64);

impl Numbers {
    /// The next one.
    pub fn next(&mut self, scale: f32) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * scale
    }

    /// The next `count`.
    pub fn take(&mut self, count: usize, scale: f32) -> Vec<f32> {
        (0..count).map(|_| self.next(scale)).collect()
    }
}
