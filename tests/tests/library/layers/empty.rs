//! A batch without rows.

use burn_core::tensor::DType;
use burn_relax_tests::{
    Array, Table,
    cases::{Form, Numbers, Place, Trial, cases},
    devices,
};

#[test]
fn a_batch_of_no_rows_gives_no_results_forward_and_backward() {
    let mut table = Table::new();
    for (shape, dim) in [
        (&[0, 5][..], 1),
        (&[5, 0], 0),
        (&[2, 0, 3], 2),
        (&[3, 2, 0, 4], 0),
    ] {
        for device in devices() {
            for case in cases() {
                // Burn's own operations on an empty tensor of rank 2 or more compute `0 - 1` in burn-cubecl 0.22.1, which panics
                // where overflow is checked, as in this build. On wgpu only what runs on kernels from end to end can be shown.
                if device.name == "wgpu" && !case.empty_on_gpu {
                    continue;
                }
                let trial = Trial::new(case, &Place::new(shape, dim), Form::Number, Numbers::Plain);
                let leaves = trial.leaves(&device.device, DType::F32);
                let (dims, output) = trial.output(&leaves);
                let title = trial.title(device.name);
                let rows = dims.iter().zip(shape).enumerate();
                let right = rows.filter(|&(d, (n, full))| n != full && d != dim).count() == 0;
                table.check(right, &title, &format!("has the shape {dims:?}"));
                if !case.learns() {
                    continue;
                }
                for (name, gradient) in leaves.gradients(output.sum(), Array::line([1.0])) {
                    // Coordinates belong to no row and get zeros.
                    let nothing = gradient.data.iter().all(|&x| x == 0.0);
                    let same = gradient.shape == leaves.array(&name).shape;
                    let what = format!("gives {name} the gradient {gradient:?}");
                    table.check(nothing && same, &title, &what);
                }
            }
        }
    }
    table.finish();
}
