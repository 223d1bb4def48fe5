//! Heatmaps against numbers worked out by hand.

use burn_core::tensor::Tensor;
use burn_relax::{Relaxation, relax::Grid};
use burn_relax_tests::{Array, on_every_device};

use super::F32;

const GRIDS: [Grid; 3] = [Grid::AlignedCorners, Grid::CellCentres, Grid::Pixels];

/// A peak of 50 leaves e^-50 to the others: its cell's coordinates, for each cell of 3 × 4.
#[test]
fn a_single_peak_is_read_at_its_cell() {
    let lines: [(&[f64], &[f64]); 3] = [
        (&[-1.0, 0.0, 1.0], &[-1.0, -1.0 / 3.0, 1.0 / 3.0, 1.0]),
        (&[-2.0 / 3.0, 0.0, 2.0 / 3.0], &[-0.75, -0.25, 0.25, 0.75]),
        (&[0.0, 1.0, 2.0], &[0.0, 1.0, 2.0, 3.0]),
    ];
    on_every_device(F32, |site| {
        for (grid, (down, across)) in GRIDS.into_iter().zip(lines) {
            for cell in 0..12 {
                let mut heat = vec![0.0; 12];
                heat[cell] = 50.0;
                let heatmap = site.tensor::<3>(Array::new([1, 3, 4], heat));
                let at: Tensor<2> = Relaxation::softmax(1).spatial(heatmap, grid);
                let expected = [[down[cell / 4], across[cell % 4]]];
                site.is(&format!("{grid:?} cell {cell}"), at, expected);
            }
        }
    });
}

/// Heat `[0, ln 3; 0, 0]` weighs the cells 1/6, 3/6, 1/6, 1/6: row 1 has 1/3, column 1 has 2/3. The variance of a choice
/// between neighbours with weight q is q (1 - q) = 2/9. At T = 1/2 the heat counts twice: 1/12, 9/12.
#[test]
fn mean_and_variance_of_four_cells() {
    on_every_device(F32, |site| {
        let heatmap = || site.tensor::<2>([[0.0, 3.0_f64.ln()], [0.0, 0.0]]);
        let (mean, variance) =
            Relaxation::softmax(1).spatial_with_variance::<1>(heatmap(), Grid::Pixels);
        site.is("mean", mean, [1.0 / 3.0, 2.0 / 3.0]);
        site.is("variance", variance, [2.0 / 9.0, 2.0 / 9.0]);
        let colder: Tensor<1> = Relaxation::softmax(0.5).spatial(heatmap(), Grid::Pixels);
        site.is("colder", colder, [2.0 / 12.0, 10.0 / 12.0]);
    });
}

/// Even heat is read at the middle: 0 on the two grids round 0, (L - 1) / 2 in pixels; an axis of one cell lies at 0.
#[test]
fn even_heat_is_read_at_the_middle_of_any_number_of_axes() {
    on_every_device(F32, |site| {
        let even = || Tensor::<4>::zeros([2, 3, 1, 5], &site.device);
        for (grid, expected) in GRIDS.into_iter().zip([[0.0; 3], [0.0; 3], [1.0, 0.0, 2.0]]) {
            let at: Tensor<2> = Relaxation::softmax(1).spatial(even(), grid);
            site.is(&format!("{grid:?}"), at, [expected; 2]);
        }
        let lines: Tensor<4> = Relaxation::softmax(1).spatial(even(), Grid::Pixels);
        site.is("lines", lines, Array::new([2, 3, 1, 1], [2.0; 6]));
    });
}

/// Each row has its own temperature: heat `[0, ln 4]` at T = 1 weighs 1/5, 4/5, at T = 1/2 1/17, 16/17.
#[test]
fn every_heatmap_has_its_own_temperature() {
    on_every_device(F32, |site| {
        let heatmap = site.tensor::<2>([[0.0, 4.0_f64.ln()]; 2]);
        let temperature = site.tensor::<2>([[1.0], [0.5]]);
        let at: Tensor<2> = Relaxation::softmax(temperature).spatial(heatmap, Grid::Pixels);
        site.is("coordinates", at, [[0.8], [16.0 / 17.0]]);
    });
}

/// Two peaks at opposite corners: the mean is the middle, the box round the first sees that one.
#[test]
fn a_box_sees_one_of_two_peaks() {
    let mut heat = vec![0.0; 25];
    (heat[0], heat[24]) = (50.0, 50.0);
    on_every_device(F32, |site| {
        let heatmap = || site.tensor::<3>(Array::new([1, 5, 5], heat.clone()));
        let mean: Tensor<2> = Relaxation::softmax(1).spatial(heatmap(), Grid::Pixels);
        site.is("mean", mean, [[2.0, 2.0]]);
        // On the grid from -1 to 1 the same box is half as wide a number of units.
        for (grid, half_width, corner) in
            [(Grid::Pixels, 2.0, 0.0), (Grid::AlignedCorners, 1.0, -1.0)]
        {
            let first: Tensor<2> =
                Relaxation::softmax(1).windowed_spatial(heatmap(), grid, half_width);
            site.is("first", first, [[corner, corner]]);
        }
    });
}

#[test]
fn forbidden_cells_do_not_count_and_a_forbidden_heatmap_is_at_zero() {
    let forbidden = f64::NEG_INFINITY;
    on_every_device(F32, |site| {
        let heatmap = site.tensor::<2>([[forbidden, 0.0, 0.0, forbidden], [forbidden; 4]]);
        let (mean, variance) =
            Relaxation::softmax(1).spatial_with_variance::<2>(heatmap, Grid::Pixels);
        site.is("mean", mean, [[1.5], [0.0]]);
        site.is("variance", variance, [[0.25], [0.0]]);
    });
}
