//! Collects what the metrics report into the curves that a run saves.

use crate::training::metrics::{ClassesUsed, Cost, HardError, Reading};
use burn::train::logger::MetricLogger;
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{MetricDefinition, MetricId, MetricName, NumericEntry};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};

/// The course of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Curves {
    /// Training cost of every step.
    pub cost: Vec<f64>,
    /// One entry per validation.
    pub validation: Vec<Validation>,
}

/// One validation.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Validation {
    /// Steps done by then.
    pub step: usize,
    /// Mean squared error of the hard choice.
    pub mse: f64,
    /// Classes chosen in more than 2 % of the rows.
    pub classes_used: usize,
}

enum Event {
    Cost(f64),
    Error(f64),
    Classes(f64),
}

/// A metric logger that sends numbers instead of writing files.
pub struct CurveLogger {
    names: HashMap<MetricId, MetricName>,
    sender: Sender<Event>,
}

/// The other end of a [`CurveLogger`].
pub struct CurveReader {
    receiver: Receiver<Event>,
    curves: Curves,
    /// Devices that report a share of each step's cost.
    devices: usize,
    /// Shares reported of the step under way, and their sum.
    shares: (usize, f64),
}

/// A logger, and its reader, which continues the curves so far of a training on so many devices.
pub fn curve_logger(curves: Curves, devices: usize) -> (CurveLogger, CurveReader) {
    let (sender, receiver) = channel();
    (
        CurveLogger {
            names: HashMap::new(),
            sender,
        },
        CurveReader {
            receiver,
            curves,
            devices,
            shares: (0, 0.0),
        },
    )
}

impl CurveReader {
    /// All that the logger has seen by now.
    pub fn so_far(&mut self) -> &Curves {
        while let Ok(event) = self.receiver.try_recv() {
            self.add(event);
        }
        &self.curves
    }

    /// Waits until the logger is dropped, which the end of a training does, and returns all that it saw.
    pub fn finish(&mut self) -> Curves {
        while let Ok(event) = self.receiver.recv() {
            self.add(event);
        }
        std::mem::take(&mut self.curves)
    }

    fn add(&mut self, event: Event) {
        let curves = &mut self.curves;
        match event {
            Event::Cost(share) => {
                let (reported, sum) = self.shares;
                self.shares = (reported + 1, sum + share);
                if self.shares.0 == self.devices {
                    curves.cost.push(self.shares.1);
                    self.shares = (0, 0.0);
                }
            }
            Event::Error(mse) => curves.validation.push(Validation {
                step: curves.cost.len(),
                mse,
                classes_used: 0,
            }),
            Event::Classes(classes) => {
                if let Some(last) = curves.validation.last_mut() {
                    last.classes_used = classes as usize;
                }
            }
        }
    }
}

impl MetricLogger for CurveLogger {
    fn log(&mut self, update: MetricsUpdate, _epoch: usize, _split: &Split) {
        for metric in update.entries_numeric {
            let value = match metric.numeric_entry {
                Some(NumericEntry::Final(_)) | None => continue,
                Some(entry) => entry.current(),
            };
            let event = match self
                .names
                .get(&metric.entry.metric_id)
                .map(|name| name.as_str())
            {
                Some(Cost::NAME) => Event::Cost(value),
                Some(HardError::NAME) => Event::Error(value),
                Some(ClassesUsed::NAME) => Event::Classes(value),
                _ => continue,
            };
            // A reader that is gone does not want the numbers.
            let _ = self.sender.send(event);
        }
    }

    fn read_numeric(&mut self, _: &str, _: usize, _: &Split) -> Result<Vec<NumericEntry>, String> {
        Ok(Vec::new())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.names.insert(definition.metric_id, definition.name);
    }

    fn log_epoch_summary(&mut self, _: EpochSummary) {}
}
