//! The results as text: Markdown to print, CSV and JSON to keep.

use crate::compare::outcome::{Gradient, Outcome};
use crate::compare::plan::{Job, Plan};
use crate::compare::statistics::Cell;
use crate::training::report::SOLVED;
use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write;

/// One row for each strategy: mean ± standard error, seeds solved, learning rate.
pub(crate) fn markdown(plan: &Plan, cells: &[Cell]) -> String {
    let heads: Vec<_> = plan
        .tasks
        .iter()
        .map(|task| task.name().to_uppercase())
        .collect();
    let mut text = format!("| strategy | {} |\n", heads.join(" | "));
    let _ = writeln!(text, "|---{}|", "|---".repeat(heads.len()));
    for row in cells.chunks(heads.len()) {
        let _ = write!(text, "| `{}` ", row[0].strategy.name());
        for cell in row {
            let (mean, error) = (cell.mean_test_mse, cell.standard_error);
            let _ = write!(
                text,
                "| {mean:.4} ± {error:.4} · {} · {} ",
                cell.solved,
                rate(cell)
            );
        }
        text.push_str("|\n");
    }
    text
}

/// The learning rate in words.
pub(crate) fn rate(cell: &Cell) -> String {
    let chosen = || "by validation".to_owned();
    cell.learning_rate
        .map_or_else(chosen, |rate| rate.to_string())
}

/// One row for each training.
pub(crate) fn csv(plan: &Plan, outcomes: &[(Job, Outcome)]) -> Result<String> {
    #[derive(Serialize)]
    struct Row {
        strategy: String,
        task: &'static str,
        seed: u64,
        steps: usize,
        test_mse: f64,
        baseline_mse: f64,
        classes_used: usize,
        solved: bool,
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    for outcome in outcomes {
        if let (Job::Run(strategy, task, seed), Outcome::Run(run)) = outcome {
            writer.serialize(Row {
                strategy: strategy.name(),
                task: task.name(),
                seed: *seed,
                steps: plan.steps,
                test_mse: run.test_mse.0,
                baseline_mse: run.baseline_mse.0,
                classes_used: run.classes_used,
                solved: run.test_mse.0 < SOLVED,
            })?;
        }
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// The plan, the cells, every training's validations and the gradients.
pub(crate) fn json(plan: &Plan, cells: &[Cell], outcomes: &[(Job, Outcome)]) -> Result<String> {
    let (mut runs, mut gradients) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            (Job::Run(strategy, task, seed), Outcome::Run(run)) => {
                let point = |(step, mse): &(usize, crate::data::exact::Exact)| json!({"step": step, "mse": mse.0});
                runs.push(json!({
                    "strategy": strategy.name(),
                    "task": task.name(),
                    "seed": seed,
                    "test_mse": run.test_mse.0,
                    "baseline_mse": run.baseline_mse.0,
                    "classes_used": run.classes_used,
                    "validation": run.validation.iter().map(point).collect::<Vec<_>>(),
                }));
            }
            (Job::Audit(strategy), Outcome::Audit(found)) => {
                gradients.extend(found.iter().map(|found| gradient(&strategy.name(), found)));
            }
            _ => {}
        }
    }
    let all = json!({"plan": plan, "cells": cells, "runs": runs, "gradients": gradients});
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

fn gradient(strategy: &str, found: &Gradient) -> Value {
    json!({
        "strategy": strategy,
        "gate": found.gate,
        "bias_relative": found.bias.0,
        "bias_z": found.z.0,
        "variance": found.variance.0,
        "noise": found.noise.0,
        "cosine": found.cosine.0,
        "verdict": found.verdict,
    })
}
