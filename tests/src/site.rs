use std::cell::RefCell;

use burn_core::tensor::{DType, Device, Tensor};

use crate::{
    array::Array,
    devices::{NamedDevice, cpu_devices, devices},
    leaves::Leaves,
    table::Table,
};

/// A device and a dtype in which results are compared with known numbers.
#[derive(Clone)]
pub struct Site<'a> {
    /// For reports.
    pub name: String,
    /// The device.
    pub device: Device,
    /// The dtype of every tensor of numbers.
    pub dtype: DType,
    /// What [`is`](Self::is) allows, of max(1, the largest magnitude).
    pub tolerance: f64,
    digits: f64,
    table: &'a RefCell<Table>,
}

/// Calls `check` on every device in f32.
///
/// # Panics
///
/// With the table of all that differs.
#[track_caller]
pub fn on_every_device(tolerance: f64, check: impl Fn(&Site)) {
    at_each(
        devices().into_iter().map(|d| (d, DType::F32, tolerance)),
        check,
    );
}

/// Calls `check` in f64 on every CPU device with autodiff.
///
/// # Panics
///
/// With the table of all that differs.
#[track_caller]
pub fn in_f64(tolerance: f64, check: impl Fn(&Site)) {
    at_each(double(tolerance), check);
}

/// Calls `check` with autodiff in f32 on every device and in f64 on the CPU, with a tolerance for each.
///
/// # Panics
///
/// With the table of all that differs.
#[track_caller]
pub fn in_every_dtype([in_f32, in_f64]: [f64; 2], check: impl Fn(&Site)) {
    let single = devices()
        .into_iter()
        .map(|d| (tracked(d), DType::F32, in_f32));
    at_each(single.chain(double(in_f64)), check);
}

fn double(tolerance: f64) -> impl Iterator<Item = (NamedDevice, DType, f64)> {
    let devices = cpu_devices().into_iter();
    devices.map(move |d| (tracked(d), DType::F64, tolerance))
}

fn tracked(device: NamedDevice) -> NamedDevice {
    NamedDevice {
        device: device.device.autodiff(),
        ..device
    }
}

#[track_caller]
fn at_each(sites: impl Iterator<Item = (NamedDevice, DType, f64)>, check: impl Fn(&Site)) {
    let table = RefCell::default();
    for (NamedDevice { name, device, .. }, dtype, tolerance) in sites {
        check(&Site {
            name: format!("{name} {dtype:?}"),
            device,
            dtype,
            tolerance,
            digits: 0.0,
            table: &table,
        });
    }
    table.into_inner().finish();
}

impl Site<'_> {
    /// The same for numbers that are printed with a rounding of `digits`, which [`is`](Self::is) allows as well.
    pub fn printed(&self, digits: f64) -> Self {
        Self {
            digits,
            ..self.clone()
        }
    }

    /// Numbers as a tensor.
    pub fn tensor<const D: usize>(&self, array: impl Into<Array>) -> Tensor<D> {
        array.into().tensor(&self.device, self.dtype)
    }

    /// Named inputs on the device with autodiff.
    pub fn leaves<const N: usize, A: Into<Array>>(&self, inputs: [(&str, A); N]) -> Leaves {
        let device = match self.device.is_autodiff() {
            true => self.device.clone(),
            false => self.device.clone().autodiff(),
        };
        let inputs = inputs.map(|(name, array)| (name.to_owned(), array.into()));
        Leaves::new(&device, self.dtype, inputs.into())
    }

    /// Agrees within the tolerance.
    pub fn is(&self, what: &str, actual: impl Into<Array>, expected: impl Into<Array>) {
        let expected = expected.into();
        let allowed = self.digits + self.tolerance * expected.largest().max(1.0);
        self.within(what, actual, expected, allowed);
    }

    /// Agrees within the absolute `allowed`.
    pub fn within(
        &self,
        what: &str,
        actual: impl Into<Array>,
        expected: impl Into<Array>,
        allowed: f64,
    ) {
        let title = format!("{}: {what}", self.name);
        let (actual, expected) = (actual.into(), expected.into());
        let mut table = self.table.borrow_mut();
        table.within(&title, &actual, &expected, allowed);
    }

    /// Agrees to the bit.
    pub fn equals(&self, what: &str, actual: impl Into<Array>, expected: impl Into<Array>) {
        self.within(what, actual, expected, 0.0);
    }

    /// Something else holds.
    pub fn check(&self, holds: bool, what: &str) {
        self.table.borrow_mut().check(holds, &self.name, what);
    }
}
