//! What operators allocate: results and row statistics, nothing else of the inputs' size.

#![cfg(feature = "wgpu")]

#[allow(dead_code, reason = "it has what other tests need, too")]
mod device;

use burn_backend::Backend;
use burn_cubecl::{CubeBackend, cubecl::MemoryConfiguration, tensor::CubeTensor};
use burn_wgpu::RuntimeOptions;
use device::{
    device, device_with,
    operators::{Inputs, Operator, Results, Visit},
    read,
};

/// Rows, and classes: 4 MiB of f32.
const SIDE: usize = 1024;
const BYTES: u64 = 4 << 20;

/// Beside the results: row statistics (8 KiB), a few numbers between two launches, and what the allocator adds to each.
const SLACK: u64 = 1 << 18;

/// Bytes that the device has reserved. Pages hold one allocation each and are not given back, so that this is the peak.
fn reserved() -> u64 {
    CubeBackend::memory_pool_usage(&device())
        .expect("wgpu has memory pools")
        .bytes_reserved
}

/// Fails unless the device reserves an operator's results of [`BYTES`], and hardly more. Keeps them, so that no
/// later one can take their place.
struct Reserves(Vec<CubeTensor>);

impl Visit<CubeTensor> for Reserves {
    fn visit<R: Results<CubeTensor>>(
        &mut self,
        operator: &Operator<CubeTensor>,
        run: impl FnOnce() -> R,
    ) -> R {
        CubeBackend::memory_cleanup(&device());
        let before = reserved();
        // The device has done its work when the results arrive.
        let made = run().each(|result| {
            read(&result);
            self.0.push(result.clone());
            result
        });
        let (more, tensors) = (reserved() - before, operator.results as u64);
        assert!(
            (tensors * BYTES..tensors * BYTES + SLACK).contains(&more),
            "{}: {more} bytes for {tensors} tensors of {BYTES}",
            operator.name
        );
        made
    }
}

#[test]
fn a_forward_and_a_backward_pass_reserve_their_results_alone() {
    device_with(RuntimeOptions {
        memory_config: MemoryConfiguration::ExclusivePages,
        ..RuntimeOptions::default()
    });
    let inputs = Inputs::new(SIDE, SIDE);
    read(&inputs.floats[0]);
    inputs.visit(&mut Reserves(Vec::new()));
}
