//! How many kernels an operator launches.

use std::{cell::RefCell, sync::Arc};

use burn_backend::ops::FloatTensorOps;
use burn_cubecl::{
    CubeBackend,
    cubecl::logging::{LaunchObservation, LaunchObserver},
    tensor::CubeTensor,
};
use burn_relax_wgpu::softmax;

use crate::device::{
    operators::{Inputs, Operator, Results, Visit},
    tensor,
};

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
fn launched<T>(run: impl FnOnce() -> T) -> (T, Vec<&'static str>) {
    LAUNCHED.take();
    let result = run();
    (result, LAUNCHED.take())
}

/// Fails where an operator launches no kernel or more than it may.
struct Counts {
    split: bool,
}

impl Visit<CubeTensor> for Counts {
    fn visit<R: Results<CubeTensor>>(
        &mut self,
        operator: &Operator<CubeTensor>,
        run: impl FnOnce() -> R,
    ) -> R {
        let most = if self.split { operator.launches } else { 1 };
        let (results, kernels) = launched(run);
        assert!(
            (1..=most).contains(&kernels.len()),
            "{}: {} launches, allowed {most}: {kernels:?}",
            operator.name,
            kernels.len()
        );
        results
    }
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
        Inputs::new(rows, n).visit(&mut Counts { split: false });
    }
    for n in [128_001, 1_000_000] {
        Inputs::new(1, n).visit(&mut Counts { split: true });
    }
    // The count sees a copy where one is made.
    let x = tensor(&[0.0; 24], &[2, 3, 4]);
    let turned = CubeBackend::float_permute(x, &[2, 1, 0]);
    let (_, kernels) = launched(|| softmax(turned, 0, 1.0));
    assert_eq!(kernels.len(), 2, "{kernels:?}");
}
