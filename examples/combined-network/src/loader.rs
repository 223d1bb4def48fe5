//! Data loaders: seeded random minibatches to train on, the whole split to validate on.

use crate::data::{Rows, Scaling, minibatch};
use crate::strategy::Step;
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Tensor, TensorData};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows of a minibatch.
pub const BATCH: usize = 128;

/// What the network sees in one step.
#[derive(Debug, Clone)]
pub struct Minibatch {
    /// Inputs, `[rows, features]`.
    pub inputs: Tensor<2>,
    /// Rescaled targets, `[rows, 1]`.
    pub targets: Tensor<2>,
    /// Where in the run this is.
    pub step: Step,
}

/// The batches of a whole run, handed out epoch by epoch: exactly `steps` of them.
///
/// A batch depends on the seed and the step alone, not on the backend nor on where epochs begin.
#[derive(Clone)]
pub struct TrainLoader {
    rows: Arc<Rows>,
    scaling: Scaling,
    seed: u64,
    steps: usize,
    per_epoch: usize,
    done: Arc<AtomicUsize>,
    device: Device,
}

impl TrainLoader {
    /// At most 20 epochs, so that there are about 20 validations whatever the number of steps.
    #[must_use]
    pub fn new(rows: Rows, scaling: Scaling, seed: u64, steps: usize, device: Device) -> Self {
        let per_epoch = steps.div_ceil(20).max(1);
        Self {
            rows: Arc::new(rows),
            scaling,
            seed,
            steps,
            per_epoch,
            done: Arc::default(),
            device,
        }
    }

    /// Epochs in the run; the last one may be shorter.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.steps.div_ceil(self.per_epoch)
    }

    fn batch(&self, index: usize) -> Minibatch {
        let chosen = minibatch(self.seed, index, self.rows.len(), BATCH);
        let step = Step {
            index,
            total: self.steps,
            seed: self.seed,
        };
        gather(&self.rows, &chosen, self.scaling, step, &self.device)
    }
}

fn gather(
    rows: &Rows,
    chosen: &[usize],
    scaling: Scaling,
    step: Step,
    device: &Device,
) -> Minibatch {
    let inputs: Vec<f32> = chosen
        .iter()
        .flat_map(|&row| rows.input(row))
        .copied()
        .collect();
    let target = |&row: &usize| scaling.forward(f64::from(rows.targets[row])) as f32;
    let targets: Vec<f32> = chosen.iter().map(target).collect();
    Minibatch {
        inputs: Tensor::from_data(
            TensorData::new(inputs, [chosen.len(), rows.features]),
            device,
        ),
        targets: Tensor::from_data(TensorData::new(targets, [chosen.len(), 1]), device),
        step,
    }
}

impl DataLoader<Minibatch> for TrainLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Minibatch> + 'a> {
        let first = self.done.load(Ordering::Relaxed);
        let total = self.per_epoch.min(self.steps - first);
        Box::new(Epoch {
            loader: self,
            first,
            total,
            taken: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.per_epoch
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Minibatch>> {
        Arc::new(Self {
            device: device.clone(),
            ..self.clone()
        })
    }

    fn slice(&self, _start: usize, _end: usize) -> Arc<dyn DataLoader<Minibatch>> {
        Arc::new(self.clone())
    }
}

struct Epoch<'a> {
    loader: &'a TrainLoader,
    first: usize,
    total: usize,
    taken: usize,
}

impl Iterator for Epoch<'_> {
    type Item = Result<Minibatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.taken == self.total {
            return None;
        }
        let batch = self.loader.batch(self.first + self.taken);
        self.taken += 1;
        self.loader
            .done
            .store(self.first + self.taken, Ordering::Relaxed);
        Some(Ok(batch))
    }
}

impl DataLoaderIterator<Minibatch> for Epoch<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.taken, self.total, Some("steps".to_owned()))
    }
}

/// A whole split as one batch.
#[derive(Clone)]
pub struct ValidLoader {
    rows: Arc<Rows>,
    scaling: Scaling,
    device: Device,
}

impl ValidLoader {
    /// The rows of a validation split.
    #[must_use]
    pub fn new(rows: Rows, scaling: Scaling, device: Device) -> Self {
        Self {
            rows: Arc::new(rows),
            scaling,
            device,
        }
    }
}

impl DataLoader<Minibatch> for ValidLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Minibatch> + 'a> {
        let all: Vec<usize> = (0..self.rows.len()).collect();
        let step = Step {
            index: 0,
            total: 1,
            seed: 0,
        };
        let batch = gather(&self.rows, &all, self.scaling, step, &self.device);
        Box::new(Once { batch: Some(batch) })
    }

    fn num_items(&self) -> usize {
        1
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Minibatch>> {
        Arc::new(Self {
            device: device.clone(),
            ..self.clone()
        })
    }

    fn slice(&self, _start: usize, _end: usize) -> Arc<dyn DataLoader<Minibatch>> {
        Arc::new(self.clone())
    }
}

struct Once {
    batch: Option<Minibatch>,
}

impl Iterator for Once {
    type Item = Result<Minibatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch.take().map(Ok)
    }
}

impl DataLoaderIterator<Minibatch> for Once {
    fn progress(&self) -> Progress {
        Progress::new(
            usize::from(self.batch.is_none()),
            1,
            Some("batches".to_owned()),
        )
    }
}
