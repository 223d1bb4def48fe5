//! Same input, same bits: twice on a device, and on the CPU in threads side by side.

use std::thread;

use burn_core::tensor::DType;
use burn_relax_tests::{
    Array, Random, Table,
    cases::{Form, Numbers, Place, Trial, cases},
    devices,
};

fn upstream(shape: &[usize]) -> Array {
    Random::new(6).array(shape, -1.0, 1.0)
}

#[test]
fn the_same_call_gives_the_same_bits() {
    let mut table = Table::new();
    for case in cases() {
        for &form in case.forms().iter().filter(|&&form| form != Form::Shared) {
            // Enough rows for several threads, and rows of more than a block.
            for shape in [[200, 33], [3, 1025]] {
                let trial = Trial::new(case, &Place::new(&shape, 1), form, Numbers::Plain);
                for device in devices() {
                    let run = || trial.run(&device.device, DType::F32, upstream);
                    let first = run();
                    let again = thread::scope(|scope| {
                        let beside = scope.spawn(run);
                        let here = run();
                        [here, beside.join().expect("it ran here too")]
                    });
                    for (name, expected) in &first {
                        for results in &again {
                            let title = format!("{}: {name}", trial.title(device.name));
                            table.equal(&title, &results[name], expected);
                        }
                    }
                }
            }
        }
    }
    table.finish();
}
