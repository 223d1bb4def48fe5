//! The sides of a comparison.

use std::hint::black_box;

use burn::tensor::{Device, Tensor};
use burn_relax::execution::{Operators, set_operators};
use burn_relax_tests::cases::Drawn;
use rayon::{ThreadPool, prelude::*};

use crate::{
    device::{Dtype, Pass},
    operators::Operator,
    timing::{Side, side},
    twins::Function,
};

/// Numbers below which a copy or a plain loop stays on one thread.
const PARALLEL: usize = 1 << 16;

/// This library.
pub fn fused<'a>(
    operator: &Operator,
    inputs: &Drawn,
    pass: Pass,
    pool: &'a ThreadPool,
) -> Option<Side<'a>> {
    match pass {
        Pass::Backward => {
            let device = inputs.device();
            let run = inputs.backward()?;
            Some(side(pool, move || {
                let results = run();
                wait(&device);
                drop(results);
            }))
        }
        _ => burn(operator.case.call.two, inputs, pass, pool),
    }
}

/// Burn's operations, as a user would compose them or else as the library's default bodies do; a backward pass alone is not
/// measured.
pub fn composed<'a>(
    operator: &Operator,
    inputs: &Drawn,
    pass: Pass,
    pool: &'a ThreadPool,
) -> Option<Side<'a>> {
    if pass == Pass::Backward {
        return None;
    }
    if let Some(twin) = operator.twin {
        return burn(twin.composed, inputs, pass, pool);
    }
    let mut fused = burn(operator.case.call.two, inputs, pass, pool)?;
    Some(Box::new(move |repeats| {
        set_operators(Operators::Composed);
        let seconds = fused(repeats);
        set_operators(Operators::Custom);
        seconds
    }))
}

/// A forward pass, or one with all that autodiff does where a gradient is asked for, waited for.
fn burn<'a>(
    function: Function,
    inputs: &Drawn,
    pass: Pass,
    pool: &'a ThreadPool,
) -> Option<Side<'a>> {
    let device = inputs.device();
    if pass == Pass::Forward {
        let inputs = inputs.clone();
        return Some(side(pool, move || {
            let result = inputs.forward(function);
            wait(&device);
            drop(result);
        }));
    }
    let inputs = inputs.clone().autodiff();
    inputs.learns().then(|| {
        side(pool, move || {
            let results = inputs.forward_backward(function);
            wait(&device);
            drop(results);
        })
    })
}

fn wait(device: &Device) {
    device.sync().expect("the device finishes its work");
}

/// A plain loop over the rows of a forward pass, rows shared among the threads.
pub fn naive<'a>(
    operator: &Operator,
    inputs: &Drawn,
    pass: Pass,
    pool: &'a ThreadPool,
) -> Option<Side<'a>> {
    let plain = operator.twin?.plain;
    if pass != Pass::Forward {
        return None;
    }
    let numbers = |tensor: Tensor<1>| tensor.into_data().try_to_vec::<f32>().ok();
    let (logits, beside) = (numbers(inputs.flat(0)?)?, inputs.flat(1).map(numbers));
    let beside = beside.map_or(Some(Vec::new()), |beside| beside)?;
    let [rows, width] = inputs.forward(operator.case.call.two).dims();
    let (n, beside_width) = (logits.len() / rows, beside.len() / rows);
    let mut out = vec![0.0; rows * width];
    Some(side(pool, move || {
        let row = |(r, out): (usize, &mut [f32])| {
            let beside = &beside[r * beside_width..(r + 1) * beside_width];
            plain(&logits[r * n..(r + 1) * n], beside, out);
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
