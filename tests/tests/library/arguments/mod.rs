//! Every bad argument is refused with one form of message: `<op>: <argument> must <condition>, got <value>`.
//!
//! Checks read shapes and numbers, never a tensor's values, so one device shows them all.

mod configs;
mod numbers;
mod shapes;
mod sparse;

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn_core::tensor::{Device, Int, Tensor};

/// What `call` panics with.
pub(crate) fn message<R>(call: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(call)) else {
        return "nothing: it was accepted".to_owned();
    };
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().expect("panics carry text")).to_owned(),
    }
}

/// Every message is what was expected of it.
#[track_caller]
pub(crate) fn refuses(cases: Vec<(&str, String)>) {
    let wrong: Vec<String> = cases
        .into_iter()
        .filter(|(expected, actual)| actual != expected)
        .map(|(expected, actual)| format!("  expected {expected}\n       got {actual}"))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} wrong messages:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Each call is refused with its message.
macro_rules! refusals {
    ($($message:expr => $call:expr),+ $(,)?) => {
        crate::arguments::refuses(vec![$(($message, crate::arguments::message(|| $call))),+])
    };
}

fn zeros<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::zeros(shape, &Device::flex())
}

fn ints<const D: usize>(shape: [usize; D]) -> Tensor<D, Int> {
    Tensor::zeros(shape, &Device::flex())
}

pub(crate) use refusals;
