//! The feature `debug-validation`: values are read back and named when they leave their domain.
#![cfg(feature = "debug-validation")]

use burn_core::tensor::{Device, Tensor};
use burn_relax::{gradual_argmax, power_softmax, softmax};

fn line<const N: usize>(values: [f32; N]) -> Tensor<1> {
    Tensor::from_floats(values, &Device::flex())
}

#[test]
fn values_inside_the_domain_pass() {
    gradual_argmax(line([0.0, 0.5, 1.0]), 0, 2.0);
    power_softmax(line([0.0, 7.0]), 0, line([2.0]));
    softmax(line([-1.0, f32::NEG_INFINITY]), 0, line([0.5]));
}

#[test]
#[should_panic(expected = "gradual_argmax: values must lie in [0, 1], got 1.5")]
fn a_value_above_one_is_named() {
    gradual_argmax(line([0.2, 1.5]), 0, 2.0);
}

#[test]
#[should_panic(expected = "gradual_argmax: values must lie in [0, 1], got NaN")]
fn not_a_number_is_named() {
    gradual_argmax(line([0.2, f32::NAN]), 0, 2.0);
}

#[test]
#[should_panic(expected = "power_softmax: values must be 0 or greater, got -0.25")]
fn a_negative_value_is_named() {
    power_softmax(line([0.5, -0.25]), 0, 2.0);
}

#[test]
#[should_panic(expected = "softmax: temperature must hold finite numbers greater than 0, got 0")]
fn a_temperature_tensor_is_read_too() {
    softmax(line([1.0, 2.0]), 0, line([0.0]));
}
