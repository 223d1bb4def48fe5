//! The device under test, transfers, and a plain f64 reference.

#![allow(dead_code)] // every test binary uses its own part

use std::sync::OnceLock;

use burn_backend::{Shape, TensorData, ops::FloatTensorOps};
use burn_cubecl::{CubeBackend, CubeDevice, ops::into_data_sync, tensor::CubeTensor};
use burn_wgpu::{RuntimeOptions, WgpuDevice, graphics::AutoGraphicsApi, try_init_setup};

/// Row lengths round every width that the kernels know.
pub const LENGTHS: [usize; 17] = [
    1, 2, 15, 16, 17, 31, 32, 33, 255, 256, 257, 1000, 1025, 4096, 32000, 128001, 1_000_000,
];

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

/// The bits of `tensor` in row-major order.
pub fn bits(tensor: &CubeTensor) -> Vec<u32> {
    read(tensor).into_iter().map(f32::to_bits).collect()
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

/// How rows lie in row-major data.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    pub outer: usize,
    pub classes: usize,
    pub inner: usize,
    pub features: usize,
}

impl Rows {
    /// The rows of `shape` along `dim`, the dimensions from `rank` on being features.
    pub fn new(shape: &[usize], dim: usize, rank: usize) -> Self {
        Rows {
            outer: shape[..dim].iter().product(),
            classes: shape[dim],
            inner: shape[dim + 1..rank].iter().product(),
            features: shape[rank..].iter().product(),
        }
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.outer * self.inner
    }

    /// Index of class `i` of row `r` among the logits.
    pub fn at(&self, r: usize, i: usize) -> usize {
        (r / self.inner * self.classes + i) * self.inner + r % self.inner
    }

    /// Row `r` of data shaped like the logits.
    pub fn row(&self, data: &[f32], r: usize) -> Vec<f64> {
        (0..self.classes)
            .map(|i| f64::from(data[self.at(r, i)]))
            .collect()
    }
}

/// Maximum, normaliser and weights of a row, by the contract.
pub fn weights(x: &[f64], temperature: f64) -> (f64, f64, Vec<f64>) {
    if x.iter().any(|x| x.is_nan()) {
        return (f64::NAN, f64::NAN, vec![f64::NAN; x.len()]);
    }
    let top = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return (f64::from(f32::MIN), 0.0, vec![0.0; x.len()]);
    }
    let raw: Vec<f64> = if top == f64::INFINITY {
        x.iter()
            .map(|&x| if x == top { 1.0 } else { 0.0 })
            .collect()
    } else {
        x.iter().map(|x| ((x - top) / temperature).exp()).collect()
    };
    let sum: f64 = raw.iter().sum();
    let max = top.min(f64::from(f32::MAX));
    (max, sum, raw.into_iter().map(|w| w / sum).collect())
}

/// Which classes of row `x` can have no weight whatever the numbers around it.
pub fn excluded(x: &[f64]) -> Vec<bool> {
    let decided = x.contains(&f64::INFINITY);
    x.iter()
        .map(|&x| x == f64::NEG_INFINITY || (decided && x.is_finite()))
        .collect()
}

/// Fails unless `got` is `want`: NaN and infinities at the same places, the rest within `tolerance` of the largest magnitude
/// among the wanted.
#[track_caller]
pub fn assert_close(what: &str, got: &[f32], want: &[f64], tolerance: f64) {
    assert_close_at_scale(what, got, want, tolerance, 1e-30);
}

/// [`assert_close`] where the largest magnitude counts as at least `least`.
#[track_caller]
pub fn assert_close_at_scale(what: &str, got: &[f32], want: &[f64], tolerance: f64, least: f64) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    let scale = want
        .iter()
        .filter(|w| w.is_finite())
        .fold(least, |m: f64, w| m.max(w.abs()));
    let mut worst = (0.0, 0);
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        let got = f64::from(got);
        if want.is_nan() || want.is_infinite() {
            assert!(
                got == want || (got.is_nan() && want.is_nan()),
                "{what}: at {i} got {got}, want {want}"
            );
            continue;
        }
        let error = (got - want).abs() / scale;
        assert!(!error.is_nan(), "{what}: at {i} got {got}, want {want}");
        if error > worst.0 {
            worst = (error, i);
        }
    }
    if std::env::var_os("SHOW_ERRORS").is_some() {
        println!("{what}: {:.2e}", worst.0);
    }
    assert!(
        worst.0 <= tolerance,
        "{what}: at {} got {}, want {}: {:.2e} of the largest magnitude {scale:.3e}, allowed {tolerance:.1e}",
        worst.1,
        got[worst.1],
        want[worst.1],
        worst.0
    );
}

/// Rows of each special kind around ordinary ones, `n` classes each.
pub fn special_rows(n: usize) -> (Vec<f32>, usize) {
    let mut numbers = Numbers(n as u64);
    let mut rows: Vec<Vec<f32>> = (0..8).map(|_| numbers.take(n, 3.0)).collect();
    rows[1].fill(f32::NEG_INFINITY);
    rows[2]
        .iter_mut()
        .step_by(2)
        .for_each(|x| *x = f32::NEG_INFINITY);
    rows[3][n / 2] = f32::INFINITY;
    rows[3][n - 1] = f32::INFINITY;
    rows[4][n / 3] = f32::NAN;
    rows[5].fill(1.25);
    rows[6]
        .iter_mut()
        .step_by(2)
        .for_each(|x| *x = f32::NEG_INFINITY);
    rows[6][n - 1] = f32::INFINITY;
    (rows.concat(), 8)
}

/// An integer tensor's values.
pub fn read_ints(tensor: &CubeTensor) -> Vec<i64> {
    into_data_sync(tensor.clone()).iter::<i64>().collect()
}

/// Rows enough to share a cube at short lengths, few enough to keep long ones quick.
pub fn rows_for(classes: usize) -> usize {
    if classes > 100_000 { 1 } else { 3 }
}

/// The rows of row-major data with the classes last, in f64.
pub fn rows_of(data: &[f32], classes: usize) -> Vec<Vec<f64>> {
    data.chunks(classes)
        .map(|row| row.iter().map(|&x| f64::from(x)).collect())
        .collect()
}
