//! Inputs of all operators.

use crate::support::{narrow, wide};
use burn_relax_kernels::Element;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Row lengths round the lane widths (8, 16), the unrolled step (32, 64), the blocks of sums and the rows of real use.
pub const SIZES: [usize; 17] = [
    1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 63, 65, 255, 256, 257, 1025, 4096,
];

/// Inputs of all operators for some rows, in `f64`; [`Case::rounded`] makes them exact in an element type.
#[derive(Clone)]
pub struct Case {
    pub n: usize,
    pub rows: usize,
    pub temperature: f64,
    pub logits: Vec<f64>,
    /// One for every number of features.
    pub gathers: Vec<Gather>,
    pub coordinates: Vec<f64>,
    pub unit: Vec<f64>,
    pub power: Vec<f64>,
    pub alpha: Vec<f64>,
    /// Alphas of all rows.
    pub alphas: Vec<f64>,
    pub budget: Vec<f64>,
    pub cost: Vec<f64>,
    pub noise: Vec<f64>,
    pub grad: Vec<f64>,
    pub grad_row: Vec<f64>,
    /// Classes of every row whose log-probability is asked for.
    pub samples: usize,
    pub indices: Vec<i64>,
    pub grad_samples: Vec<f64>,
}

/// The values of a gather and their upstream gradient.
#[derive(Clone)]
pub struct Gather {
    pub features: usize,
    pub values: Vec<f64>,
    pub grad: Vec<f64>,
}

impl Case {
    pub fn random(seed: u64, rows: usize, n: usize, temperature: f64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let next = || rng.random::<f64>();
        Case::drawn(next, (rows, n), temperature, &[1, 2, 3, 4, 8, 70], 2)
    }

    /// From `next`, which gives numbers in 0..1.
    pub fn drawn(
        mut next: impl FnMut() -> f64,
        (rows, n): (usize, usize),
        temperature: f64,
        features: &[usize],
        samples: usize,
    ) -> Self {
        let mut draw = |len: usize, low: f64, high: f64| -> Vec<f64> {
            (0..len).map(|_| low + (high - low) * next()).collect()
        };
        let total = rows * n;
        let mut case = Case {
            n,
            rows,
            temperature,
            logits: draw(total, -4.0, 4.0),
            gathers: features
                .iter()
                .map(|&features| Gather {
                    features,
                    values: draw(total * features, -1.0, 1.0),
                    grad: draw(rows * features, -1.0, 1.0),
                })
                .collect(),
            coordinates: draw(n, -1.0, 1.0),
            unit: draw(total, 0.0, 1.0),
            power: draw(rows, 1.0, 6.0),
            alpha: draw(rows, 1.0, 2.0),
            alphas: vec![1.25, 1.5, 2.0],
            budget: draw(rows, 0.2, 3.0),
            cost: draw(total, 0.0, 3.0),
            noise: draw(total, -1.5, 4.0),
            grad: draw(total, -1.0, 1.0),
            grad_row: draw(rows, -1.0, 1.0),
            samples,
            indices: draw(rows * samples, 0.0, n as f64)
                .iter()
                .map(|k| *k as i64)
                .collect(),
            grad_samples: draw(rows * samples, -1.0, 1.0),
        };
        for r in 0..rows {
            let row = r * n..(r + 1) * n;
            match r % 4 {
                // ties of logits and of unit values
                1 => {
                    for i in row.clone() {
                        case.logits[i] = case.logits[i].round();
                        case.unit[i] = (case.unit[i] * 4.0).round() / 4.0;
                    }
                }
                // every third class forbidden, and zeros among the unit values
                2 => {
                    for i in row.clone().step_by(3) {
                        case.logits[i] = f64::NEG_INFINITY;
                        case.unit[i] = 0.0;
                    }
                }
                // one class far ahead
                3 => case.logits[row.start + n / 2] = 30.0,
                // the members of the entmax family that have code of their own
                _ if r > 0 => case.alpha[r] = [1.0, 1.5, 2.0][r / 4 % 3],
                _ => {}
            }
        }
        case
    }

    fn all(&mut self) -> Vec<&mut Vec<f64>> {
        let mut all = vec![
            &mut self.logits,
            &mut self.coordinates,
            &mut self.unit,
            &mut self.power,
            &mut self.alpha,
            &mut self.budget,
            &mut self.cost,
            &mut self.noise,
            &mut self.grad,
            &mut self.grad_row,
            &mut self.grad_samples,
        ];
        for gather in &mut self.gathers {
            all.extend([&mut gather.values, &mut gather.grad]);
        }
        all
    }

    /// Every input rounded to `F`.
    pub fn rounded<F: Element>(mut self) -> Self {
        for input in self.all() {
            *input = wide(&narrow::<F>(input));
        }
        self
    }
}
