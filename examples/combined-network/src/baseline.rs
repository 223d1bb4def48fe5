//! The yardstick: one straight line, fitted by least squares.

use crate::data::Rows;

/// Mean squared error on `test` of the line fitted to `train`.
#[must_use]
pub fn line_mse(train: &Rows, test: &Rows) -> f64 {
    let line = fit(train);
    let error = |row: usize| {
        let prediction = terms(test, row).zip(&line).map(|(x, w)| x * w).sum::<f64>();
        (f64::from(test.targets[row]) - prediction).powi(2)
    };
    (0..test.len()).map(error).sum::<f64>() / test.len().max(1) as f64
}

/// A row's features followed by 1 for the intercept.
fn terms(rows: &Rows, row: usize) -> impl Iterator<Item = f64> + '_ {
    rows.input(row).iter().map(|&x| f64::from(x)).chain([1.0])
}

/// Slopes and intercept from the normal equations, which are well conditioned for inputs of unit variance.
fn fit(rows: &Rows) -> Vec<f64> {
    let n = rows.features + 1;
    let mut system = vec![vec![0.0; n + 1]; n];
    for row in 0..rows.len() {
        let x: Vec<f64> = terms(rows, row)
            .chain([f64::from(rows.targets[row])])
            .collect();
        for (equation, xi) in system.iter_mut().zip(&x) {
            equation
                .iter_mut()
                .zip(&x)
                .for_each(|(cell, xj)| *cell += xi * xj);
        }
    }
    solve(system)
}

/// Gauss–Jordan elimination with pivoting of `[matrix | right-hand side]`.
fn solve(mut system: Vec<Vec<f64>>) -> Vec<f64> {
    let n = system.len();
    for column in 0..n {
        let largest =
            |&a: &usize, &b: &usize| system[a][column].abs().total_cmp(&system[b][column].abs());
        let pivot = (column..n).max_by(largest).unwrap_or(column);
        system.swap(column, pivot);
        let pivot_row: Vec<f64> = system[column]
            .iter()
            .map(|c| c / system[column][column])
            .collect();
        for (row, equation) in system.iter_mut().enumerate() {
            if row == column {
                equation.clone_from(&pivot_row);
            } else {
                let factor = equation[column];
                equation
                    .iter_mut()
                    .zip(&pivot_row)
                    .for_each(|(cell, p)| *cell -= factor * p);
            }
        }
    }
    system.into_iter().map(|equation| equation[n]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_recovered_exactly() {
        let inputs: Vec<f32> = (0..20).map(|i| ((i * 7) % 11) as f32 - 5.0).collect();
        let targets = inputs
            .chunks(2)
            .map(|x| 2.0 * x[0] - 3.0 * x[1] + 0.5)
            .collect();
        let rows = Rows {
            features: 2,
            inputs,
            targets,
        };
        assert!(line_mse(&rows, &rows) < 1e-10);
    }
}
