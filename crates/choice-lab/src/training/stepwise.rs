//! The training loop.

use crate::training::checkpoint::Checkpoints;
use crate::training::curves::CurveReader;
use crate::training::kept::Kept;
use crate::training::learner::Trainee;
use crate::training::metrics::{Cost, Reading};
use burn::module::Module;
use burn::tensor::Device;
use burn::train::checkpoint::CheckpointerError;
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
use burn::train::{
    EventProcessorTraining, InferenceStep, Learner, LearnerEvent, SupervisedLearningStrategy,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents, TrainingItem, ValidLoader,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tracing::{debug_span, info_span};

/// Burn's loop for one device, which can save a checkpoint at any step: Burn's own does so at the end of an epoch, and an epoch
/// here is a twentieth of the run, however long that is.
pub(crate) struct Stepwise {
    pub(crate) device: Device,
    /// Steps done before.
    pub(crate) first_step: usize,
    /// Epochs done before.
    pub(crate) first_epoch: usize,
    pub(crate) saving: Option<Saving>,
    /// The network to keep, if it is not simply the last.
    pub(crate) kept: Option<Arc<Mutex<Kept>>>,
}

/// What a checkpoint holds beside Burn's records.
pub(crate) struct Saving {
    pub(crate) checkpoints: Checkpoints,
    pub(crate) reader: Arc<Mutex<CurveReader>>,
    pub(crate) start: Instant,
    /// Seconds spent before `start`.
    pub(crate) seconds: f64,
}

impl SupervisedLearningStrategy<Trainee> for Stepwise {
    fn fit(
        &self,
        components: TrainingComponents<Trainee>,
        mut learner: Learner<Trainee>,
        train: TrainLoader<Trainee>,
        valid: ValidLoader<Trainee>,
        _starting_epoch: usize,
    ) -> (Trainee, SupervisedTrainingEventProcessor<Trainee>) {
        learner.fork(&self.device);
        let train = train.to_device(&self.device);
        let valid = valid.to_device(&self.device.clone().inner());
        let epochs = self.first_epoch + 1..=components.num_epochs;
        let mut training = Training {
            components,
            learner,
            step: self.first_step,
        };
        if self.first_epoch > 0 {
            // What Burn has said of the beginning is not so of a run that goes on.
            let start = LearnerEvent::Start {
                total_epochs: training.components.num_epochs,
                starting_epoch: self.first_epoch + 1,
                label: training.components.label.clone(),
            };
            training.train_event(start);
        }
        for epoch in epochs {
            self.epoch(&mut training, epoch, &train);
            if training.should_stop() {
                break;
            }
            training.validate(epoch, &valid, self.kept.as_deref());
            if training.should_stop() {
                break;
            }
        }
        (
            training.learner.model(),
            training.components.event_processor,
        )
    }
}

impl Stepwise {
    fn epoch(&self, training: &mut Training, epoch: usize, train: &TrainLoader<Trainee>) {
        let _span = info_span!("steps", first = training.step, epoch).entered();
        training.train_event(LearnerEvent::StartSplit {
            epoch_number: epoch,
            total_items: train.num_items(),
        });
        let mut batches = train.iter();
        while let Some(batch) = batches.next() {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => {
                    training.components.interrupter.fail(error);
                    break;
                }
            };
            if let Some(saving) = &self.saving
                && training.step > self.first_step
                && training.step.is_multiple_of(saving.checkpoints.every)
            {
                training.save(saving, self);
            }
            let _span = debug_span!("step", step = training.step).entered();
            let learner = &mut training.learner;
            let output = learner.train_step(batch);
            learner.lr_step();
            learner.optimizer_step(output.grads);
            training.step += 1;
            let rate = Some(learner.lr_current());
            let progress = batches.progress();
            let item = TrainingItem::new(output.item, progress, Some(training.step), rate);
            training.train_event(LearnerEvent::ProcessedItem(item));
            if training.should_stop() {
                break;
            }
        }
        training.train_event(LearnerEvent::EndSplit(epoch));
    }
}

/// A training under way.
struct Training {
    components: TrainingComponents<Trainee>,
    learner: Learner<Trainee>,
    step: usize,
}

type TrainEvent = LearnerEvent<<Trainee as burn::train::TrainStep>::Output>;
type ValidEvent = LearnerEvent<<Trainee as InferenceStep>::Output>;

impl Training {
    fn train_event(&mut self, event: TrainEvent) {
        let processed = self.components.event_processor.process_train(event);
        self.components.interrupter.fail_on_error(processed);
    }

    fn valid_event(&mut self, event: ValidEvent) {
        let processed = self.components.event_processor.process_valid(event);
        self.components.interrupter.fail_on_error(processed);
    }

    fn should_stop(&self) -> bool {
        self.components.interrupter.should_stop()
    }

    fn validate(&mut self, epoch: usize, valid: &ValidLoader<Trainee>, kept: Option<&Mutex<Kept>>) {
        let _span = info_span!("validation", step = self.step).entered();
        self.valid_event(LearnerEvent::StartSplit {
            epoch_number: epoch,
            total_items: valid.num_items(),
        });
        let model = self.learner.model().valid();
        let mut batches = valid.iter();
        while let Some(batch) = batches.next() {
            match batch {
                Ok(batch) => {
                    let output = InferenceStep::step(&model, batch);
                    // The metric that reads them too reports what goes wrong.
                    if let (Some(kept), Ok(errors)) = (kept, output.errors()) {
                        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                        kept.offer(self.step, errors, || model.network.clone());
                    }
                    let item = TrainingItem::new(output, batches.progress(), Some(self.step), None);
                    self.valid_event(LearnerEvent::ProcessedItem(item));
                }
                Err(error) => {
                    self.components.interrupter.fail(error);
                    break;
                }
            }
        }
        self.valid_event(LearnerEvent::EndSplit(epoch));
        self.train_event(LearnerEvent::EndEpoch(epoch));
    }

    fn save(&mut self, saving: &Saving, whole: &Stepwise) {
        let _span = info_span!("checkpoint", step = self.step).entered();
        let TrainingComponents {
            event_processor,
            checkpointer,
            interrupter,
            event_store,
            ..
        } = &mut self.components;
        interrupter.fail_on_error(event_processor.flush());
        if let Some(checkpointer) = checkpointer {
            // Folds the last update of a moving average in, which a record leaves out.
            drop(self.learner.model().valid());
            checkpointer.checkpoint(&self.learner, self.step, event_store);
            interrupter.fail_on_error(saving.progress(event_store, whole));
        }
    }
}

impl Saving {
    fn progress(
        &self,
        store: &EventStoreClient,
        whole: &Stepwise,
    ) -> Result<(), CheckpointerError> {
        // The store answers once it has logged all that came before.
        store.find_metric(Cost::NAME, 1, Aggregate::Mean, &Split::Train);
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = self.seconds + self.start.elapsed().as_secs_f64();
        let kept = whole
            .kept
            .as_ref()
            .map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let device = whole.device.clone().inner();
        self.checkpoints
            .finish(seconds, reader.so_far(), &kept.unwrap_or_default(), &device)
    }
}
