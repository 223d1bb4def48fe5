//! How many kernels an operator launches.

#![cfg(feature = "wgpu")]

mod common;

use std::{cell::RefCell, sync::Arc};

use burn_backend::{DType, Shape, TensorData, ops::IntTensorOps};
use burn_cubecl::{
    CubeBackend,
    cubecl::logging::{LaunchObservation, LaunchObserver},
    tensor::CubeTensor,
};
use burn_relax_wgpu::*;
use common::{Numbers, device, tensor};

thread_local! {
    static LAUNCHED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Notes the kernels that each thread launches.
struct Notes;

impl LaunchObserver for Notes {
    fn launched(&self, kernel: &'static str) {
        LAUNCHED.with_borrow_mut(|launched| launched.push(kernel));
    }
}

/// The kernels that `run` launches.
fn launches<T>(run: impl FnOnce() -> T) -> (T, Vec<&'static str>) {
    LAUNCHED.take();
    let result = run();
    (result, LAUNCHED.take())
}

/// Fails unless `run` launches from 1 to `most` kernels.
#[track_caller]
fn at_most<T>(most: usize, what: &str, run: impl FnOnce() -> T) -> T {
    let (result, kernels) = launches(run);
    assert!(
        (1..=most).contains(&kernels.len()),
        "{what}: {} launches, allowed {most}: {kernels:?}",
        kernels.len()
    );
    result
}

/// Every operator at `[rows, n]`, forward and backward, `most` launches each.
fn check(rows: usize, n: usize, most: usize) {
    let shape = [rows, n];
    let mut numbers = Numbers(1);
    let mut new = |shape: &[usize]| {
        let count = shape.iter().product();
        tensor(&numbers.take(count, 1.0), shape)
    };
    let (x, v, g) = (new(&shape), new(&shape), new(&shape));
    let (row, coordinates) = (new(&[rows, 1]), new(&[n]));
    let unit = tensor(&vec![0.5; rows * n], &shape);
    let power = tensor(&[2.0], &[1, 1]);
    let named = TensorData::new(vec![0i32; rows], Shape::from([rows, 1]));
    let named: CubeTensor = CubeBackend::int_from_data(named, &device());
    let noise = || Noise::Drawn {
        key: 1,
        step: 2,
        row: 0,
    };
    let given = || Noise::Given(v.clone());
    let x = || x.clone();
    let (v, g, row, c) = (
        || v.clone(),
        || g.clone(),
        || row.clone(),
        || coordinates.clone(),
    );
    let (unit, power, named) = (|| unit.clone(), || power.clone(), || named.clone());

    let (p, s) = at_most(most, "softmax", || softmax(x(), 1, 0.5));
    at_most(most, "softmax backward", || {
        softmax_backward(p, s, g(), 1, 0.5)
    });
    let (l, s) = at_most(most, "log_softmax", || log_softmax(x(), 1));
    at_most(most, "log_softmax backward", || {
        log_softmax_backward(l, s, g(), 1)
    });
    let (y, s) = at_most(most, "soft_argmax", || soft_argmax(x(), c(), 1, 0.5));
    at_most(most, "soft_argmax backward", || {
        soft_argmax_backward(x(), c(), s, y, row(), 1, 0.5)
    });
    let (y, s) = at_most(most, "gather", || soft_argmax_gather(x(), v(), 1, 0.5));
    at_most(most, "gather backward", || {
        soft_argmax_gather_backward(x(), v(), s, y, row(), 1, 0.5)
    });
    let (_, y, s) = at_most(most, "hard gather", || hard_argmax_gather(x(), v(), 1, 0.5));
    at_most(most, "hard gather backward", || {
        soft_argmax_gather_backward(x(), v(), s, y, row(), 1, 0.5)
    });
    at_most(most, "gradual", || gradual_argmax(unit(), power(), 1));
    at_most(most, "gradual backward", || {
        gradual_argmax_backward(unit(), power(), g(), 1)
    });
    let (_, s) = at_most(most, "power softmax", || power_softmax(unit(), power(), 1));
    at_most(most, "power softmax backward", || {
        power_softmax_backward(unit(), power(), s, g(), 1)
    });
    let (_, s) = at_most(most, "free energy", || free_energy(x(), v(), 1, 0.5));
    at_most(most, "free energy backward", || {
        free_energy_backward(x(), v(), s, row(), 1, 0.5)
    });
    let alpha = || power();
    let (p, s) = at_most(1, "entmax", || entmax(x(), 1, 1.5));
    at_most(most, "entmax backward", || {
        entmax_backward(p, s, g(), 1, 1.5)
    });
    let (p, s) = at_most(1, "entmax of rows", || entmax_rows(x(), alpha(), 1));
    at_most(most, "entmax of rows backward", || {
        entmax_rows_backward(p, alpha(), s, g(), 1)
    });
    let (p, s) = at_most(1, "budget", || budget(x(), power(), 1));
    at_most(most, "budget backward", || budget_backward(p, s, g(), 1));
    let (_, s) = at_most(most, "straight-through", || {
        straight_through_argmax(x(), 1, 0.5)
    });
    at_most(most, "straight-through backward", || {
        straight_through_argmax_backward(x(), s, g(), 1, 0.5)
    });
    let (p, s) = at_most(most, "gumbel", || gumbel_softmax(x(), noise(), 1, 0.5));
    at_most(most, "gumbel backward", || {
        softmax_backward(p, s, g(), 1, 0.5)
    });
    at_most(most, "gumbel, given", || {
        gumbel_softmax(x(), given(), 1, 0.5)
    });
    let (_, s) = at_most(most, "hard gumbel", || gumbel_argmax(x(), noise(), 1, 0.5));
    at_most(most, "hard gumbel backward", || {
        gumbel_argmax_backward(x(), noise(), s, g(), 1, 0.5)
    });
    let (index, _, s) = at_most(most, "sample", || {
        sample_categorical(x(), 1, 1, 1.0, [3, 4, 0], DType::I32)
    });
    at_most(most, "sample backward", || {
        categorical_log_prob_backward(x(), index, s, row(), 1, 1.0)
    });
    let (_, s) = at_most(most, "log-probability", || {
        categorical_log_prob(x(), named(), 1)
    });
    at_most(most, "log-probability backward", || {
        categorical_log_prob_backward(x(), named(), s, row(), 1, 1.0)
    });
    at_most(most, "argmax", || argmax(x(), 1, DType::I32));
    at_most(most, "argmax gather", || argmax_gather(x(), v(), 1));
    at_most(most, "argmax gather backward", || {
        argmax_gather_backward(x(), row(), 1)
    });
}

#[test]
fn rows_that_fit_one_cube_take_one_launch_and_longer_ones_two() {
    let _observation = LaunchObservation::new(Arc::new(Notes));
    for (rows, n) in [
        (7, 1),
        (1025, 3),
        (4096, 128),
        (5, 1000),
        (3, 4096),
        (20, 32_000),
    ] {
        check(rows, n, 1);
    }
    for n in [128_001, 1_000_000] {
        check(1, n, 2);
    }
    // The count sees a copy where one is made.
    let x = tensor(&[0.0; 24], &[2, 3, 4]);
    let turned =
        <CubeBackend as burn_backend::ops::FloatTensorOps<_>>::float_permute(x, &[2, 1, 0]);
    let (_, kernels) = launches(|| softmax(turned, 0, 1.0));
    assert_eq!(kernels.len(), 2, "{kernels:?}");
}
