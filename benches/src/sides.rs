//! The sides of a comparison.

use std::hint::black_box;

use burn::tensor::{Device, Tensor};
use rayon::{ThreadPool, prelude::*};

use crate::{
    device::{Dtype, Pass},
    operators::{Function, Operator, forward_backward},
    timing::{Side, side},
};

/// Numbers below which a copy or a plain loop stays on one thread.
const PARALLEL: usize = 1 << 16;

/// This library.
pub fn fused<'a>(
    operator: &Operator,
    inputs: &[Tensor<2>; 2],
    pass: Pass,
    pool: &'a ThreadPool,
) -> Option<Side<'a>> {
    match pass {
        Pass::Backward => {
            let [first, second] = inputs.clone();
            let device = first.device();
            let mut run = operator.backward?(first, second);
            Some(side(pool, move || {
                run();
                wait(&device);
            }))
        }
        _ => Some(burn(operator.fused, operator, inputs, pass, pool)),
    }
}

/// Burn's operations; a backward pass alone is not measured.
pub fn composed<'a>(
    operator: &Operator,
    inputs: &[Tensor<2>; 2],
    pass: Pass,
    pool: &'a ThreadPool,
) -> Option<Side<'a>> {
    (pass != Pass::Backward).then(|| burn(operator.composed, operator, inputs, pass, pool))
}

/// A forward pass, or one with all that autodiff does, waited for.
fn burn<'a>(
    function: Function,
    operator: &Operator,
    inputs: &[Tensor<2>; 2],
    pass: Pass,
    pool: &'a ThreadPool,
) -> Side<'a> {
    let device = inputs[0].device();
    let learns = operator.learns;
    if pass == Pass::Forward {
        let [first, second] = inputs.clone();
        return side(pool, move || {
            let result = function(first.clone(), second.clone());
            wait(&device);
            drop(result);
        });
    }
    let inputs = inputs.clone().map(Tensor::autodiff);
    side(pool, move || {
        let results = forward_backward(function, &inputs, learns);
        wait(&device);
        drop(results);
    })
}

fn wait(device: &Device) {
    device.sync().expect("the device finishes its work");
}

/// A plain loop over the rows of a forward pass, rows shared among the threads.
pub fn naive<'a>(
    operator: &'static Operator,
    inputs: &[Tensor<2>; 2],
    pass: Pass,
    pool: &'a ThreadPool,
) -> Option<Side<'a>> {
    if pass != Pass::Forward {
        return None;
    }
    let [rows, n] = inputs[0].dims();
    let [logits, beside] = inputs
        .clone()
        .map(|input| input.into_data().try_to_vec::<f32>().ok());
    let (logits, beside) = (logits?, beside?);
    let beside_width = operator.beside.width(n);
    // As many numbers as the operator writes: a row, or one number, or a block of features.
    let width = match operator.forward.writes {
        0 => (operator.forward.reads - 1).max(1),
        _ => n,
    };
    let mut out = vec![0.0; rows * width];
    Some(side(pool, move || {
        let row = |(r, out): (usize, &mut [f32])| {
            let beside = &beside[r * beside_width..(r + 1) * beside_width];
            (operator.naive)(&logits[r * n..(r + 1) * n], beside, out);
        };
        if rows * n < PARALLEL {
            out.chunks_mut(width).enumerate().for_each(row);
        } else {
            out.par_chunks_mut(width).enumerate().for_each(row);
        }
        black_box(&mut out);
    }))
}

/// A copy that moves as many bytes as the pass must: half of them read, half written, one block for each thread.
pub fn copy<'a>(
    operator: &Operator,
    shape: [usize; 2],
    dtype: Dtype,
    pass: Pass,
    pool: &'a ThreadPool,
) -> Side<'a> {
    let traffic = operator.traffic(pass);
    let numbers = (traffic.reads + traffic.writes) * shape[0] * shape[1];
    let len = (numbers * dtype.size() / 2).max(1);
    // Written, so that every page of both is there before the clock runs.
    let (source, mut target) = (vec![1_u8; len], vec![2_u8; len]);
    let block = if numbers < PARALLEL {
        len
    } else {
        len.div_ceil(pool.current_num_threads())
    };
    side(pool, move || {
        if block == len {
            target.copy_from_slice(&source);
        } else {
            target
                .par_chunks_mut(block)
                .zip(source.par_chunks(block))
                .for_each(|(to, from)| to.copy_from_slice(from));
        }
        black_box(&mut target);
    })
}
