//! A whole run: data, Burn's `SupervisedTraining`, evaluation.

use crate::backend::Backend;
use crate::baseline::line_mse;
use crate::curves::{Curves, curve_logger};
use crate::data::{Rows, Task};
use crate::learner::Trainee;
use crate::loader::TrainLoader;
use crate::metrics::{ClassesUsed, Cost, HardError, ReadingMetric};
use crate::network::{Choice, CombinedNetwork, classes_used, mean_squared_error};
use crate::problem::Problem;
use crate::progress::Display;
use crate::recipe::{Decay, Recipe};
use crate::report::Report;
use crate::store::RunConfig;
use crate::strategy::Strategy;
use crate::validation::ValidLoader;
use anyhow::{Context, Result, anyhow, bail};
use burn::grad_clipping::GradientClippingConfig;
use burn::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::Device;
use burn::train::{Learner, SupervisedTraining};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Instant;

/// What to train, and how.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The backend to train on.
    pub backend: Backend,
    /// The strategy to train with.
    pub strategy: Strategy,
    /// The task to train on, unless it is a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// Seed of data, parameters, minibatches and draws.
    pub seed: u64,
    /// Optimiser steps.
    pub steps: usize,
    /// Learning rate, its decay, clipping.
    pub recipe: Recipe,
}

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
    pub test: Rows,
    /// The network's choices for them.
    pub choices: Vec<Choice>,
}

/// Trains on the settings' task and evaluates.
///
/// # Errors
///
/// If the settings name no task, the backend is not available, or it fails under way.
pub fn train(settings: Settings, display: Display) -> Result<Run> {
    let task = settings.task.context("the settings name no task")?;
    train_on(Problem::generated(task, settings.seed), settings, display)
}

/// Trains on a problem and evaluates.
///
/// # Errors
///
/// If the backend is not available, or fails under way.
pub fn train_on(problem: Problem, settings: Settings, display: Display) -> Result<Run> {
    let device = settings.backend.device()?;
    let mut config = RunConfig::new(settings, &problem);
    let (table, data) = (problem.table, problem.splits);
    let seen = |rows| match &table {
        Some(table) => table.standardise(rows),
        None => rows,
    };
    let (train, tested) = (seen(data.train), seen(data.test.clone()));
    let baseline_mse = line_mse(&train, &tested);

    let start = Instant::now();
    let (network, curves) = fit(&config, train, seen(data.valid), &device, display)?;
    let choices = network.choose(&tested, config.scaling, &device)?;
    let seconds = start.elapsed().as_secs_f64();

    // Fewer than asked for if the dashboard's user stopped the run.
    config.settings.steps = curves.cost.len();
    let used = classes_used(
        choices.iter().map(|choice| choice.class),
        config.network.classes,
    );
    let test_mse = mean_squared_error(&choices, &data.test.targets);
    let report = Report::new(&config, seconds, test_mse, baseline_mse, used);
    Ok(Run {
        report,
        curves,
        config,
        network,
        test: data.test,
        choices,
    })
}

fn fit(
    config: &RunConfig,
    train: Rows,
    valid: Rows,
    device: &Device,
    display: Display,
) -> Result<(CombinedNetwork, Curves)> {
    let Settings {
        strategy,
        seed,
        steps,
        recipe,
        ..
    } = config.settings;
    let device = &device.clone().autodiff();
    let trainee = Trainee {
        network: config.network.init(seed, device),
        selector: strategy.selector(seed, steps, device),
        unit: config.scaling.deviation.powi(2),
    };
    let loader = TrainLoader::new(train, config.scaling, seed, steps, device.clone());
    let epochs = loader.epochs();
    let validation = ValidLoader::new(valid, config.scaling, device.clone());
    let (logger, reader) = curve_logger();
    let training = SupervisedTraining::new("", Arc::new(loader), Arc::new(validation))
        .with_application_logger(None)
        .with_metric_logger(logger)
        .metric_train_numeric(ReadingMetric::<Cost>::new())
        .metric_valid_numeric(ReadingMetric::<HardError>::new())
        .metric_valid_numeric(ReadingMetric::<ClassesUsed>::new())
        .num_epochs(epochs)
        .label(&format!("{} on {}", strategy.name(), config.subject()));
    let renderer = display.renderer(training.interrupter());
    let learner = Learner::new(trainee, optimizer(recipe), learning_rate(recipe, steps)?);
    let result = training.renderer(renderer).launch(learner);

    // Gives the terminal back before anything is printed.
    drop(result.renderer);
    if let Some(error) = result.error {
        bail!("training stopped: {error}");
    }
    Ok((result.model.network, reader.finish()))
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
