//! A whole run: data, Burn's `SupervisedTraining`, evaluation.
//!
//! A run can be interrupted and go on from a checkpoint, to the same bits as without the interruption: the checkpoint has
//! parameters, Adam's moments, the learning rate's step and the curves; the selector's schedules and draws and the minibatches
//! follow from the seed and the step.

use crate::data::choices::{Choice, choices, classes_used, mean_squared_error};
use crate::data::line::line_mse;
use crate::data::oracle;
use crate::data::problem::Problem;
use crate::data::random;
use crate::data::samples::Samples;
use crate::data::scaling::Scaling;
use crate::models::finite::not_finite;
use crate::strategy::names::Strategy;
use crate::strategy::recipe::{Decay, Keep, Recipe};
use crate::training::checkpoint::{Checkpoints, State};
use crate::training::curves::{Curves, curve_logger};
use crate::training::display::Display;
use crate::training::diverged::Diverged;
use crate::training::kept::{Kept, Validated};
use crate::training::learner::Trainee;
use crate::training::metrics::{ClassesUsed, Cost, HardError, ReadingMetric};
use crate::training::minibatches::TrainLoader;
use crate::training::report::Report;
use crate::training::settings::{RunConfig, Settings};
use crate::training::stepwise::{Saving, Stepwise};
use crate::training::validation::ValidLoader;
use anyhow::{Context, Result, anyhow, bail};
use burn::grad_clipping::GradientClippingConfig;
use burn::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::Module;
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::Device;
use burn::train::{
    ExecutionStrategy, Learner, MultiDeviceOptim, SupervisedTraining, TrainingStrategy,
};
use combined_network::network::CombinedNetwork;
use combined_network::task::Rows;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tracing::info_span;

/// A trained network with all that is known about its training.
#[derive(Debug)]
pub struct Run {
    /// The figures.
    pub report: Report,
    /// Training cost and validations.
    pub curves: Curves,
    /// What has been trained, and how.
    pub config: RunConfig,
    /// The trained network.
    pub network: CombinedNetwork,
    /// The test rows, in their own units.
    pub test: Samples,
    /// The network's choices for them.
    pub choices: Vec<Choice>,
}

impl Run {
    /// Whether there is a network that gives numbers, and a training that did to the end.
    pub fn check(&self) -> Result<(), Diverged> {
        let Curves { cost, validation } = &self.curves;
        let lost = |number: Option<f64>| number.is_some_and(|number| !number.is_finite());
        let what = if let Some(name) = not_finite(&self.network) {
            format!("the parameter {name} is not finite")
        } else if lost(cost.last().copied()) {
            "the last cost is not finite".to_owned()
        } else if lost(validation.last().map(|point| point.mse)) {
            "the last validation MSE is not finite".to_owned()
        } else if lost(Some(self.report.test_mse)) {
            "the test MSE is not finite".to_owned()
        } else {
            return Ok(());
        };
        let first = cost.iter().position(|cost| !cost.is_finite());
        let step = first.map(|index| index + 1);
        Err(Diverged { what, step })
    }
}

/// Trains on the settings' task and evaluates.
pub fn train(settings: Settings, display: Display) -> Result<Run> {
    let task = settings.task.context("the settings name no task")?;
    let problem = Problem::generated(task, settings.seed);
    let device = settings.backend.device()?;
    train_on(problem, settings, &[device], display, None)
}

/// Trains on a problem and evaluates, from the last of these checkpoints if there is one, and saves more of them under way.
/// Several devices share each minibatch, save no checkpoints and keep the last network.
///
/// # Panics
///
/// If there is no device.
pub fn train_on(
    problem: Problem,
    settings: Settings,
    devices: &[Device],
    display: Display,
    checkpoints: Option<&Checkpoints>,
) -> Result<Run> {
    let mut config = RunConfig::new(settings, &problem);
    if devices.len() > 1 {
        config.settings.recipe.keep = Keep::Last;
    }
    let span = info_span!(
        "train",
        strategy = settings.strategy.name(),
        subject = config.subject(),
        seed = settings.seed,
    );
    let _span = span.entered();
    let data = problem.splits;
    let [train, valid, tested] =
        [&data.train, &data.valid, &data.test].map(|samples| config.rescaled(samples));
    let classes = match (settings.strategy, &problem.regimes) {
        (Strategy::Oracle, None) => {
            bail!("the oracle needs a task: of a table nobody knows the regimes")
        }
        (Strategy::Oracle, Some(regimes)) => {
            Some(oracle::classes(&train, regimes, config.network.classes))
        }
        _ => None,
    };
    let baseline_mse = line_mse(&train, &tested) * config.scaling.deviation.powi(2);

    let state = match checkpoints {
        Some(checkpoints) => checkpoints.latest()?,
        None => None,
    };
    let before = state.as_ref().map_or(0.0, |state| state.seconds);
    let fit = Fit {
        config: &config,
        devices,
        display,
        checkpoints,
        start: Instant::now(),
        before,
    };
    let (network, curves, kept) = fit.run(train, classes, valid, state)?;
    let evaluation = info_span!("evaluation").entered();
    let choices = choices(&network, &tested, config.scaling, &devices[0])?;
    drop(evaluation);
    let seconds = before + fit.start.elapsed().as_secs_f64();

    // Fewer than asked for if the dashboard's user stopped the run.
    config.settings.steps = curves.cost.len();
    let used = classes_used(
        choices.iter().map(|choice| choice.class),
        config.network.classes,
    );
    let test_mse = mean_squared_error(&choices, &data.test.targets);
    let kept = match kept {
        Some(Validated { step, mse }) => (step, mse.0 * config.scaling.deviation.powi(2)),
        None => {
            let last = curves.validation.last();
            (curves.cost.len(), last.map_or(f64::NAN, |point| point.mse))
        }
    };
    let report = Report::new(&config, seconds, test_mse, baseline_mse, used, kept);
    Ok(Run {
        report,
        curves,
        config,
        network,
        test: data.test,
        choices,
    })
}

struct Fit<'a> {
    config: &'a RunConfig,
    devices: &'a [Device],
    display: Display,
    checkpoints: Option<&'a Checkpoints>,
    start: Instant,
    /// Seconds of the run before `start`.
    before: f64,
}

impl Fit<'_> {
    fn run(
        &self,
        train: Rows,
        classes: Option<Vec<usize>>,
        valid: Rows,
        state: Option<State>,
    ) -> Result<(CombinedNetwork, Curves, Option<Validated>)> {
        let Settings {
            strategy,
            seed,
            steps,
            recipe,
            ..
        } = self.config.settings;
        let device = &self.devices[0].clone().autodiff();
        let first_step = state.as_ref().map_or(0, |state| state.step);
        let loader = TrainLoader::new(train, Scaling::IDENTITY, seed, steps, device.clone())
            .taught(classes)
            .starting_at(first_step);
        let (epochs, first_epoch) = (loader.epochs(), loader.epoch_of(first_step));
        let rows = valid.targets.len();
        let validation = ValidLoader::new(valid, device.clone());
        let (learner, curves, kept) = self.learner(recipe, state, rows, device)?;
        let kept = (recipe.keep == Keep::Best).then(|| Arc::new(Mutex::new(kept)));
        let (logger, reader) = curve_logger(curves, self.devices.len());
        let reader = Arc::new(Mutex::new(reader));
        let mut training = SupervisedTraining::new("", Arc::new(loader), Arc::new(validation))
            .with_application_logger(None)
            .with_metric_logger(logger)
            .metric_train_numeric(ReadingMetric::<Cost>::new())
            .metric_valid_numeric(ReadingMetric::<HardError>::new())
            .metric_valid_numeric(ReadingMetric::<ClassesUsed>::new())
            .num_epochs(epochs)
            .label(&format!("{} on {}", strategy.name(), self.config.subject()));
        let strategy: TrainingStrategy<Trainee> = if self.devices.len() > 1 {
            let devices = self.devices.iter().map(|device| device.clone().autodiff());
            ExecutionStrategy::multi(devices.collect(), MultiDeviceOptim::OptimMainDevice).into()
        } else {
            if let Some(checkpoints) = self.checkpoints {
                training = checkpoints.attach(training);
            }
            TrainingStrategy::Custom(Arc::new(Stepwise {
                device: device.clone(),
                first_step,
                first_epoch,
                kept: kept.clone(),
                saving: self.checkpoints.map(|checkpoints| Saving {
                    checkpoints: checkpoints.clone(),
                    reader: reader.clone(),
                    start: self.start,
                    seconds: self.before,
                }),
            }))
        };
        let renderer =
            self.display
                .renderer(training.interrupter(), self.devices.len(), first_step);
        let result = training
            .with_training_strategy(strategy)
            .renderer(renderer)
            .launch(learner);

        // Gives the terminal back before anything is printed.
        drop(result.renderer);
        if let Some(error) = result.error {
            bail!("training stopped: {error}");
        }
        let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut network = result.model.network;
        let mut validated = None;
        if let Some(kept) = kept {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((best, when)) = kept.network.take() {
                (network, validated) = (best, Some(when));
            }
        }
        Ok((network, reader.finish(), validated))
    }

    /// The network, its optimiser and the learning rate, at the beginning or as they were, with the curves so far and the network
    /// kept so far, of so many validated rows.
    fn learner(
        &self,
        recipe: Recipe,
        state: Option<State>,
        rows: usize,
        device: &Device,
    ) -> Result<(Learner<Trainee>, Curves, Kept)> {
        let RunConfig {
            settings,
            network,
            scaling,
            ..
        } = self.config;
        let trainee = Trainee {
            network: random::network(*network, settings.seed, device),
            trainer: settings
                .strategy
                .trainer(settings.seed, settings.steps, device),
            unit: scaling.deviation.powi(2),
        };
        let (optimizer, rate) = (optimizer(recipe), learning_rate(recipe, settings.steps)?);
        let Some(state) = state else {
            let learner = Learner::new(trainee, optimizer, rate);
            return Ok((learner, Curves::default(), Kept::default()));
        };
        let trainee = trainee
            .try_load_record(state.model)
            .context("the checkpoint holds another network")?;
        trainee.trainer.resume(state.step);
        let mut learner = Learner::new(trainee, optimizer, rate);
        learner.load_optim(state.optimizer);
        learner.load_scheduler(state.schedule);
        let kept = match state.kept {
            Some(kept) => Kept::restore(kept, *network, rows, &device.clone().inner())?,
            None => Kept::default(),
        };
        Ok((learner, state.curves, kept))
    }
}

/// Adam with PyTorch's epsilon: Burn's default of 1e-5 would slow a classifier whose gradients have become small.
fn optimizer(recipe: Recipe) -> ModuleOptimizer {
    let clipping = recipe
        .clip
        .map(|norm| GradientClippingConfig::Norm(norm as f32));
    AdamConfig::new()
        .with_epsilon(1e-8)
        .with_grad_clipping(clipping)
        .init()
}

fn learning_rate(recipe: Recipe, steps: usize) -> Result<ModuleLrScheduler> {
    let rate = recipe.learning_rate;
    match recipe.decay {
        Decay::Constant => Ok(rate.into()),
        Decay::Cosine => {
            let cosine = CosineAnnealingLrSchedulerConfig::new(rate, steps);
            cosine
                .init()
                .map_err(|error| anyhow!("learning rate {rate}: {error}"))
        }
    }
}
