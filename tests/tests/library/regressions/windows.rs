//! Windows whose width is a whole number of steps lost a cell at one side, where rounding put it just outside.

use burn_core::tensor::Tensor;
use burn_relax::{
    Relaxation,
    relax::{Coordinates, Grid},
};
use burn_relax_tests::{Site, in_every_dtype};

/// f32 sums of a few terms of order 1, and f64's.
const CLOSE: [f64; 2] = [2e-6, 1e-12];

/// A peak that falls off slowly to both sides.
fn peak(len: usize, at: usize) -> Vec<f64> {
    let distance = |i: usize| i as f64 - at as f64;
    (0..len).map(|i| -0.1 * distance(i).powi(2)).collect()
}

/// The mean index under the softmax of the cells that are at most so many steps from the peak.
fn mean_index(len: usize, at: usize, steps: usize) -> f64 {
    let inside = (at.saturating_sub(steps)..len.min(at + steps + 1)).map(|i| i as f64);
    let weight = |i: f64| (-0.1 * (i - at as f64).powi(2)).exp();
    let total: f64 = inside.clone().map(weight).sum();
    inside.map(|i| i * weight(i)).sum::<f64>() / total
}

fn line(grid: Grid, len: usize) -> (f64, f64) {
    let n = len as f64;
    match grid {
        Grid::AlignedCorners => (-1.0, 2.0 / (n - 1.0)),
        Grid::CellCentres => (-(n - 1.0) / n, 2.0 / n),
        Grid::Pixels => (0.0, 1.0),
    }
}

#[test]
fn a_window_of_two_twenty_sevenths_has_both_its_side_cells() {
    in_every_dtype(CLOSE, |at| {
        let heatmap = at.tensor::<1>(peak(28, 8).as_slice()).reshape([1, 28]);
        let choice = Relaxation::<2>::softmax(1);
        let place: Tensor<2> = choice.windowed_spatial(heatmap, Grid::AlignedCorners, 2.0 / 27.0);
        at.is("mean", place, [-11.0 / 27.0]);
    });
}

/// Every centre of rows of several lengths, one after the other.
fn every_window(at: &Site, mut check: impl FnMut(&str, &[f64], [usize; 3])) {
    for len in [2, 7, 28, 41] {
        for centre in 0..len {
            for steps in [0, 1, 2, 5] {
                let title = format!("{len} cells, centre {centre}, {steps} steps");
                check(&title, &peak(len, centre), [len, centre, steps]);
            }
        }
    }
    at.check(true, "every window");
}

#[test]
fn every_window_on_every_grid_is_symmetric() {
    in_every_dtype(CLOSE, |at| {
        for grid in [Grid::AlignedCorners, Grid::CellCentres, Grid::Pixels] {
            every_window(at, |title, logits, [len, centre, steps]| {
                let (base, step) = line(grid, len);
                let heatmap = at.tensor::<1>(logits).reshape([1, len]);
                let choice = Relaxation::<2>::softmax(1);
                let place: Tensor<2> = choice.windowed_spatial(heatmap, grid, steps as f64 * step);
                let expected = base + step * mean_index(len, centre, steps);
                at.is(&format!("{grid:?}, {title}"), place, [expected]);
            });
        }
    });
}

#[test]
fn every_window_on_a_line_is_symmetric() {
    in_every_dtype(CLOSE, |at| {
        for (base, step) in [(0.0, 0.1), (1.0, -0.3), (-1.0, 2.0 / 27.0), (100.0, 1e-3)] {
            every_window(at, |title, logits, [len, centre, steps]| {
                let width = (steps as f64 * step).abs();
                let coordinates = Coordinates::Index { base, step };
                let choice = Relaxation::softmax(1);
                let place =
                    choice.windowed_coordinate(at.tensor::<1>(logits), 0, coordinates, width);
                let expected = base + step * mean_index(len, centre, steps);
                at.is(&format!("{base} + {step} i, {title}"), place, [expected]);
            });
        }
    });
}

/// Coordinates as a caller computes them, in the dtype of the logits; and as they are written down.
#[test]
fn every_window_on_given_coordinates_is_symmetric() {
    in_every_dtype(CLOSE, |at| {
        every_window(at, |title, logits, [len, centre, steps]| {
            let step = 2.0 / (len as f64 - 1.0);
            let indices: Vec<f64> = (0..len).map(|i| i as f64).collect();
            let computed = at.tensor::<1>(indices.as_slice()) * step - 1.0;
            let written: Vec<f64> = indices.iter().map(|i| i * step - 1.0).collect();
            let expected = step * mean_index(len, centre, steps) - 1.0;
            for coordinates in [computed, at.tensor(written.as_slice())] {
                let width = steps as f64 * step;
                let choice = Relaxation::softmax(1);
                let place =
                    choice.windowed_coordinate(at.tensor::<1>(logits), 0, coordinates, width);
                at.is(&format!("given, {title}"), place, [expected]);
            }
        });
    });
}

/// What is allowed for rounding lets no other class in.
#[test]
fn a_class_that_is_really_outside_stays_outside() {
    in_every_dtype(CLOSE, |at| {
        let logits = || at.tensor::<1>([1.0, 0.0, 0.0]);
        let alone = |what: &str, coordinates: Coordinates, width: f64| {
            let place = Relaxation::softmax(1).windowed_coordinate(logits(), 0, coordinates, width);
            at.equals(what, place, [0.0]);
        };
        let step = 0.1;
        alone("a line", Coordinates::Index { base: 0.0, step }, 0.0999);
        alone("given", at.tensor([0.0, 0.1, 0.2]).into(), 0.0999);
        // The tolerance of the largest coordinate would let the second class in.
        alone("far apart", at.tensor([0.0, 0.4, 1e7]).into(), 0.1);
    });
}

/// A coordinate that does not matter does not decide what is inside either.
#[test]
fn a_forbidden_class_without_a_coordinate_disturbs_no_window() {
    in_every_dtype(CLOSE, |at| {
        let logits = at.tensor::<1>([1.0, 0.0, f64::NEG_INFINITY]);
        for nowhere in [f64::NAN, f64::INFINITY] {
            let coordinates = at.tensor::<1>([0.0, 0.1, nowhere]);
            let choice = Relaxation::softmax(1);
            let place = choice.windowed_coordinate(logits.clone(), 0, coordinates, 0.1);
            at.is("mean", place, [0.1 / (1.0 + 1f64.exp())]);
        }
    });
}
