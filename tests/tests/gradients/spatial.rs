use burn_core::tensor::{Device, Tensor};
use burn_relax::{
    Grid, spatial_soft_argmax, spatial_soft_argmax_with_variance, windowed_spatial_soft_argmax,
};
use burn_relax_tests::{Array, Difference, Random, Table, flat};

use crate::{spread, twice};

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
                .check($device, $table, |$x| flat($call));
        }
    };
}

fn spatial_soft_argmax_has_its_slope(device: &Device, table: &mut Table) {
    heatmaps!(table, device, |x, grid, D, DO| {
        let temperature = x.get::<D>("temperature");
        spatial_soft_argmax::<D, DO>(x.get("heatmap"), grid, temperature)
    });
    Difference::new("at a number")
        .input("heatmap", spread([2, 3, 4], 3))
        .check(device, table, |x| {
            flat(spatial_soft_argmax::<3, 2>(
                x.get("heatmap"),
                Grid::Pixels,
                0.7,
            ))
        });
}

fn spatial_soft_argmax_with_variance_has_its_slope(device: &Device, table: &mut Table) {
    heatmaps!(table, device, |x, grid, D, DO| {
        let temperature = x.get::<D>("temperature");
        let (mean, variance) =
            spatial_soft_argmax_with_variance::<D, DO>(x.get("heatmap"), grid, temperature);
        Tensor::cat(vec![mean, variance], 0)
    });
}

fn windowed_spatial_soft_argmax_has_its_slope(device: &Device, table: &mut Table) {
    heatmaps!(table, device, |x, grid, D, DO| {
        let temperature = x.get::<D>("temperature");
        // Between two cells of every grid here, so that no cell lies on the window's edge.
        windowed_spatial_soft_argmax::<D, DO>(x.get("heatmap"), grid, temperature, 1.17)
    });
}

/// A uniform heatmap's mean does not depend on the temperature; this one's must.
fn one_temperature_for_all_rows_has_its_slope(device: &Device, table: &mut Table) {
    Difference::new("one temperature")
        .input("heatmap", spread([2, 3, 4], 4))
        .input("temperature", Array::new([1, 1, 1], [0.9]))
        .check(device, table, |x| {
            let temperature = x.get::<3>("temperature");
            flat(spatial_soft_argmax::<3, 2>(
                x.get("heatmap"),
                Grid::CellCentres,
                temperature,
            ))
        });
}

twice!(
    spatial_soft_argmax_has_its_slope,
    spatial_soft_argmax_with_variance_has_its_slope,
    windowed_spatial_soft_argmax_has_its_slope,
    one_temperature_for_all_rows_has_its_slope,
);
