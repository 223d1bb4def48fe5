//! Public functions, with autodiff, on every device; on wgpu through Burn's fusion.

use std::collections::BTreeMap;

use burn_core::tensor::{DType, Device, Tensor};
use burn_relax::{
    Coordinates, argmax_gather, categorical_entropy, free_energy_cost, gradual_argmax, gumbel_rao,
    gumbel_softmax, hard_mixture_nll, log_softmax, power_softmax, reinmax, soft_argmax,
    soft_argmax_gather, softmax, straight_through_argmax, winner_takes_all_cost,
};
use burn_relax::{
    SimplexMap, budget, entmax, entmax15, normmax, sparsemax, windowed_soft_argmax_with_map,
};
use burn_relax_tests::{Array, Leaves, Random, Table, devices, flat, with_rank};

use crate::{F32, LENGTHS, SHAPES, Terms, layout::Layout, numbers, unit_numbers};

#[derive(Clone, Copy, Debug)]
enum Operator {
    Softmax,
    SoftmaxPerRow,
    LogSoftmax,
    Entropy,
    SoftArgmax,
    Gather,
    HardGather,
    PlainGather,
    StraightThrough,
    GumbelSoftmax,
    GradualArgmax,
    PowerSoftmax,
    FreeEnergy,
    FreeEnergyPerRow,
    ReinMax,
    GumbelRao,
    WinnerTakesAll,
    HardMixture,
    Sparsemax,
    Entmax15,
    Entmax,
    EntmaxPerRow,
    Normmax,
    Budget,
    WindowedSparse,
}

const OPERATORS: [Operator; 25] = [
    Operator::Softmax,
    Operator::SoftmaxPerRow,
    Operator::LogSoftmax,
    Operator::Entropy,
    Operator::SoftArgmax,
    Operator::Gather,
    Operator::HardGather,
    Operator::PlainGather,
    Operator::StraightThrough,
    Operator::GumbelSoftmax,
    Operator::GradualArgmax,
    Operator::PowerSoftmax,
    Operator::FreeEnergy,
    Operator::FreeEnergyPerRow,
    Operator::ReinMax,
    Operator::GumbelRao,
    Operator::WinnerTakesAll,
    Operator::HardMixture,
    Operator::Sparsemax,
    Operator::Entmax15,
    Operator::Entmax,
    Operator::EntmaxPerRow,
    Operator::Normmax,
    Operator::Budget,
    Operator::WindowedSparse,
];

/// A tensor's shape, the axis chosen over (negative from the end), its layout, and whether some logits are forbidden.
#[derive(Clone, Debug)]
struct Place {
    shape: Vec<usize>,
    dim: isize,
    layout: Layout,
    masked: bool,
}

impl Place {
    fn new(shape: &[usize], dim: usize) -> Self {
        Self {
            shape: shape.to_vec(),
            dim: dim as isize,
            layout: Layout::Contiguous,
            masked: false,
        }
    }

    fn axis(&self) -> usize {
        self.dim.rem_euclid(self.shape.len() as isize) as usize
    }

    fn inputs(&self) -> BTreeMap<String, Array> {
        let stored = self.layout.stored(&self.shape);
        let mut per_row = self.shape.clone();
        per_row[self.axis()] = 1;
        let classes = self.shape[self.axis()];
        let inputs = [
            ("logits", numbers(&stored, 1, self.masked)),
            ("values", numbers(&stored, 2, false)),
            ("unit", unit_numbers(&stored, 3)),
            ("coefficient", Random::new(4).array(per_row, 0.5, 2.0)),
            ("coordinates", numbers(&[classes], 5, false)),
        ];
        inputs.map(|(name, array)| (name.to_owned(), array)).into()
    }

    /// Output of an operator here.
    fn output<const D: usize>(&self, operator: Operator, x: &Leaves) -> Tensor<D> {
        let dim = self.dim;
        let view = |name: &str| self.layout.view::<D>(x.get(name), &self.shape);
        let (logits, values) = (|| view("logits"), || view("values"));
        let coefficient = || x.get::<D>("coefficient");
        match operator {
            Operator::Softmax => softmax(logits(), dim, 0.7),
            Operator::SoftmaxPerRow => softmax(logits(), dim, coefficient()),
            Operator::LogSoftmax => log_softmax(logits(), dim),
            Operator::Entropy => categorical_entropy(logits(), dim),
            Operator::SoftArgmax => {
                soft_argmax(logits(), dim, 0.7, Coordinates::Given(x.get("coordinates")))
            }
            Operator::Gather => soft_argmax_gather(logits(), values(), dim, 0.7, false),
            Operator::HardGather => soft_argmax_gather(logits(), values(), dim, 0.7, true),
            Operator::PlainGather => argmax_gather(logits(), values(), dim),
            Operator::StraightThrough => straight_through_argmax(logits(), dim, 0.7),
            Operator::GumbelSoftmax => gumbel_softmax(logits(), dim, 0.7, false, 3),
            Operator::GradualArgmax => gradual_argmax(view("unit"), dim, coefficient()),
            Operator::PowerSoftmax => power_softmax(view("unit"), dim, coefficient()),
            Operator::FreeEnergy => free_energy_cost(logits(), values(), dim, 0.7),
            Operator::FreeEnergyPerRow => free_energy_cost(logits(), values(), dim, coefficient()),
            Operator::ReinMax => reinmax(logits(), dim, 0.7, 3),
            Operator::GumbelRao => gumbel_rao(logits(), dim, 0.7, 2, 3),
            Operator::WinnerTakesAll => winner_takes_all_cost(logits(), values(), dim),
            Operator::HardMixture => hard_mixture_nll(logits(), values(), dim),
            Operator::Sparsemax => sparsemax(logits(), dim),
            Operator::Entmax15 => entmax15(logits(), dim),
            Operator::Entmax => entmax(logits(), dim, 1.25),
            // From 1.05 to 1.5: towards 2 a slope turns into the step of sparsemax, and weights that round to 0 have none.
            Operator::EntmaxPerRow => {
                let alpha = coefficient().mul_scalar(0.3).add_scalar(0.9);
                entmax(logits(), dim, alpha)
            }
            Operator::Normmax => normmax(logits(), dim, 1.5),
            Operator::Budget => budget(logits(), dim, coefficient()),
            Operator::WindowedSparse => {
                let coordinates = x.get::<1>("coordinates");
                windowed_soft_argmax_with_map(
                    logits(),
                    dim,
                    0.7,
                    SimplexMap::Entmax15,
                    Coordinates::Given(coordinates),
                    0.4,
                )
            }
        }
    }

    fn leaves(&self, device: &Device) -> Leaves {
        Leaves::new(&device.clone().autodiff(), DType::F32, self.inputs())
    }

    /// Output and gradients of an operator here.
    fn run(&self, operator: Operator, device: &Device) -> BTreeMap<String, Array> {
        let x = self.leaves(device);
        let y = with_rank!(self.shape.len(), D => flat(self.output::<D>(operator, &x)));
        let weights = Random::new(6).array(y.dims(), -1.0, 1.0);
        let mut results = x.gradients(y.clone(), &weights);
        results.insert("output".to_owned(), Array::of(y));
        results
    }

    /// What a result of an operator is made of.
    fn terms(&self, operator: Operator, name: &str) -> Terms {
        let classes = self.shape[self.axis()];
        match (operator, name) {
            (_, "coefficient" | "coordinates") => Terms::OfOrderOne,
            // A slope `p^(2 - alpha)` times a difference of upstream gradients.
            (Operator::EntmaxPerRow | Operator::WindowedSparse, "logits") => Terms::OfOrderOne,
            (
                Operator::Entropy
                | Operator::SoftArgmax
                | Operator::Gather
                | Operator::FreeEnergy
                | Operator::FreeEnergyPerRow
                | Operator::WinnerTakesAll
                | Operator::HardMixture
                | Operator::WindowedSparse,
                "output",
            ) => Terms::OfOrderOne,
            (Operator::FreeEnergy | Operator::FreeEnergyPerRow, "logits") => {
                Terms::Weights(classes)
            }
            (Operator::Entropy, "logits") => Terms::Logarithms(classes),
            _ => Terms::None,
        }
    }

    /// A default body lets Burn add up a row, on some devices one number after another: the rounding grows with its length.
    /// And the gradient of a number that stands for many rows is a sum of as many.
    fn tolerance(&self) -> f64 {
        let longest = self.shape.iter().max().expect("there is an axis");
        let stands_for = match self.layout {
            Layout::Expanded(axis) => self.shape[axis],
            _ => 1,
        };
        F32 * (*longest as f64 / 256.0).max(stands_for as f64)
    }

    /// Every operator gives here on every device what it gives on the first.
    fn compare(&self, table: &mut Table) {
        let devices = devices();
        for operator in OPERATORS {
            let expected = self.run(operator, &devices[0].device);
            for device in &devices[1..] {
                for (name, actual) in self.run(operator, &device.device) {
                    let title = format!("{operator:?} on {}, {self:?}: {name}", device.name);
                    let terms = self.terms(operator, &name);
                    crate::compare(
                        table,
                        &title,
                        &actual,
                        &expected[&name],
                        terms,
                        self.tolerance() * room(operator),
                    );
                }
            }
        }
    }
}

/// A slope of entmax is a power of a weight, and alpha's gradient adds up squared logarithms: rounding is felt a few times.
fn room(operator: Operator) -> f64 {
    match operator {
        Operator::EntmaxPerRow => 4.0,
        _ => 1.0,
    }
}

/// Compares at every axis of every shape, changed by `change`.
#[track_caller]
fn at_every_axis(change: impl Fn(Place) -> Place) {
    let mut table = Table::new();
    for shape in SHAPES {
        for dim in 0..shape.len() {
            change(Place::new(shape, dim)).compare(&mut table);
        }
    }
    table.finish();
}

#[test]
fn contiguous_tensors_agree_along_every_axis() {
    at_every_axis(|place| place);
}

#[test]
fn masked_tensors_agree_along_every_axis() {
    at_every_axis(|place| Place {
        masked: true,
        ..place
    });
}

#[test]
fn negative_axes_agree() {
    at_every_axis(|place| Place {
        dim: place.dim - place.shape.len() as isize,
        ..place
    });
}

#[test]
fn transposed_tensors_agree() {
    at_every_axis(|place| Place {
        layout: Layout::Transposed,
        ..place
    });
}

#[test]
fn sliced_tensors_agree() {
    at_every_axis(|place| Place {
        layout: Layout::Sliced,
        ..place
    });
}

/// Rows that are all one row. The axis chosen over is stored in full: the gradient of a number that stands for a whole row is
/// a sum that vanishes.
#[test]
fn expanded_tensors_agree() {
    let mut table = Table::new();
    for shape in SHAPES {
        for dim in 0..shape.len() {
            for axis in (0..shape.len()).filter(|&axis| axis != dim) {
                let layout = Layout::Expanded(axis);
                Place {
                    layout,
                    ..Place::new(shape, dim)
                }
                .compare(&mut table);
            }
        }
    }
    table.finish();
}

#[test]
fn rows_of_every_awkward_length_agree() {
    let mut table = Table::new();
    for length in LENGTHS {
        Place::new(&[3, length], 1).compare(&mut table);
        Place::new(&[length, 3], 0).compare(&mut table);
    }
    table.finish();
}

/// Burn's own operations on an empty tensor of rank 2 or more compute `0 - 1` in burn-cubecl 0.22.1, which panics where
/// overflow is checked, as in this build. On wgpu only what runs on kernels from end to end can be shown.
const KERNELS_ALONE: [Operator; 8] = [
    Operator::Softmax,
    Operator::LogSoftmax,
    Operator::SoftArgmax,
    Operator::Gather,
    Operator::HardGather,
    Operator::Sparsemax,
    Operator::Entmax15,
    Operator::Entmax,
];

/// Lengths round every width and strategy of the GPU kernels.
#[cfg(feature = "wgpu")]
const GPU_LENGTHS: [usize; 17] = [
    1, 2, 15, 16, 17, 31, 32, 33, 255, 256, 257, 1000, 1025, 4096, 32_000, 128_001, 1_000_000,
];

/// Operators that are kernels from end to end on every device, forward and backward.
#[cfg(feature = "wgpu")]
const KERNELS: [Operator; 14] = [
    Operator::Softmax,
    Operator::LogSoftmax,
    Operator::SoftArgmax,
    Operator::Gather,
    Operator::HardGather,
    Operator::StraightThrough,
    Operator::GumbelSoftmax,
    Operator::GradualArgmax,
    Operator::PowerSoftmax,
    Operator::FreeEnergy,
    Operator::Sparsemax,
    Operator::Entmax15,
    Operator::Entmax,
    Operator::Budget,
];

/// The rounding of a sum's terms adds up like a random walk.
#[cfg(feature = "wgpu")]
fn tolerance_of(length: usize) -> f64 {
    F32 * (length as f64 / 256.0).sqrt().max(1.0)
}

#[cfg(feature = "wgpu")]
#[test]
fn rows_of_every_length_agree_through_fusion() {
    let mut table = Table::new();
    let devices = devices();
    let wgpu = devices.iter().find(|device| device.name == "wgpu");
    let wgpu = wgpu.expect("it is compiled in");
    for length in GPU_LENGTHS {
        // Many rows, one unit for each; few rows, which lanes share or which are split.
        for rows in [1, 20]
            .into_iter()
            .filter(|&rows| rows == 1 || length <= 4096)
        {
            let place = Place {
                masked: length > 2,
                ..Place::new(&[rows, length], 1)
            };
            for operator in KERNELS {
                let expected = place.run(operator, &devices[0].device);
                for (name, actual) in place.run(operator, &wgpu.device) {
                    let title = format!("{operator:?}, {rows} rows of {length}: {name}");
                    let terms = place.terms(operator, &name);
                    let tolerance = tolerance_of(length);
                    let expected = &expected[&name];
                    crate::compare(&mut table, &title, &actual, expected, terms, tolerance);
                }
            }
        }
    }
    table.finish();
}

#[test]
fn a_batch_of_no_rows_gives_no_results_forward_and_backward() {
    let mut table = Table::new();
    for (shape, dim) in [
        (&[0, 5][..], 1),
        (&[5, 0], 0),
        (&[2, 0, 3], 2),
        (&[3, 2, 0, 4], 0),
    ] {
        let place = Place::new(shape, dim);
        for device in devices() {
            let operators = if device.name == "wgpu" {
                &KERNELS_ALONE[..]
            } else {
                &OPERATORS
            };
            for &operator in operators {
                let x = place.leaves(&device.device);
                let (dims, sum) = with_rank!(shape.len(), D => {
                    let y = place.output::<D>(operator, &x);
                    (y.dims().to_vec(), y.sum())
                });
                let title = format!("{operator:?} of {shape:?} along {dim} on {}", device.name);
                let rows = dims.iter().zip(shape).enumerate();
                let right = rows
                    .filter(|&(d, (n, full))| n != full && !(d == dim && *n == 1))
                    .count()
                    == 0;
                table.check(right, &title, &format!("has the shape {dims:?}"));
                for (name, gradient) in x.gradients(sum, &Array::line([1.0])) {
                    // Coordinates belong to no row and get zeros.
                    let nothing = gradient.data.iter().all(|&x| x == 0.0);
                    let same = gradient.shape == x.array(&name).shape;
                    table.check(
                        nothing && same,
                        &title,
                        &format!("gives {name} the gradient {gradient:?}"),
                    );
                }
            }
        }
    }
    table.finish();
}
