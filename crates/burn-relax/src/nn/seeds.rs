//! Seeds and steps of modules that draw or anneal.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use burn_core::tensor::{Device, Distribution, Tensor};

use burn_relax_kernels::Seed;

/// The seeds of a stochastic module, a new one for every forward pass; clones share the count and never repeat a draw.
#[derive(Clone, Debug)]
pub(super) struct SeedStream {
    key: Arc<OnceLock<u64>>,
    step: Arc<AtomicU64>,
    /// The number of the first example that the module sees.
    first: u64,
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
            first: 0,
        }
    }

    /// The seeds for the examples from number `first` on, beginning with this step; the count is a new one.
    pub(super) fn part(&self, step: usize, first: usize) -> Self {
        Self {
            key: self.key.clone(),
            step: Arc::new(AtomicU64::new(step as u64)),
            first: first as u64,
        }
    }

    /// The next seed, for logits whose classes lie along `dim` and whose examples along the first of the other axes.
    ///
    /// Without a seed in the config the key is drawn here, once, from the device's own generator, so that Burn's `Device::seed`
    /// governs it.
    pub(super) fn next<const D: usize>(&self, logits: &Tensor<D>, dim: usize) -> Seed {
        let key = *self.key.get_or_init(|| draw_key(&logits.device()));
        let step = self.step.fetch_add(1, Ordering::Relaxed);
        let others = (0..D).filter(|&axis| axis != dim).skip(1);
        let choices: usize = others.map(|axis| logits.dims()[axis]).product();
        Seed::new(key, step).with_row(self.first.wrapping_mul(choices as u64))
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

    /// A count of its own, at this step.
    pub(super) fn at(step: usize) -> Self {
        Self(Arc::new(step.into()))
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
