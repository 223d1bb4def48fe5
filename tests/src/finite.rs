use std::collections::{BTreeMap, BTreeSet};

use burn_core::tensor::{DType, Device, Tensor};

use crate::{array::Array, leaves::Leaves, random::Random, table::Table};

/// Half the distance of a central difference: in f64 its truncation error `h² f'''/6` and its rounding error `ε f / h` are
/// then both near 1e-11 for functions and derivatives of order 1.
const STEP: f64 = 1e-5;

/// Of the largest slope. The errors of [`STEP`] are a hundred times smaller.
const RELATIVE: f64 = 1e-6;

/// Absolute, for slopes that are themselves as small as the error of the difference.
const FLOOR: f64 = 1e-9;

/// A gradient check by central differences through a weighted sum, in f64.
pub struct Difference {
    name: String,
    arrays: BTreeMap<String, Array>,
    constants: BTreeMap<String, Array>,
}

impl Difference {
    /// A check of the named function.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            arrays: BTreeMap::new(),
            constants: BTreeMap::new(),
        }
    }

    /// An argument whose gradient is checked.
    pub fn input(mut self, name: &str, array: impl Into<Array>) -> Self {
        self.arrays.insert(name.to_owned(), array.into());
        self
    }

    /// An argument that has no gradient.
    pub fn constant(mut self, name: &str, array: Array) -> Self {
        self.constants.insert(name.to_owned(), array);
        self
    }

    /// The gradient of `function` on `device`, which has autodiff, is its slope.
    pub fn check<const D: usize>(
        self,
        device: &Device,
        table: &mut Table,
        function: impl Fn(&Leaves) -> Tensor<D>,
    ) {
        self.check_against(device, table, &function, &function);
    }

    /// The gradient of `function` is the slope of `slope`: for functions whose gradient is by design that of another.
    pub fn check_against<const D: usize>(
        self,
        device: &Device,
        table: &mut Table,
        function: impl Fn(&Leaves) -> Tensor<D>,
        slope: impl Fn(&Leaves) -> Tensor<D>,
    ) {
        let names: Vec<String> = self.arrays.keys().cloned().collect();
        let title = self.name.clone();
        let live = self.compare(device, table, function, slope);
        for name in names {
            // A test of zeros against zeros would show nothing.
            let what = "has no slope at these inputs";
            table.check(live.contains(&name), &format!("{title}: {name}"), what);
        }
    }

    /// The same for inputs that may have no slope here; returns the names of those that have one.
    pub fn compare<const D: usize>(
        self,
        device: &Device,
        table: &mut Table,
        function: impl Fn(&Leaves) -> Tensor<D>,
        slope: impl Fn(&Leaves) -> Tensor<D>,
    ) -> BTreeSet<String> {
        let mut live = BTreeSet::new();
        let plain = device.clone().without_autodiff();
        let leaves = |device: &Device, arrays: &BTreeMap<String, Array>| {
            let mut all = self.constants.clone();
            all.extend(arrays.clone());
            Leaves::new(device, DType::F64, all).holding(self.arrays.clone())
        };
        let output = |arrays: &BTreeMap<String, Array>| Array::of(slope(&leaves(&plain, arrays)));
        let first = output(&self.arrays).data;
        let count = first.len();
        let mut weights = Random::new(count as u64 + 17).array([count], -1.0, 1.0);
        // The logarithm of a forbidden class' weight is -inf wherever the inputs are.
        for (weight, _) in weights
            .data
            .iter_mut()
            .zip(first)
            .filter(|(_, y)| !y.is_finite())
        {
            *weight = 0.0;
        }
        let value = |arrays: &BTreeMap<String, Array>| -> f64 {
            let products = output(arrays).data.into_iter().zip(&weights.data);
            products
                .filter(|(_, w)| **w != 0.0)
                .map(|(y, w)| y * w)
                .sum()
        };

        let leaves = leaves(device, &self.arrays);
        let gradients = leaves.gradients(function(&leaves), &weights);
        for (name, array) in &self.arrays {
            let title = format!("{}: {name}", self.name);
            let mut arrays = self.arrays.clone();
            let mut numeric = array.clone();
            for (i, slope) in numeric.data.iter_mut().enumerate() {
                let x = array.data[i];
                let mut at = |x: f64| {
                    arrays.get_mut(name).expect("it is an input").data[i] = x;
                    value(&arrays)
                };
                *slope = (at(x + STEP) - at(x - STEP)) / (2.0 * STEP);
                at(x);
            }
            let Some(gradient) = gradients.get(name) else {
                table.fail(&title, "was never asked for");
                continue;
            };
            if numeric.largest() > 1e-4 {
                live.insert(name.clone());
            }
            let allowed = RELATIVE * numeric.largest() + FLOOR;
            table.within(&title, gradient, &numeric, allowed);
        }
        live
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "square: x")]
    fn a_gradient_that_is_off_by_one_part_in_a_hundred_thousand_is_found() {
        let mut table = Table::new();
        Difference::new("square")
            .input("x", Array::line([0.3, -0.7, 1.1]))
            .check_against(
                &Device::flex().autodiff(),
                &mut table,
                |x| x.get::<1>("x").square().mul_scalar(1.000_01),
                |x| x.get::<1>("x").square(),
            );
        table.finish();
    }

    #[test]
    #[should_panic(expected = "has no slope")]
    fn a_check_of_nothing_does_not_pass() {
        let mut table = Table::new();
        Difference::new("constant")
            .input("x", Array::line([0.3, -0.7]))
            .check(&Device::flex().autodiff(), &mut table, |x| {
                x.get::<1>("x").mul_scalar(0.0)
            });
        table.finish();
    }
}
