//! What a job comes to.

use crate::audit::{GATES, one, random_gate};
use crate::compare::plan::{Job, Plan};
use crate::data::choices::choices;
use crate::data::exact::Exact;
use crate::data::problem::Problem;
use crate::data::scaling::Scaling;
use crate::strategy::names::Strategy;
use crate::strategy::recipe::Trial;
use crate::training::display::Display;
use crate::training::plan::Plan as TrainingPlan;
use crate::training::settings::Settings;
use crate::training::trials::train_plan;
use anyhow::Result;
use burn::tensor::Device;
use combined_network::network::CombinedNetwork;
use combined_network::task::{Rows, Task, generate};
use serde::{Deserialize, Serialize};
use std::slice;
use tracing::info_span;

/// Cells along a side of a picture of regions.
pub(crate) const CELLS: usize = 60;
/// The pictures show inputs up to this size.
pub(crate) const EXTENT: f64 = 3.0;
/// The seed whose regions are kept, so that the pictures are of one and the same data.
pub(crate) const PICTURED: u64 = 0;
/// The gates of [`GATES`] that the report shows.
pub(crate) const AUDITED: usize = 3;

/// A finished job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Run(Trained),
    Audit(Vec<Gradient>),
}

/// A training.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trained {
    pub(crate) test_mse: Exact,
    pub(crate) baseline_mse: Exact,
    pub(crate) classes_used: usize,
    /// Step and mean squared error of each validation.
    pub(crate) validation: Vec<(usize, Exact)>,
    /// The class chosen in each cell of the picture, row by row from the top, where a task has two inputs.
    pub(crate) regions: Option<Vec<u8>>,
}

/// What the audit says of a strategy on one gate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gradient {
    pub(crate) gate: String,
    pub(crate) bias: Exact,
    pub(crate) z: Exact,
    pub(crate) variance: Exact,
    pub(crate) noise: Exact,
    pub(crate) cosine: Exact,
    pub(crate) verdict: String,
}

/// Does a job.
pub(crate) fn carry_out(plan: &Plan, job: Job) -> Result<Outcome> {
    match job {
        Job::Run(strategy, task, seed) => trained(plan, strategy, task, seed).map(Outcome::Run),
        Job::Audit(strategy) => audited(plan, strategy).map(Outcome::Audit),
    }
}

fn trained(plan: &Plan, strategy: Strategy, task: Task, seed: u64) -> Result<Trained> {
    let trials = Trial::all(strategy, Some(task));
    let settings = Settings {
        backend: plan.backend,
        strategy,
        task: Some(task),
        seed,
        steps: plan.steps,
        recipe: trials[0].recipe,
    };
    let mut training = TrainingPlan::new(settings, None, plan.steps).trying(trials);
    let problem = Problem::generated(task, seed);
    let device = plan.backend.device()?;
    let devices = slice::from_ref(&device);
    let run = train_plan(&problem, &mut training, devices, Display::Silent, None)?;
    let pictured = task.network().features == 2 && seed == PICTURED;
    let regions = pictured.then(|| regions(&run.network, run.config.scaling, &device));
    let validation = run.curves.validation.iter();
    Ok(Trained {
        test_mse: Exact(run.report.test_mse),
        baseline_mse: Exact(run.report.baseline_mse),
        classes_used: run.report.classes_used,
        validation: validation
            .map(|point| (point.step, Exact(point.mse)))
            .collect(),
        regions: regions.transpose()?,
    })
}

fn audited(plan: &Plan, strategy: Strategy) -> Result<Vec<Gradient>> {
    let _span = info_span!("audit", strategy = strategy.name()).entered();
    let device = plan.backend.device()?.autodiff();
    let report = |&gate| {
        let draws = plan.audit_draws.unwrap_or(2);
        let report = one(&|| random_gate(gate, 0, &device), draws, strategy);
        Gradient {
            gate: report.problem,
            bias: Exact(report.bias_relative),
            z: Exact(report.bias_z),
            variance: Exact(report.variance),
            noise: Exact(report.noise),
            cosine: Exact(report.cosine),
            verdict: report.verdict.to_string().to_lowercase(),
        }
    };
    Ok(GATES[..AUDITED].iter().map(report).collect())
}

/// The chosen class in each cell of the picture.
fn regions(network: &CombinedNetwork, scaling: Scaling, device: &Device) -> Result<Vec<u8>> {
    let rows = Rows {
        features: 2,
        inputs: centres()
            .flat_map(|centre| centre.map(|x| x as f32))
            .collect(),
        targets: Vec::new(),
    };
    let choices = choices(network, &rows, scaling, device)?;
    Ok(choices.iter().map(|choice| choice.class as u8).collect())
}

/// The true regime in each cell of the picture.
pub(crate) fn true_regions(task: Task) -> Vec<u8> {
    let (_, regime_of) = generate(task, PICTURED);
    centres().map(|centre| regime_of(&centre) as u8).collect()
}

/// The middle of each cell, row by row from the top.
fn centres() -> impl Iterator<Item = [f64; 2]> {
    let along = |i: usize| EXTENT * ((2 * i + 1) as f64 / CELLS as f64 - 1.0);
    (0..CELLS * CELLS).map(move |cell| [along(cell % CELLS), -along(cell / CELLS)])
}
