//! The yardstick: one straight line, fitted by least squares.

use combined_network::task::Rows;

/// Mean squared error on `test` of the line fitted to `train`.
pub fn line_mse(train: &Rows, test: &Rows) -> f64 {
    let line = fit(train);
    let error = |row: usize| {
        let prediction = terms(test, row).zip(&line).map(|(x, w)| x * w).sum::<f64>();
        (f64::from(test.targets[row]) - prediction).powi(2)
    };
    let count = test.targets.len();
    (0..count).map(error).sum::<f64>() / count.max(1) as f64
}

/// A row's features followed by 1 for the intercept.
fn terms(rows: &Rows, row: usize) -> impl Iterator<Item = f64> + '_ {
    let inputs = &rows.inputs[row * rows.features..(row + 1) * rows.features];
    inputs.iter().map(|&x| f64::from(x)).chain([1.0])
}

/// Slopes and intercept from the normal equations, which are well conditioned for inputs of unit variance.
fn fit(rows: &Rows) -> Vec<f64> {
    let n = rows.features + 1;
    let mut system = vec![vec![0.0; n + 1]; n];
    for row in 0..rows.targets.len() {
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

/// What is left of a column's square, in parts of it, when the columns before it explain it.
const DEPENDENT: f64 = 1e-10;

/// Gauss–Jordan elimination of `[matrix | right-hand side]`, pivots on the diagonal, which for normal equations is stable.
/// A column that those before it determine, such as a constant one, gets slope 0.
fn solve(mut system: Vec<Vec<f64>>) -> Vec<f64> {
    let n = system.len();
    let squares: Vec<f64> = (0..n).map(|column| system[column][column]).collect();
    let mut solved = vec![false; n];
    for column in 0..n {
        let pivot = system[column][column];
        if pivot <= DEPENDENT * squares[column] {
            continue;
        }
        solved[column] = true;
        let pivot_row: Vec<f64> = system[column].iter().map(|cell| cell / pivot).collect();
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
    let slope = |(equation, solved): (Vec<f64>, bool)| if solved { equation[n] } else { 0.0 };
    system.into_iter().zip(solved).map(slope).collect()
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

    #[test]
    fn columns_that_others_determine_are_left_out() {
        // A column of zeros, and one that is the sum of the first two.
        let row = |i: i32| {
            let (a, b) = ((i * 7 % 11) as f32 - 5.0, (i * 3 % 5) as f32);
            [a, b, 0.0, a + b]
        };
        let rows = Rows {
            features: 4,
            inputs: (0..20).flat_map(row).collect(),
            targets: (0..20).map(|i| row(i)[0] - 2.0 * row(i)[1] + 1.0).collect(),
        };
        assert!(line_mse(&rows, &rows) < 1e-10);
    }
}
