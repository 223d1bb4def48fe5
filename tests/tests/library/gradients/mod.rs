//! Gradients against central differences in f64 on Flex, beside those of the registry: of functions that are no operator of a row, and
//! of more ranks, maps and alphas.
//!
//! Every test runs twice: plainly, and under gradient checkpointing, which recomputes in the backward pass what Burn counts
//! as cheap. `Difference` states the tolerance: 1e-6 of the largest slope.

mod estimators;
mod hard;
mod soft;
mod sparse;
mod spatial;

use burn_relax_tests::{Array, Random};

/// Makes two tests of each `fn(&Device, &mut Table)`.
macro_rules! twice {
    ($($name:ident),+ $(,)?) => {
        mod plain {
            $(#[test]
            fn $name() {
                let mut table = burn_relax_tests::Table::new();
                super::$name(&burn_core::tensor::Device::flex().autodiff(), &mut table);
                table.finish();
            })+
        }

        mod checkpointed {
            $(#[test]
            fn $name() {
                let mut table = burn_relax_tests::Table::new();
                let device = burn_core::tensor::Device::flex().autodiff().gradient_checkpointing();
                super::$name(&device, &mut table);
                table.finish();
            })+
        }
    };
}

/// Checks a function of named arguments for shapes of ranks 1 to 4 and each of their axes; `$rank` is a constant. A last
/// closure is the function whose slope the gradient is by design, where that is another.
macro_rules! at_every_axis {
    ($device:ident, $table:ident, $name:expr, |$rank:ident, $shape:ident, $dim:ident| $inputs:expr, |$x:ident| $call:expr) => {
        crate::gradients::at_every_axis!(
            $device, $table, $name, |$rank, $shape, $dim| $inputs, |$x| $call, |$x| $call
        )
    };
    ($device:ident, $table:ident, $name:expr, |$rank:ident, $shape:ident, $dim:ident| $inputs:expr, |$x:ident| $call:expr, |$y:ident| $slope:expr) => {
        let shapes: [&[usize]; 5] = [&[5], &[9, 2], &[3, 4], &[2, 3, 4], &[2, 3, 2, 2]];
        for shape in shapes {
            for $dim in 0..shape.len() {
                burn_relax_tests::with_rank!(shape.len(), $rank => {
                    let $shape: [usize; $rank] = shape.try_into().expect("the rank is the shape's");
                    let name = format!("{} of {shape:?} along {}", $name, $dim);
                    let mut difference = burn_relax_tests::Difference::new(name);
                    for (name, array) in $inputs {
                        difference = difference.input(name, array);
                    }
                    difference.check_against(
                        $device,
                        $table,
                        |$x| $call,
                        |$y| $slope,
                    );
                });
            }
        }
    };
}

/// Numbers between -1.5 and 1.5, no two equal: the winner leads the runner-up by far more than a difference's step.
fn spread<const D: usize>(shape: [usize; D], seed: u64) -> Array {
    let mut random = Random::new(seed);
    let count: usize = shape.iter().product();
    let mut places: Vec<usize> = (0..count).collect();
    for i in (1..count).rev() {
        places.swap(i, random.below(i + 1));
    }
    let spacing = 3.0 / count as f64;
    let data: Vec<f64> = places
        .into_iter()
        .map(|place| spacing.mul_add(place as f64 + random.number(0.0, 0.5), -1.5))
        .collect();
    Array::new(shape, data)
}

/// Numbers in `(0, 1)`, no two equal.
fn unit<const D: usize>(shape: [usize; D], seed: u64) -> Array {
    spread(shape, seed).map(|x| (x + 1.6) / 3.2)
}

/// One positive number per row: a temperature or power well inside its domain.
fn per_row<const D: usize>(mut shape: [usize; D], dim: usize) -> Array {
    shape[dim] = 1;
    Random::new(3).array(shape, 0.6, 1.8)
}

/// One positive number for all rows, as a tensor.
fn shared<const D: usize>(_: [usize; D]) -> Array {
    Array::new([1; D], [0.8])
}

use at_every_axis;
pub(crate) use twice;
