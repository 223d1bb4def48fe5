//! Bias and noise of the gradients, one line for each strategy.

use crate::charts::axis::Axis;
use crate::charts::plot::{Area, Axes, ZOOM, failed, inline};
use crate::charts::text::number;
use crate::compare::charts::figure::{COLOURS, figure, key};
use crate::compare::outcome::{AUDITED, Gradient};
use crate::strategy::names::Strategy;
use anyhow::Result;
use plotters::prelude::*;

/// What is smaller is drawn here, at the left end.
const LEAST: f64 = 0.001;
const ROW: usize = 20;

/// Two pictures: relative bias and relative noise, on three gates.
pub(crate) fn gradients(found: &[(Strategy, &[Gradient])]) -> Result<String> {
    let bias = picture(
        found,
        "Bias of the gradient",
        "distance of the mean / length",
        |gradient| gradient.bias.0,
    );
    let noise = picture(
        found,
        "Noise of the gradient",
        "standard deviation / length",
        |gradient| gradient.noise.0,
    );
    Ok(bias? + &noise?)
}

fn picture(
    found: &[(Strategy, &[Gradient])],
    title: &str,
    axis: &str,
    figure_of: impl Fn(&Gradient) -> f64,
) -> Result<String> {
    let names: Vec<String> = found.iter().map(|(strategy, _)| strategy.name()).collect();
    let longest = names.iter().map(String::len).max().unwrap_or(0);
    let left = (7 * longest + 12).max(150);
    let all = found.iter().flat_map(|(_, gradients)| *gradients);
    let finite = all.map(&figure_of).filter(|number| number.is_finite());
    let highest = finite.fold(1.0, f64::max);
    let description = format!(
        "{axis} of each strategy on a logarithmic scale; what is below {LEAST} is drawn at the left end."
    );
    let axes = Axes {
        x_name: axis,
        y_name: "",
        ticks: [&|x| number(*x), &|y| names[*y as usize].clone()],
        margins: [8, 14, 2, 0],
        rooms: [42, left as u32],
        text: [12, 13],
    };
    let size = (left as u32 + 250, (52 + ROW * found.len()) as u32);
    let words = Some((title, description.as_str()));
    let svg = inline("chart", size, words, |area| {
        let x = Axis::logarithmic(LEAST..1.3 * highest);
        let chart = axes.draw(area, x, Axis::rows(found.len()))?;
        for (row, (_, gradients)) in found.iter().enumerate() {
            for (gate, gradient) in gradients.iter().enumerate() {
                let number = figure_of(gradient);
                if number.is_finite() {
                    marker(area, gate, chart.backend_coord(&(number, row as f64 + 0.5)))?;
                }
            }
        }
        Ok(())
    })?;
    let gates = found.first().map_or(&[][..], |(_, gradients)| gradients);
    let legend = gates.iter().enumerate().map(|(gate, gradient)| {
        let centre = (6 * ZOOM as i32, 6 * ZOOM as i32);
        let mark = key((12, 12), |area| marker(area, gate, centre))?;
        Ok((mark, gradient.gate.clone()))
    });
    Ok(figure(&svg, title, &legend.collect::<Result<Vec<_>>>()?))
}

/// A shape of its own for each gate.
fn marker(area: &Area, gate: usize, (x, y): (i32, i32)) -> Result<()> {
    let place = gate % AUDITED;
    let (style, size) = (COLOURS[place].filled(), 4 * ZOOM as i32);
    match place {
        0 => area.draw(&Circle::new((x, y), size, style)),
        1 => area.draw(&Rectangle::new(
            [(x - size, y - size), (x + size, y + size)],
            style,
        )),
        _ => area.draw(&TriangleMarker::new((x, y), size + 4, style)),
    }
    .map_err(failed)
}
