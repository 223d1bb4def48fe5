use burn_core::tensor::{Device, Tensor};
use burn_relax::{Relaxation, relax::Grid};
use burn_relax_tests::{Difference, Random, Table};

use super::{spread, twice};

const GRIDS: [Grid; 3] = [Grid::AlignedCorners, Grid::CellCentres, Grid::Pixels];

/// Heatmap, temperature and check of one pair of ranks.
macro_rules! heatmaps {
    ($table:ident, $device:ident, |$x:ident, $grid:ident, $rank:ident, $out:ident| $call:expr) => {
        heatmaps!(@one $table, $device, 1 [5], 1 [1], |$x, $grid, $rank, $out| $call);
        heatmaps!(@one $table, $device, 2 [3, 4], 2 [3, 1], |$x, $grid, $rank, $out| $call);
        heatmaps!(@one $table, $device, 2 [3, 4], 1 [1, 1], |$x, $grid, $rank, $out| $call);
        heatmaps!(@one $table, $device, 3 [2, 3, 4], 2 [2, 1, 1], |$x, $grid, $rank, $out| $call);
        heatmaps!(@one $table, $device, 4 [2, 2, 3, 2], 3 [2, 2, 1, 1], |$x, $grid, $rank, $out| $call);
        heatmaps!(@one $table, $device, 4 [2, 2, 3, 2], 2 [2, 1, 1, 1], |$x, $grid, $rank, $out| $call);
    };
    (@one $table:ident, $device:ident, $d:literal $shape:expr, $o:literal $rows:expr, |$x:ident, $grid:ident, $rank:ident, $out:ident| $call:expr) => {
        for $grid in GRIDS {
            const $rank: usize = $d;
            const $out: usize = $o;
            Difference::new(format!("{:?} to rank {} on {:?}", $shape, $out, $grid))
                .input("heatmap", spread($shape, 1))
                .input("temperature", Random::new(2).array($rows, 0.6, 1.8))
                .check($device, $table, |$x| $call);
        }
    };
}

fn spatial_soft_argmax_has_its_slope(device: &Device, table: &mut Table) {
    heatmaps!(table, device, |x, grid, D, DO| {
        let temperature = x.get::<D>("temperature");
        Relaxation::softmax(temperature).spatial::<DO>(x.get("heatmap"), grid)
    });
    Difference::new("at a number")
        .input("heatmap", spread([2, 3, 4], 3))
        .check(device, table, |x| {
            Relaxation::<3>::softmax(0.7).spatial::<2>(x.get("heatmap"), Grid::Pixels)
        });
}

fn spatial_soft_argmax_with_variance_has_its_slope(device: &Device, table: &mut Table) {
    heatmaps!(table, device, |x, grid, D, DO| {
        let temperature = x.get::<D>("temperature");
        let (mean, variance) =
            Relaxation::softmax(temperature).spatial_with_variance::<DO>(x.get("heatmap"), grid);
        Tensor::cat(vec![mean, variance], 0)
    });
}

fn windowed_spatial_soft_argmax_has_its_slope(device: &Device, table: &mut Table) {
    heatmaps!(table, device, |x, grid, D, DO| {
        let temperature = x.get::<D>("temperature");
        // Between two cells of every grid here, so that no cell lies on the window's edge.
        Relaxation::softmax(temperature).windowed_spatial::<DO>(x.get("heatmap"), grid, 1.17)
    });
}

/// A uniform heatmap's mean does not depend on the temperature; this one's must.
fn one_temperature_for_all_rows_has_its_slope(device: &Device, table: &mut Table) {
    Difference::new("one temperature")
        .input("heatmap", spread([2, 3, 4], 4))
        .input("temperature", [0.9])
        .check(device, table, |x| {
            let temperature = x.get::<3>("temperature");
            let choice = Relaxation::softmax(temperature);
            choice.spatial::<2>(x.get("heatmap"), Grid::CellCentres)
        });
}

twice!(
    spatial_soft_argmax_has_its_slope,
    spatial_soft_argmax_with_variance_has_its_slope,
    windowed_spatial_soft_argmax_has_its_slope,
    one_temperature_for_all_rows_has_its_slope,
);
