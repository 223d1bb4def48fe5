//! The loader to train from: seeded random minibatches.

use crate::data::random::minibatch;
use crate::data::scaling::Scaling;
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Int, Tensor, TensorData};
use combined_network::task::Rows;
use std::ops::Range;
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
    /// The class of each row, `[rows, 1]`, where an oracle teaches.
    pub classes: Option<Tensor<2, Int>>,
    /// Which part of the step's rows these are, where several devices share them.
    pub part: Option<Part>,
}

/// The rows of one device in a step that several share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// The step, counted from 0.
    pub step: usize,
    /// The number of the first row in the whole minibatch.
    pub first: usize,
    /// How much of the minibatch it is.
    pub share: f64,
}

/// The batches of a whole run, handed out epoch by epoch: exactly `steps` of them.
///
/// A batch depends on the seed and the step alone, not on the backend nor on where epochs begin.
#[derive(Clone)]
pub struct TrainLoader {
    rows: Arc<Rows>,
    classes: Option<Arc<Vec<usize>>>,
    seed: u64,
    steps: usize,
    per_epoch: usize,
    done: Arc<AtomicUsize>,
    part: Range<usize>,
    device: Device,
}

impl TrainLoader {
    /// Batches of these rows, their targets rescaled. At most 20 epochs, so that there are about 20 validations whatever the number of steps.
    pub fn new(mut rows: Rows, scaling: Scaling, seed: u64, steps: usize, device: Device) -> Self {
        let per_epoch = steps.div_ceil(20).max(1);
        for target in &mut rows.targets {
            *target = scaling.forward(f64::from(*target)) as f32;
        }
        Self {
            rows: Arc::new(rows),
            classes: None,
            seed,
            steps,
            per_epoch,
            done: Arc::default(),
            part: 0..BATCH,
            device,
        }
    }

    /// With the class of each row.
    pub fn taught(self, classes: Option<Vec<usize>>) -> Self {
        let classes = classes.map(Arc::new);
        Self { classes, ..self }
    }

    /// Begins with another step than the first.
    pub fn starting_at(self, step: usize) -> Self {
        Self {
            done: Arc::new(step.into()),
            ..self
        }
    }

    /// The epoch that a step is in; both count from 0 here.
    pub fn epoch_of(&self, step: usize) -> usize {
        step / self.per_epoch
    }

    /// Epochs in the run; the last one may be shorter.
    pub fn epochs(&self) -> usize {
        self.steps.div_ceil(self.per_epoch)
    }

    fn batch(&self, index: usize) -> Minibatch {
        let chosen = minibatch(self.seed, index, self.rows.targets.len(), BATCH);
        let rows = &chosen[self.part.clone()];
        let mut batch = gather(&self.rows, rows, &self.device);
        batch.classes = self.classes.as_ref().map(|classes| {
            let chosen: Vec<_> = rows.iter().map(|row| classes[*row] as i32).collect();
            Tensor::from_data(TensorData::new(chosen, [rows.len(), 1]), &self.device)
        });
        if rows.len() < BATCH {
            batch.part = Some(Part {
                step: index,
                first: self.part.start,
                share: rows.len() as f64 / BATCH as f64,
            });
        }
        batch
    }
}

/// Puts rows on a device.
pub(crate) fn gather(rows: &Rows, chosen: &[usize], device: &Device) -> Minibatch {
    let chosen = rows.select(chosen.iter().copied());
    let (inputs, targets) = chosen.on(device);
    Minibatch {
        inputs,
        targets,
        classes: None,
        part: None,
    }
}

impl DataLoader<Minibatch> for TrainLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Minibatch> + 'a> {
        let first = self.done.load(Ordering::Relaxed);
        let to_the_next = self.per_epoch - first % self.per_epoch;
        let total = to_the_next.min(self.steps - first);
        Box::new(Epoch {
            loader: self,
            first,
            total,
            taken: 0,
        })
    }

    /// Rows of an epoch: what is divided between devices is each minibatch.
    fn num_items(&self) -> usize {
        self.per_epoch * BATCH
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Minibatch>> {
        Arc::new(Self {
            device: device.clone(),
            ..self.clone()
        })
    }

    /// Of every minibatch the part that these rows are of an epoch.
    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Minibatch>> {
        Arc::new(Self {
            part: start / self.per_epoch..end / self.per_epoch,
            done: Arc::new(self.done.load(Ordering::Relaxed).into()),
            ..self.clone()
        })
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
        // Counted from the beginning of the epoch, which may lie before a run went on.
        let before = self.first % self.loader.per_epoch;
        Progress::new(
            (before + self.taken) * BATCH,
            (before + self.total) * BATCH,
            Some("rows".to_owned()),
        )
    }
}
