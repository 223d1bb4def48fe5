//! The report: one HTML page that needs nothing else.

use crate::charts::text::{escape, number};
use crate::compare::charts::{gradients, learning, regions};
use crate::compare::outcome::{Gradient, Outcome};
use crate::compare::plan::{Job, Plan};
use crate::compare::statistics::{Cell, mean};
use crate::compare::tables::rate;
use crate::strategy::names::Strategy;
use crate::training::report::SOLVED;
use anyhow::Result;
use combined_network::task::NOISE_FLOOR;
use std::fmt::Write;

const TEMPLATE: &str = include_str!("report.html");

/// Fills the template.
pub(crate) fn html(plan: &Plan, cells: &[Cell], outcomes: &[(Job, Outcome)]) -> Result<String> {
    let found: Vec<(Strategy, &[Gradient])> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            (Job::Audit(strategy), Outcome::Audit(found)) => Some((*strategy, found.as_slice())),
            _ => None,
        })
        .collect();
    let of_each_task = |draw: &dyn Fn(_) -> Result<String>| -> Result<String> {
        plan.tasks.iter().copied().map(draw).collect()
    };
    let regions = of_each_task(&|task| regions::regions(plan, task, outcomes))?;
    let regions = if regions.is_empty() {
        "<p>No task in this comparison has two inputs; task a has.</p>".to_owned()
    } else {
        format!("<div class=\"maps\">\n{regions}</div>")
    };
    let parts = [
        ("settings", settings(plan)),
        ("baselines", baselines(plan, cells)),
        ("results", results(cells)),
        (
            "learning",
            of_each_task(&|task| learning::learning(plan, task, outcomes))?,
        ),
        ("regions", regions),
        ("gradients", gradients::gradients(&found)?),
        ("audit", audit(&found)),
    ];
    // Every name is replaced once, in what the template says, not in what was put in.
    let mut page = String::new();
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        let part = parts.iter().find(|part| part.0 == name);
        page += before;
        page += part.map_or("", |part| &part.1);
        rest = after;
    }
    Ok(page + rest)
}

fn settings(plan: &Plan) -> String {
    let runs = plan.strategies.len() * plan.tasks.len() * plan.seeds as usize;
    format!(
        "{} strategies on {} tasks with {} seeds: {runs} trainings of {} steps, backend {}.",
        plan.strategies.len(),
        plan.tasks.len(),
        plan.seeds,
        plan.steps,
        plan.backend.name()
    )
}

fn baselines(plan: &Plan, cells: &[Cell]) -> String {
    let of_task = |task: &combined_network::task::Task| {
        let lines = cells.iter().filter(|cell| cell.task == *task);
        let lines: Vec<f64> = lines.map(|cell| cell.mean_baseline_mse).collect();
        format!(
            "{} on task {}",
            figure(mean(&lines)),
            task.name().to_uppercase()
        )
    };
    let lines: Vec<String> = plan.tasks.iter().map(of_task).collect();
    format!(
        "One straight line reaches {}; the noise is {}; solved is below {}.",
        lines.join(", "),
        number(NOISE_FLOOR),
        number(SOLVED)
    )
}

fn results(cells: &[Cell]) -> String {
    let mut rows = String::new();
    for cell in cells {
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{} of {}</td><td>{:.1} of {}</td>\
             <td>{}</td></tr>",
            escape(&cell.strategy.name()),
            cell.task.name().to_uppercase(),
            figure(cell.mean_test_mse),
            figure(cell.standard_error),
            figure(cell.median_test_mse),
            cell.solved,
            cell.seeds,
            cell.mean_classes_used,
            cell.task.network().classes,
            escape(&rate(cell))
        );
    }
    rows
}

fn audit(found: &[(Strategy, &[Gradient])]) -> String {
    let mut rows = String::new();
    for (strategy, gradients) in found {
        for gradient in *gradients {
            let _ = writeln!(
                rows,
                "<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td><td>{}</td><td>{:.1}</td><td>{}</td><td>{}</td>\
                 <td>{:.3}</td><td class=\"text\">{}</td></tr>",
                escape(&strategy.name()),
                escape(&gradient.gate),
                figure(gradient.bias.0),
                gradient.z.0,
                figure(gradient.variance.0),
                figure(gradient.noise.0),
                gradient.cosine.0,
                escape(&gradient.verdict)
            );
        }
    }
    rows
}

/// Four decimals; what they cannot show, in powers of ten.
fn figure(number: f64) -> String {
    if number == 0.0 || (1e-3..1e4).contains(&number.abs()) {
        format!("{number:.4}")
    } else if number.is_finite() {
        format!("{number:.1e}")
    } else {
        "not finite".to_owned()
    }
}
