//! Heatmaps against numbers worked out by hand.

use burn_core::tensor::{DType, Tensor};
use burn_relax::{
    Grid, spatial_soft_argmax, spatial_soft_argmax_with_variance, windowed_spatial_soft_argmax,
};
use burn_relax_tests::{Array, Table, devices};

use crate::F32;

const GRIDS: [Grid; 3] = [Grid::AlignedCorners, Grid::CellCentres, Grid::Pixels];

/// A peak of 50 leaves e^-50 to the others: its cell's coordinates, for each cell of 3 × 4.
#[test]
fn a_single_peak_is_read_at_its_cell() {
    let lines: [(&[f64], &[f64]); 3] = [
        (&[-1.0, 0.0, 1.0], &[-1.0, -1.0 / 3.0, 1.0 / 3.0, 1.0]),
        (&[-2.0 / 3.0, 0.0, 2.0 / 3.0], &[-0.75, -0.25, 0.25, 0.75]),
        (&[0.0, 1.0, 2.0], &[0.0, 1.0, 2.0, 3.0]),
    ];
    let mut table = Table::new();
    for device in devices() {
        for (grid, (down, across)) in GRIDS.into_iter().zip(lines) {
            for cell in 0..12 {
                let mut heat = vec![0.0; 12];
                heat[cell] = 50.0;
                let heatmap = Array::new([1, 3, 4], heat).tensor::<3>(&device.device, DType::F32);
                let at: Tensor<2> = spatial_soft_argmax(heatmap, grid, 1.0);
                let expected = Array::new([1, 2], [down[cell / 4], across[cell % 4]]);
                let title = format!("{grid:?} cell {cell} on {}", device.name);
                table.close(&title, &Array::of(at), &expected, F32);
            }
        }
    }
    table.finish();
}

/// Heat `[0, ln 3; 0, 0]` weighs the cells 1/6, 3/6, 1/6, 1/6: row 1 has 1/3, column 1 has 2/3. The variance of a choice
/// between neighbours with weight q is q (1 - q) = 2/9. At T = 1/2 the heat counts twice: 1/12, 9/12.
#[test]
fn mean_and_variance_of_four_cells() {
    let heat = [0.0, 3.0_f64.ln(), 0.0, 0.0];
    let mut table = Table::new();
    for device in devices() {
        let heatmap = || Array::new([2, 2], heat).tensor::<2>(&device.device, DType::F32);
        let (mean, variance) =
            spatial_soft_argmax_with_variance::<2, 1>(heatmap(), Grid::Pixels, 1.0);
        table.close(
            device.name,
            &Array::of(mean),
            &Array::line([1.0 / 3.0, 2.0 / 3.0]),
            F32,
        );
        table.close(
            device.name,
            &Array::of(variance),
            &Array::line([2.0 / 9.0, 2.0 / 9.0]),
            F32,
        );
        let colder: Tensor<1> = spatial_soft_argmax(heatmap(), Grid::Pixels, 0.5);
        table.close(
            device.name,
            &Array::of(colder),
            &Array::line([2.0 / 12.0, 10.0 / 12.0]),
            F32,
        );
    }
    table.finish();
}

/// Even heat is read at the middle: 0 on the two grids round 0, (L - 1) / 2 in pixels; an axis of one cell lies at 0.
#[test]
fn even_heat_is_read_at_the_middle_of_any_number_of_axes() {
    let mut table = Table::new();
    for device in devices() {
        let even = || Tensor::<4>::zeros([2, 3, 1, 5], &device.device);
        for (grid, expected) in GRIDS.into_iter().zip([[0.0; 3], [0.0; 3], [1.0, 0.0, 2.0]]) {
            let at: Tensor<2> = spatial_soft_argmax(even(), grid, 1.0);
            let title = format!("{grid:?} on {}", device.name);
            table.close(
                &title,
                &Array::of(at),
                &Array::new([2, 3], expected.repeat(2)),
                F32,
            );
        }
        let lines: Tensor<4> = spatial_soft_argmax(even(), Grid::Pixels, 1.0);
        table.close(
            device.name,
            &Array::of(lines),
            &Array::new([2, 3, 1, 1], [2.0; 6]),
            F32,
        );
    }
    table.finish();
}

/// Each row has its own temperature: heat `[0, ln 4]` at T = 1 weighs 1/5, 4/5, at T = 1/2 1/17, 16/17.
#[test]
fn every_heatmap_has_its_own_temperature() {
    let heat = [0.0, 4.0_f64.ln()].repeat(2);
    let mut table = Table::new();
    for device in devices() {
        let heatmap = Array::new([2, 2], heat.clone()).tensor::<2>(&device.device, DType::F32);
        let temperature = Array::new([2, 1], [1.0, 0.5]).tensor::<2>(&device.device, DType::F32);
        let at: Tensor<2> = spatial_soft_argmax(heatmap, Grid::Pixels, temperature);
        table.close(
            device.name,
            &Array::of(at),
            &Array::new([2, 1], [0.8, 16.0 / 17.0]),
            F32,
        );
    }
    table.finish();
}

/// Two peaks at opposite corners: the mean is the middle, the box round the first sees that one.
#[test]
fn a_box_sees_one_of_two_peaks() {
    let mut heat = vec![0.0; 25];
    (heat[0], heat[24]) = (50.0, 50.0);
    let mut table = Table::new();
    for device in devices() {
        let heatmap =
            || Array::new([1, 5, 5], heat.clone()).tensor::<3>(&device.device, DType::F32);
        let mean: Tensor<2> = spatial_soft_argmax(heatmap(), Grid::Pixels, 1.0);
        table.close(
            device.name,
            &Array::of(mean),
            &Array::new([1, 2], [2.0, 2.0]),
            F32,
        );
        let first: Tensor<2> = windowed_spatial_soft_argmax(heatmap(), Grid::Pixels, 1.0, 2.0);
        table.close(
            device.name,
            &Array::of(first),
            &Array::new([1, 2], [0.0, 0.0]),
            F32,
        );
        // On the grid from -1 to 1 the same box is half as wide a number of units.
        let first: Tensor<2> =
            windowed_spatial_soft_argmax(heatmap(), Grid::AlignedCorners, 1.0, 1.0);
        table.close(
            device.name,
            &Array::of(first),
            &Array::new([1, 2], [-1.0, -1.0]),
            F32,
        );
    }
    table.finish();
}

#[test]
fn forbidden_cells_do_not_count_and_a_forbidden_heatmap_is_at_zero() {
    let forbidden = f64::NEG_INFINITY;
    let mut table = Table::new();
    for device in devices() {
        let heat = [
            forbidden, 0.0, 0.0, forbidden, forbidden, forbidden, forbidden, forbidden,
        ];
        let heatmap = Array::new([2, 4], heat).tensor::<2>(&device.device, DType::F32);
        let (mean, variance) =
            spatial_soft_argmax_with_variance::<2, 2>(heatmap, Grid::Pixels, 1.0);
        table.close(
            device.name,
            &Array::of(mean),
            &Array::new([2, 1], [1.5, 0.0]),
            F32,
        );
        table.close(
            device.name,
            &Array::of(variance),
            &Array::new([2, 1], [0.25, 0.0]),
            F32,
        );
    }
    table.finish();
}
