//! The expected coordinate, its spread, its windows, and heatmaps of one axis.

use burn_core::tensor::Tensor;
use burn_relax::{
    Relaxation,
    relax::{Coordinates, Grid},
    soft_argmax,
};
use burn_relax_kernels::naive;

use super::{
    Case, Coefficient, Contract, Expect, Gradient, Input, Kind, Row, Terms, call::call,
    primitive::primitive, traffic,
};

const COORDINATES: Input = Input::learned("coordinates", Kind::Coordinates);
const SHARED: &[Input] = &[Input::LOGITS, COORDINATES.with(Gradient::Checked)];

/// A mean coordinate, of which little may be left.
const MEAN: &[(&str, Terms)] = &[("output", Terms::OfOrderOne)];
/// And the slope of a sparse map, a power of a weight times a difference of coordinates.
const SPARSE: &[(&str, Terms)] = &[("output", Terms::OfOrderOne), ("logits", Terms::OfOrderOne)];

/// A read-out of coordinates at a temperature.
const fn coordinate(
    name: &'static str,
    inputs: &'static [Input],
    call: super::Call,
    reference: fn(&Row) -> Vec<f64>,
) -> Case {
    Case {
        inputs,
        coefficient: Some(Coefficient::TEMPERATURE),
        contract: Contract::COORDINATE,
        terms: MEAN,
        traffic: [traffic(1, 0), traffic(1, 1)],
        memory: Some(1),
        ..Case::read_out(name, call, reference)
    }
}

/// No spread among the classes of a tie at its neighbour.
const SPREAD: Contract = Contract {
    infinite: Expect::Row(&[0.25]),
    ties: Expect::Row(&[0.25]),
    ..Contract::COORDINATE
};

/// A class' coordinate is its number among the others.
const NUMBERED: Contract = Contract {
    shorter: false,
    symmetric: false,
    ..Contract::COORDINATE
};

/// The middle of the cells of `[-1, 1]`.
const CELLS: Contract = Contract {
    infinite: Expect::Row(&[0.0]),
    // Cells 1 and 2 of three lie at 0 and 2/3.
    ties: Expect::Row(&[1.0 / 3.0]),
    ..NUMBERED
};

pub const CASES: &[Case] = &[
    Case {
        contract: NUMBERED,
        // Coordinates of up to a thousand take digits from their differences.
        room: 8.0,
        ..coordinate(
            "soft_argmax_index",
            &[Input::LOGITS],
            call!(|x, dim| { soft_argmax(x.logits(), dim, x.coefficient(), Coordinates::index()) }),
            |row| expected(row.logits(), row.coefficient, &index(row)),
        )
    },
    Case {
        primitives: &[primitive!(soft_argmax)],
        torch: &["soft_argmax"],
        ..coordinate(
            "soft_argmax",
            SHARED,
            call!(|x, dim| {
                soft_argmax(x.logits(), dim, x.coefficient(), x.get::<1>("coordinates"))
            }),
            |row| expected(row.logits(), row.coefficient, row.get("coordinates")),
        )
    },
    Case {
        contract: SPREAD,
        ..coordinate(
            "soft_argmax_variance",
            SHARED,
            call!(|x, dim| {
                let choice = Relaxation::softmax(x.coefficient());
                let places = x.get::<1>("coordinates");
                choice.coordinate_with_variance(x.logits(), dim, places).1
            }),
            |row| variance(row, row.get("coordinates")),
        )
        .composed()
    },
    Case {
        ..coordinate(
            "windowed_soft_argmax",
            SHARED,
            call!(|x, dim| {
                let choice = Relaxation::softmax(x.coefficient());
                choice.windowed_coordinate(x.logits(), dim, x.get::<1>("coordinates"), 1.3)
            }),
            |row| {
                let places = row.get("coordinates");
                expected(
                    &windowed(row.logits(), places, 1.3),
                    row.coefficient,
                    places,
                )
            },
        )
        .composed()
    },
    Case {
        terms: SPARSE,
        ..coordinate(
            "windowed_soft_argmax_entmax15",
            SHARED,
            call!(|x, dim| {
                let choice = Relaxation::entmax15(x.coefficient());
                choice.windowed_coordinate(x.logits(), dim, x.get::<1>("coordinates"), 1.3)
            }),
            |row| {
                let places = row.get("coordinates");
                let inside = windowed(row.logits(), places, 1.3);
                let scaled: Vec<f64> = inside.iter().map(|x| x / row.coefficient).collect();
                mean(&naive::entmax15(&scaled), places)
            },
        )
        .composed()
    },
    Case {
        contract: CELLS,
        ..coordinate(
            "spatial_soft_argmax",
            &[Input::LOGITS],
            call!(|x, dim, D| {
                let choice = Relaxation::softmax(x.coefficient_at_end(dim));
                let heat = x.logits::<D>().swap_dims(dim, -1);
                restored(choice.spatial::<D>(heat, Grid::CellCentres), dim)
            }),
            |row| expected(row.logits(), row.coefficient, &cells(row)),
        )
        .composed()
    },
    Case {
        contract: Contract {
            // Half the weight on either side of the middle of cells half a unit wide, and of cells 2/3 wide.
            infinite: Expect::Row(&[1.0 / 16.0]),
            ties: Expect::Row(&[1.0 / 9.0]),
            ..NUMBERED
        },
        ..coordinate(
            "spatial_soft_argmax_variance",
            &[Input::LOGITS],
            call!(|x, dim, D| {
                let choice = Relaxation::softmax(x.coefficient_at_end(dim));
                let heat = x.logits::<D>().swap_dims(dim, -1);
                let (_, spread) = choice.spatial_with_variance::<D>(heat, Grid::CellCentres);
                restored(spread, dim)
            }),
            |row| variance(row, &cells(row)),
        )
        .composed()
    },
    Case {
        // The window round the first of two peaks, .69 to either side, holds the other one too.
        contract: CELLS,
        terms: SPARSE,
        ..coordinate(
            "windowed_spatial_soft_argmax",
            &[Input::LOGITS],
            call!(|x, dim, D| {
                let choice = Relaxation::softmax(x.coefficient_at_end(dim));
                let heat = x.logits::<D>().swap_dims(dim, -1);
                let inside = choice.windowed_spatial::<D>(heat, Grid::CellCentres, 0.69);
                restored(inside, dim)
            }),
            |row| {
                let places = cells(row);
                expected(
                    &windowed(row.logits(), &places, 0.69),
                    row.coefficient,
                    &places,
                )
            },
        )
        .composed()
    },
];

/// One number for each row, from the last axis to that of the classes.
///
/// Not `swap_dims`: in burn-fusion 0.22.1 the gradient of a `reshape` whose output's axes are swapped is wrong on wgpu.
fn restored<const D: usize>(output: Tensor<D>, dim: isize) -> Tensor<D> {
    let axis = dim.rem_euclid(D as isize) as usize;
    let shape = output.dims();
    if axis == D - 1 || shape.contains(&0) {
        return output.swap_dims(dim, -1);
    }
    let row = |i| output.clone().narrow(axis, i, 1);
    Tensor::cat((0..shape[axis]).map(row).collect(), D - 1)
}

fn index(row: &Row) -> Vec<f64> {
    (0..row.logits().len()).map(|k| k as f64).collect()
}

/// Centres of equal cells of `[-1, 1]`.
fn cells(row: &Row) -> Vec<f64> {
    let n = row.logits().len() as f64;
    index(row)
        .iter()
        .map(|k| (2.0 * k + 1.0) / n - 1.0)
        .collect()
}

fn mean(weights: &[f64], places: &[f64]) -> Vec<f64> {
    let used = weights.iter().zip(places).filter(|(w, _)| **w != 0.0);
    vec![used.map(|(w, c)| w * c).sum()]
}

fn expected(x: &[f64], temperature: f64, places: &[f64]) -> Vec<f64> {
    mean(&naive::softmax(x, temperature), places)
}

fn variance(row: &Row, places: &[f64]) -> Vec<f64> {
    let centre = expected(row.logits(), row.coefficient, places)[0];
    let squares: Vec<f64> = places.iter().map(|c| (c - centre).powi(2)).collect();
    expected(row.logits(), row.coefficient, &squares)
}

/// Logits farther than `half_width` from the first argmax forbidden.
fn windowed(x: &[f64], places: &[f64], half_width: f64) -> Vec<f64> {
    let centre = places[naive::argmax(x)];
    let inside = |(x, c): (&f64, &f64)| {
        if (c - centre).abs() > half_width {
            f64::NEG_INFINITY
        } else {
            *x
        }
    };
    x.iter().zip(places).map(inside).collect()
}
