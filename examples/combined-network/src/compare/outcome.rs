//! What a job comes to.

use super::plan::{Job, Plan};
use crate::audit::{GATES, one, random_gate};
use crate::data::{Task, generate_with_regimes};
use crate::exact::Exact;
use crate::network::CombinedNetwork;
use crate::progress::Display;
use crate::recipe::Recipe;
use crate::scaling::Scaling;
use crate::strategy::Strategy;
use crate::training::{Settings, train};
use anyhow::Result;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use tracing::info_span;

/// Cells along a side of a picture of regions.
pub(super) const CELLS: usize = 60;
/// The pictures show inputs up to this size.
pub(super) const EXTENT: f64 = 3.0;
/// The seed whose regions are kept, so that the pictures are of one and the same data.
pub(super) const PICTURED: u64 = 0;
/// The gates of [`GATES`] that the report shows.
pub(super) const AUDITED: usize = 3;

/// A finished job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Run(Trained),
    Audit(Vec<Gradient>),
}

/// A training.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trained {
    pub(super) test_mse: Exact,
    pub(super) baseline_mse: Exact,
    pub(super) classes_used: usize,
    /// Step and mean squared error of each validation.
    pub(super) validation: Vec<(usize, Exact)>,
    /// The class chosen in each cell of the picture, row by row from the top, where a task has two inputs.
    pub(super) regions: Option<Vec<u8>>,
}

/// What the audit says of a strategy on one gate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gradient {
    pub(super) gate: String,
    pub(super) bias: Exact,
    pub(super) z: Exact,
    pub(super) variance: Exact,
    pub(super) noise: Exact,
    pub(super) cosine: Exact,
    pub(super) verdict: String,
}

/// Does a job.
pub(super) fn carry_out(plan: &Plan, job: Job) -> Result<Outcome> {
    match job {
        Job::Run(strategy, task, seed) => trained(plan, strategy, task, seed).map(Outcome::Run),
        Job::Audit(strategy) => audited(plan, strategy).map(Outcome::Audit),
    }
}

fn trained(plan: &Plan, strategy: Strategy, task: Task, seed: u64) -> Result<Trained> {
    let settings = Settings {
        backend: plan.backend,
        strategy,
        task: Some(task),
        seed,
        steps: plan.steps,
        recipe: Recipe::new(strategy, task),
    };
    let run = train(settings, Display::Silent)?;
    let pictured = task.features() == 2 && seed == PICTURED;
    let device = plan.backend.device()?;
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
        let problem = random_gate(gate, 0, &device).with_draws(draws);
        let report = one(&problem.with_seed(0), strategy);
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
    let rows = crate::data::Rows {
        features: 2,
        inputs: centres()
            .flat_map(|centre| centre.map(|x| x as f32))
            .collect(),
        targets: Vec::new(),
    };
    let choices = network.choose(&rows, scaling, device)?;
    Ok(choices.iter().map(|choice| choice.class as u8).collect())
}

/// The true regime in each cell of the picture.
pub(super) fn true_regions(task: Task) -> Vec<u8> {
    let (_, regimes) = generate_with_regimes(task, PICTURED);
    centres().map(|centre| regimes.of(&centre) as u8).collect()
}

/// The middle of each cell, row by row from the top.
fn centres() -> impl Iterator<Item = [f64; 2]> {
    let along = |i: usize| EXTENT * ((2 * i + 1) as f64 / CELLS as f64 - 1.0);
    (0..CELLS * CELLS).map(move |cell| [along(cell % CELLS), -along(cell / CELLS)])
}
