//! Inputs of all kernels.

use super::{FEATURES, narrow, wide};
use burn_relax_kernels::Element;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Inputs of all kernels for some rows, in `f64`; [`Case::rounded`] makes them exact in an element type.
#[derive(Clone)]
pub struct Case {
    pub n: usize,
    pub rows: usize,
    pub temperature: f64,
    pub logits: Vec<f64>,
    pub values: Vec<f64>,
    pub wide: [Vec<f64>; FEATURES.len()],
    pub coordinates: Vec<f64>,
    pub unit: Vec<f64>,
    pub power: Vec<f64>,
    pub alpha: Vec<f64>,
    pub budget: Vec<f64>,
    pub cost: Vec<f64>,
    pub noise: Vec<f64>,
    pub grad: Vec<f64>,
    pub grad_row: Vec<f64>,
    pub grad_wide: [Vec<f64>; FEATURES.len()],
    /// Two classes of every row.
    pub index: Vec<i64>,
    pub grad_two: Vec<f64>,
}

/// Classes asked for in every row of a log-probability.
pub(super) const ASKED: usize = 2;

impl Case {
    pub fn random(seed: u64, rows: usize, n: usize, temperature: f64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut draw = |len: usize, low: f64, high: f64| -> Vec<f64> {
            (0..len)
                .map(|_| low + (high - low) * rng.random::<f64>())
                .collect()
        };
        let total = rows * n;
        let mut case = Case {
            n,
            rows,
            temperature,
            logits: draw(total, -4.0, 4.0),
            values: draw(total, -1.0, 1.0),
            wide: FEATURES.map(|f| draw(total * f, -1.0, 1.0)),
            coordinates: draw(n, -1.0, 1.0),
            unit: draw(total, 0.0, 1.0),
            power: draw(rows, 1.0, 6.0),
            alpha: draw(rows, 1.0, 2.0),
            budget: draw(rows, 0.2, 3.0),
            cost: draw(total, 0.0, 3.0),
            noise: draw(total, -1.5, 4.0),
            grad: draw(total, -1.0, 1.0),
            grad_row: draw(rows, -1.0, 1.0),
            grad_wide: FEATURES.map(|f| draw(rows * f, -1.0, 1.0)),
            index: draw(rows * ASKED, 0.0, n as f64)
                .iter()
                .map(|k| *k as i64)
                .collect(),
            grad_two: draw(rows * ASKED, -1.0, 1.0),
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
            &mut self.values,
            &mut self.coordinates,
            &mut self.unit,
            &mut self.power,
            &mut self.alpha,
            &mut self.budget,
            &mut self.cost,
            &mut self.noise,
            &mut self.grad,
            &mut self.grad_row,
            &mut self.grad_two,
        ];
        all.extend(self.wide.iter_mut());
        all.extend(self.grad_wide.iter_mut());
        all
    }

    /// The number of features, values and upstream gradient of every gather.
    pub fn gathers(&self) -> impl Iterator<Item = (usize, &Vec<f64>, &Vec<f64>)> {
        let wide = FEATURES.into_iter().zip(&self.wide).zip(&self.grad_wide);
        let wide = wide.map(|((features, values), grad)| (features, values, grad));
        [(1, &self.values, &self.grad_row)].into_iter().chain(wide)
    }

    /// Every input rounded to `F`.
    pub fn rounded<F: Element>(mut self) -> Self {
        for input in self.all() {
            *input = wide(&narrow::<F>(input));
        }
        self
    }
}
