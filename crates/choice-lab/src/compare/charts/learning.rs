//! Learning curves: validation error against steps, median and quartiles over the seeds.

use crate::charts::axis::Axis;
use crate::charts::plot::{Axes, INK, ZOOM, failed, font, inline, stroke};
use crate::charts::text::number;
use crate::compare::charts::figure::{COLOURS, figure, key};
use crate::compare::outcome::Outcome;
use crate::compare::plan::{Job, Plan};
use crate::compare::statistics::{quantile, runs_of};
use crate::strategy::names::Strategy;
use crate::training::report::SOLVED;
use anyhow::Result;
use combined_network::task::{NOISE_FLOOR, Task};
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Dash and gap, the first dash longer than any line, that tell lines apart without their colours.
const DASHES: [(u32, u32); COLOURS.len()] = [(9999, 1), (8, 4), (2, 2), (12, 3), (5, 5), (16, 6)];

struct Curve {
    strategy: Strategy,
    /// Step, lower quartile, median, upper quartile.
    points: Vec<(f64, [f64; 3])>,
}

/// The pictures of a task, six strategies in each, all on the same axes.
pub(crate) fn learning(plan: &Plan, task: Task, outcomes: &[(Job, Outcome)]) -> Result<String> {
    let strategies = plan.strategies.iter();
    let curves: Vec<Curve> = strategies
        .map(|&strategy| curve(strategy, task, outcomes))
        .collect();
    let all = curves.iter().flat_map(|curve| &curve.points);
    let highest = all
        .flat_map(|(_, quartiles)| *quartiles)
        .fold(SOLVED, f64::max);
    let errors = Axis::logarithmic(0.8 * NOISE_FLOOR..1.2 * highest);
    let parts = curves.chunks(COLOURS.len());
    let count = parts.len();
    parts
        .enumerate()
        .map(|(part, curves)| {
            let which = if count > 1 {
                format!(", part {} of {count}", part + 1)
            } else {
                String::new()
            };
            let title = format!(
                "Learning curves on task {}{which}",
                task.name().to_uppercase()
            );
            picture(&title, plan.steps as f64, &errors, curves)
        })
        .collect()
}

/// The quartiles at each validation, as far as they are finite.
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
        (runs[0].validation[i].0 as f64, quartiles)
    };
    let points = (0..count).map(point);
    let finite = |(_, quartiles): &(f64, [f64; 3])| quartiles.iter().all(|error| error.is_finite());
    Curve {
        strategy,
        points: points.filter(finite).collect(),
    }
}

fn picture(title: &str, steps: f64, errors: &Axis, curves: &[Curve]) -> Result<String> {
    let names: Vec<_> = curves.iter().map(|curve| curve.strategy.name()).collect();
    let description = format!(
        "Validation error on a logarithmic scale against optimiser steps, median and quartiles over the seeds, of {}.",
        names.join(", ")
    );
    let axes = Axes {
        x_name: "optimiser steps",
        y_name: "validation MSE",
        ticks: [&|x| number(*x), &|y| number(*y)],
        margins: [10, 14, 2, 2],
        rooms: [42, 56],
        text: [12, 13],
    };
    let words = Some((title, description.as_str()));
    let svg = inline("chart", (440, 300), words, |area| {
        let mut chart = axes.draw(area, Axis::linear(0.0..steps), errors.clone())?;
        for (error, name) in [(NOISE_FLOOR, "noise"), (SOLVED, "solved")] {
            let ends = [(0.0, error), (steps, error)];
            let line = DashedLineSeries::new(ends, ZOOM, 3 * ZOOM, stroke(INK, 1));
            chart.draw_series(line).map_err(failed)?;
            let style = font(11).pos(Pos::new(HPos::Right, VPos::Bottom));
            let note = Text::new(name, (steps, error), style);
            chart.draw_series([note]).map_err(failed)?;
        }
        let colours = || curves.iter().zip(COLOURS);
        for (curve, colour) in colours() {
            let end = |place: usize| {
                let points = curve.points.iter();
                points.map(move |(step, quartiles)| (*step, quartiles[place]))
            };
            let band: Vec<_> = end(0).chain(end(2).rev()).collect();
            let band = Polygon::new(band, colour.mix(0.16));
            chart.draw_series([band]).map_err(failed)?;
        }
        for ((curve, colour), (dash, gap)) in colours().zip(DASHES) {
            let points = curve
                .points
                .iter()
                .map(|(step, [_, median, _])| (*step, *median));
            let line = DashedLineSeries::new(points, dash * ZOOM, gap * ZOOM, stroke(colour, 2));
            chart.draw_series(line).map_err(failed)?;
        }
        Ok(())
    })?;
    let legend = |((name, colour), (dash, gap)): ((String, RGBColor), (u32, u32))| {
        let mark = key((34, 10), |area| {
            let y = 5 * ZOOM as i32;
            let ends = [(0, y), (34 * ZOOM as i32, y)];
            let line = DashedPathElement::new(ends, dash * ZOOM, gap * ZOOM, stroke(colour, 2));
            area.draw(&line).map_err(failed)
        });
        Ok((mark?, name))
    };
    let legend = names.into_iter().zip(COLOURS).zip(DASHES).map(legend);
    Ok(figure(&svg, title, &legend.collect::<Result<Vec<_>>>()?))
}
