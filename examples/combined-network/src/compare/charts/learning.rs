//! Learning curves: validation error against steps, median and quartiles over the seeds.

use super::{COLOURS, figure};
use crate::compare::outcome::Outcome;
use crate::compare::plan::{Job, Plan};
use crate::compare::statistics::{quantile, runs_of};
use crate::compare::svg::{Frame, Scale, path};
use crate::data::{NOISE_FLOOR, Task};
use crate::report::SOLVED;
use crate::strategy::Strategy;
use std::fmt::Write;

/// Dashes that tell lines apart without their colours.
const DASHES: [&str; COLOURS] = ["none", "7 3", "2 2", "10 3 2 3", "5 5", "12 4"];

struct Curve {
    strategy: Strategy,
    /// Step, lower quartile, median, upper quartile.
    points: Vec<(usize, [f64; 3])>,
}

/// The pictures of a task, six strategies in each, all on the same axes.
pub(in super::super) fn learning(plan: &Plan, task: Task, outcomes: &[(Job, Outcome)]) -> String {
    let strategies = plan.strategies.iter();
    let curves: Vec<Curve> = strategies
        .map(|&strategy| curve(strategy, task, outcomes))
        .collect();
    let all = curves.iter().flat_map(|curve| &curve.points);
    let errors: Vec<f64> = all
        .flat_map(|(_, quartiles)| *quartiles)
        .filter(|error| error.is_finite() && *error > 0.0)
        .collect();
    let highest = errors.iter().copied().fold(SOLVED, f64::max);
    let frame = Frame {
        width: 440.0,
        height: 300.0,
        x: Scale {
            from: 0.0,
            to: plan.steps as f64,
            place: (58.0, 426.0),
            log: false,
        },
        y: Scale {
            from: 0.8 * NOISE_FLOOR,
            to: 1.2 * highest,
            place: (256.0, 10.0),
            log: true,
        },
    };
    let parts = curves.chunks(COLOURS);
    let count = parts.len();
    parts
        .enumerate()
        .map(|(part, curves)| {
            let which = if count > 1 {
                format!(", part {} of {count}", part + 1)
            } else {
                String::new()
            };
            picture(&frame, task, &which, curves)
        })
        .collect()
}

fn curve(strategy: Strategy, task: Task, outcomes: &[(Job, Outcome)]) -> Curve {
    let runs: Vec<_> = runs_of(outcomes, strategy, task)
        .map(|(_, run)| run)
        .collect();
    let count = runs
        .iter()
        .map(|run| run.validation.len())
        .min()
        .unwrap_or(0);
    let point = |i: usize| {
        let errors: Vec<f64> = runs.iter().map(|run| run.validation[i].1.0).collect();
        let quartiles = [0.25, 0.5, 0.75].map(|share| quantile(&errors, share));
        (runs[0].validation[i].0, quartiles)
    };
    Curve {
        strategy,
        points: (0..count).map(point).collect(),
    }
}

fn picture(frame: &Frame, task: Task, which: &str, curves: &[Curve]) -> String {
    let title = format!(
        "Learning curves on task {}{which}",
        task.name().to_uppercase()
    );
    let names: Vec<_> = curves.iter().map(|curve| curve.strategy.name()).collect();
    let description = format!(
        "Validation error on a logarithmic scale against optimiser steps, median and quartiles over the seeds, of {}.",
        names.join(", ")
    );
    let mut svg = frame.open("chart", &title, &description);
    svg += &frame.horizontal("optimiser steps");
    svg += &frame.vertical("validation MSE");
    for (error, name) in [(NOISE_FLOOR, "noise"), (SOLVED, "solved")] {
        let y = frame.y.at(error);
        let (left, right) = frame.x.place;
        let _ = write!(
            svg,
            "<line class=\"mark\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"note\" x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
            y - 4.0
        );
    }
    let mut legend = Vec::new();
    let place = |step: usize, error: f64| (frame.x.at(step as f64), frame.y.at(error));
    let finite = |curve: &Curve| {
        let points = curve.points.iter().copied();
        points
            .filter(|(_, quartiles)| quartiles.iter().all(|error| error.is_finite()))
            .collect::<Vec<_>>()
    };
    for (i, curve) in curves.iter().enumerate() {
        let points = finite(curve);
        let lower = points.iter().map(|(step, [low, ..])| place(*step, *low));
        let upper = points
            .iter()
            .rev()
            .map(|(step, [.., high])| place(*step, *high));
        let band = path(lower.chain(upper));
        let _ = writeln!(svg, "<path class=\"band f{i}\" d=\"{band}Z\"/>");
    }
    for (i, curve) in curves.iter().enumerate() {
        let points = finite(curve);
        let median = path(
            points
                .iter()
                .map(|(step, [_, median, _])| place(*step, *median)),
        );
        let dashes = DASHES[i];
        let _ = writeln!(
            svg,
            "<path class=\"line s{i}\" stroke-dasharray=\"{dashes}\" d=\"{median}\"/>"
        );
        let mark = format!(
            "<svg class=\"key\" viewBox=\"0 0 34 10\" aria-hidden=\"true\">\
             <path class=\"line s{i}\" stroke-dasharray=\"{dashes}\" d=\"M0 5H34\"/></svg>"
        );
        legend.push((mark, curve.strategy.name()));
    }
    svg += "</svg>\n";
    figure(&svg, &title, &legend)
}
