use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use burn_core::tensor::{Device, Distribution, Tensor};

use crate::Seed;

/// The seeds of a stochastic module, a new one for every forward pass; clones share the count and never repeat a draw.
#[derive(Clone, Debug)]
pub(super) struct SeedStream {
    key: Arc<OnceLock<u64>>,
    step: Arc<AtomicU64>,
}

impl SeedStream {
    pub(super) fn new(seed: Option<u64>) -> Self {
        let key = match seed {
            Some(seed) => OnceLock::from(seed),
            None => OnceLock::new(),
        };
        Self {
            key: Arc::new(key),
            step: Arc::new(AtomicU64::new(0)),
        }
    }

    /// The next seed. Without a seed in the config the key is drawn here, once, from the device's own generator, so that
    /// Burn's `Device::seed` governs it.
    pub(super) fn next(&self, device: &Device) -> Seed {
        let key = *self.key.get_or_init(|| draw_key(device));
        let step = self.step.fetch_add(1, Ordering::Relaxed);
        Seed { key, step }
    }

    /// Goes on as after so many seeds.
    pub(super) fn resume(&self, step: usize) {
        self.step.store(step as u64, Ordering::Relaxed);
    }
}

/// Training steps done; clones share the count.
#[derive(Clone, Debug, Default)]
pub(super) struct StepCount(Arc<AtomicUsize>);

impl StepCount {
    /// The step that begins now.
    pub(super) fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, step: usize) {
        self.0.store(step, Ordering::Relaxed);
    }
}

fn draw_key(device: &Device) -> u64 {
    let range = Distribution::Uniform(0.0, 65536.0);
    let words = Tensor::<1>::random([4], range, &device.clone().inner()).into_data();
    words
        .iter::<f64>()
        .fold(0, |key, word| (key << 16) | (word as u64 & 0xffff))
}
