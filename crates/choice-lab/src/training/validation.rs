//! The loader to validate from: the whole split as one batch.

use crate::training::minibatches::{Minibatch, gather};
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use combined_network::task::Rows;
use std::sync::Arc;

/// A whole split as one batch.
#[derive(Clone)]
pub struct ValidLoader {
    rows: Arc<Rows>,
    device: Device,
}

impl ValidLoader {
    /// The rows of a validation split.
    pub fn new(rows: Rows, device: Device) -> Self {
        Self {
            rows: Arc::new(rows),
            device,
        }
    }
}

impl DataLoader<Minibatch> for ValidLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Minibatch> + 'a> {
        let all: Vec<usize> = (0..self.rows.targets.len()).collect();
        let batch = gather(&self.rows, &all, &self.device);
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
