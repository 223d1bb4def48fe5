//! What only a GPU is asked: its name, how many kernels a run launches, and a copy on the device itself.

use anyhow::Result;
use burn::{
    backend::DispatchDevice,
    tensor::{Device, Distribution, Tensor},
};
use burn_cubecl::{
    CubeBackend,
    cubecl::logging::{LaunchObservation, LaunchObserver},
};
use rayon::ThreadPool;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::timing::{Side, side};

/// The name of the adapter behind a CubeCL device.
pub fn adapter(device: &Device) -> Option<String> {
    use burn::backend::{TensorData, ops::FloatTensorOps};
    let DispatchDevice::Cube(device) = device.as_dispatch() else {
        return None;
    };
    let probe = CubeBackend::float_from_data(TensorData::from([0.0_f32]), device);
    Some(probe.client.properties().identity.name.clone())
}

/// Counts launches.
#[derive(Default)]
struct Count(AtomicUsize);

impl LaunchObserver for Count {
    fn launched(&self, _kernel: &'static str) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Kernels that one run of a side launches; the side has run before.
pub fn launches(side: &mut Option<Side<'_>>) -> Result<Option<usize>> {
    let Some(side) = side else {
        return Ok(None);
    };
    let count = Arc::new(Count::default());
    let observation = LaunchObservation::new(count.clone());
    side(1)?;
    drop(observation);
    Ok(Some(count.0.load(Ordering::Relaxed)))
}

/// A kernel that reads half of `numbers` numbers and writes as many: what the device's memory can do.
pub fn copy<'a>(device: &Device, numbers: usize, pool: &'a ThreadPool) -> Side<'a> {
    let source = Tensor::<1>::random([(numbers / 2).max(1)], Distribution::Default, device);
    let device = device.clone();
    side(pool, move || {
        let _copy = source.clone().mul_scalar(1.0);
        device.sync().expect("the device finishes its work");
    })
}
