//! The numbers behind the pictures, computed by the library's own functions.

use crate::charts::axis::Axis;
use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use burn_relax::distribution::gumbel_noise;
use burn_relax::{Relaxation, entmax, entmax15, gradual_argmax, softmax, sparsemax};

/// The entries of the first picture: a maximum, a close runner-up, and others.
pub const VALUES: [f32; 5] = [0.75, 0.7, 0.5, 0.3, 0.1];
/// The entries of the others.
pub const LOGITS: [f32; 4] = [1.5, 1.0, 0.2, -1.0];
/// A draw in which another class than the likeliest wins.
pub const SEED: u64 = 0;

/// Points of a line.
const POINTS: usize = 361;

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The file's name without its extension.
    pub name: &'static str,
    /// Above everything.
    pub title: &'static str,
    /// What the entries are.
    pub legend: &'static str,
    /// The legend's names, one for each line of a panel.
    pub entries: Vec<String>,
    /// From left to right.
    pub panels: Vec<Panel>,
}

/// One pair of axes; the vertical one is from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Above the axes; empty where the title says it all.
    pub heading: &'static str,
    /// Below the horizontal axis.
    pub x_label: &'static str,
    /// Beside the vertical axis.
    pub y_label: &'static str,
    /// The horizontal axis.
    pub axis: Axis,
    /// Places on the horizontal axis.
    pub x: Vec<f64>,
    /// For each entry its height at each place.
    pub lines: Vec<Vec<f64>>,
}

const POWERS: Axis = Axis::marked(&[1.0, 10.0, 100.0, 1000.0], true);
const TEMPERATURES: Axis = Axis::marked(&[0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0], true);
const ALPHAS: Axis = Axis::marked(&[1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0], false);

/// All pictures.
pub fn pictures(device: &Device) -> Result<Vec<Picture>> {
    let first = [
        panel(POWERS, "power p", VALUES, device, |values, power| {
            gradual_argmax(values, 1, power)
        })?
        .headed("gradual argmax", "result"),
        panel(POWERS, "factor", VALUES, device, |values, factor| {
            softmax(values, 1, factor.recip())
        })?
        .headed("softmax", "weight"),
    ];
    let noise = gumbel_noise([1, LOGITS.len()], 1, SEED, device);
    Ok(vec![
        Picture {
            name: "gradual-argmax",
            title: "From values to their argmax",
            legend: "value",
            entries: VALUES.iter().map(|value| format!("{value:.2}")).collect(),
            panels: first.into(),
        },
        map(
            "softmax",
            "Softmax against temperature",
            temperature_panel(device, |logits, temperature| {
                softmax(logits, 1, temperature)
            })?,
        ),
        map(
            "sparsemax",
            "Sparsemax against temperature",
            temperature_panel(device, |logits, temperature| {
                sparsemax(logits / temperature, 1)
            })?,
        ),
        map(
            "entmax15",
            "1.5-entmax against temperature",
            temperature_panel(device, |logits, temperature| {
                entmax15(logits / temperature, 1)
            })?,
        ),
        map(
            "entmax-alpha",
            "Entmax against alpha: softmax at 1, sparsemax at 2",
            panel(ALPHAS, "alpha", LOGITS, device, |logits, alpha| {
                entmax(logits, 1, alpha)
            })?,
        ),
        map(
            "gumbel-softmax",
            "One draw of the Gumbel-softmax against temperature",
            temperature_panel(device, |logits, temperature| {
                let noise = noise.clone().expand(logits.dims());
                Relaxation::softmax(temperature)
                    .noise(noise)
                    .weights(logits, 1)
            })?,
        ),
    ])
}

fn map(name: &'static str, title: &'static str, panel: Panel) -> Picture {
    Picture {
        name,
        title,
        legend: "logit",
        entries: LOGITS.iter().map(|logit| format!("{logit:.1}")).collect(),
        panels: vec![panel],
    }
}

fn temperature_panel(
    device: &Device,
    function: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<2>,
) -> Result<Panel> {
    panel(TEMPERATURES, "temperature", LOGITS, device, function)
}

/// Evaluates a function of entries, `[points, entries]`, and of one coefficient for each row, `[points, 1]`.
fn panel<const N: usize>(
    axis: Axis,
    x_label: &'static str,
    entries: [f32; N],
    device: &Device,
    function: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<2>,
) -> Result<Panel> {
    let x = axis.points(POINTS);
    let coefficients = TensorData::new(x.clone(), [POINTS, 1]);
    let coefficients = Tensor::from_data(coefficients, device);
    let rows = Tensor::<2>::from_floats([entries], device).expand([POINTS, N]);
    let heights = function(rows, coefficients).try_into_data()?;
    let heights: Vec<f64> = heights.iter().collect();
    let line = |entry: usize| heights.iter().skip(entry).step_by(N).copied().collect();
    Ok(Panel {
        heading: "",
        x_label,
        y_label: "weight",
        axis,
        x,
        lines: (0..N).map(line).collect(),
    })
}

impl Panel {
    fn headed(self, heading: &'static str, y_label: &'static str) -> Self {
        Self {
            heading,
            y_label,
            ..self
        }
    }
}
