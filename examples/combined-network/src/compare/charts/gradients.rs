//! Bias and noise of the gradients, one line for each strategy.

use super::figure;
use crate::compare::outcome::{AUDITED, Gradient};
use crate::compare::svg::{Frame, Scale, escape};
use crate::strategy::Strategy;
use std::fmt::Write;

/// What is smaller is drawn here, at the left end.
const LEAST: f64 = 0.001;
const ROW: f64 = 20.0;
const TOP: f64 = 8.0;

/// Two pictures: relative bias and relative noise, on three gates.
pub(in super::super) fn gradients(found: &[(Strategy, &[Gradient])]) -> String {
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
    bias + &noise
}

fn picture(
    found: &[(Strategy, &[Gradient])],
    title: &str,
    axis: &str,
    figure_of: impl Fn(&Gradient) -> f64,
) -> String {
    let names: Vec<String> = found.iter().map(|(strategy, _)| strategy.name()).collect();
    let longest = names.iter().map(String::len).max().unwrap_or(0);
    let left = (6.3 * longest as f64 + 12.0).max(150.0);
    let all = found.iter().flat_map(|(_, gradients)| *gradients);
    let finite = all.map(&figure_of).filter(|number| number.is_finite());
    let highest = finite.fold(1.0, f64::max);
    let bottom = TOP + ROW * found.len() as f64;
    let frame = Frame {
        width: left + 250.0,
        height: bottom + 40.0,
        x: Scale {
            from: LEAST,
            to: 1.3 * highest,
            place: (left, left + 236.0),
            log: true,
        },
        y: Scale {
            from: 0.0,
            to: found.len() as f64,
            place: (TOP, bottom),
            log: false,
        },
    };
    let description = format!(
        "{axis} of each strategy on a logarithmic scale; what is below {LEAST} is drawn at the left end."
    );
    let mut svg = frame.open("chart", title, &description);
    svg += &frame.horizontal(axis);
    for (row, (name, (_, gradients))) in names.iter().zip(found).enumerate() {
        let y = frame.y.at(row as f64 + 0.5);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{left:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            frame.x.place.1,
            left - 8.0,
            y + 4.0,
            escape(name)
        );
        for (gate, gradient) in gradients.iter().enumerate() {
            let number = figure_of(gradient);
            if number.is_finite() {
                svg += &marker(gate, frame.x.at(number), y);
            }
        }
        svg.push('\n');
    }
    svg += "</svg>\n";
    let gates = found.first().map_or(&[][..], |(_, gradients)| gradients);
    let legend: Vec<_> = gates
        .iter()
        .enumerate()
        .map(|(gate, gradient)| {
            let mark = marker(gate, 6.0, 6.0);
            let key = format!(
                "<svg class=\"dot\" viewBox=\"0 0 12 12\" aria-hidden=\"true\">{mark}</svg>"
            );
            (key, gradient.gate.clone())
        })
        .collect();
    figure(&svg, title, &legend)
}

/// A shape of its own for each gate.
fn marker(gate: usize, x: f64, y: f64) -> String {
    match gate % AUDITED {
        0 => format!("<circle class=\"point f0\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>"),
        1 => format!(
            "<rect class=\"point f1\" x=\"{:.1}\" y=\"{:.1}\" width=\"8\" height=\"8\"/>",
            x - 4.0,
            y - 4.0
        ),
        _ => format!(
            "<path class=\"point f2\" d=\"M{x:.1} {:.1}l5 9h-10z\"/>",
            y - 5.0
        ),
    }
}
