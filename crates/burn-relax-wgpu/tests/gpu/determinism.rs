//! Same input, same bits: again and again, and from threads with streams of their own.

use std::{sync::Barrier, thread};

use crate::device::operators::{All, Form, Inputs};

/// Runs of everything on each thread.
const RUNS: usize = 500;

/// What every operator gives for the same data of `shape`, as bytes. They are read at once: a thousand waits for each are slow.
fn run(shape: [usize; 2], dim: usize) -> Vec<Vec<u8>> {
    let mut all = All(Vec::new());
    Inputs::of(Form::new(&shape, dim)).visit(&mut all);
    let client = all.0[0].1.client.clone();
    let results = all.0.into_iter().map(|(_, result)| {
        let (shape, strides) = (result.meta.shape().clone(), result.meta.strides().clone());
        let size = result.elem_size();
        result.handle.copy_descriptor(shape, strides, size)
    });
    let read = client.read_tensor(results.collect()).expect("results");
    read.iter().map(|bytes| bytes.to_vec()).collect()
}

#[test]
fn a_thousand_runs_on_two_threads_give_the_same_bits() {
    // Few rows: lanes that wait for each other. Many rows: one unit for each.
    let shapes = [[3, 600], [40, 33]];
    let first = shapes.map(|shape| run(shape, 1));
    let start = Barrier::new(2);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                start.wait();
                for i in 0..RUNS {
                    let k = i % shapes.len();
                    assert!(run(shapes[k], 1) == first[k], "run {i} of {:?}", shapes[k]);
                }
            });
        }
    });
}

#[test]
fn long_rows_columns_and_many_rows_give_the_same_bits_again() {
    let shapes = [
        ([1, 128_001], 1, 10),
        ([7, 5000], 1, 20),
        ([5000, 7], 0, 20),
        ([900, 33], 1, 20),
    ];
    for (shape, dim, runs) in shapes {
        let first = run(shape, dim);
        for _ in 0..runs {
            assert!(run(shape, dim) == first, "another result for {shape:?}");
        }
    }
}
