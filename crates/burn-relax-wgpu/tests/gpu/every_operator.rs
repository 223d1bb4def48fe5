//! Every operator agrees with the CPU at every length, on every axis, in every layout, on every special row.

use burn_backend::ops::{FloatTensorOps, IntTensorOps};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use burn_relax_wgpu::INDEX;

use crate::{
    agreement::{check, check_gathers},
    device::{
        Numbers,
        operators::{Form, Inputs},
        read, tensor,
    },
    support::LENGTHS,
};

/// Softmax, its neighbours, the closed forms, and what lies between and beyond.
#[rustfmt::skip]
const ALPHAS: [f64; 10] = [1.0, 1.0 + 1e-6, 1.001, 1.2, 4.0 / 3.0, 1.5, 1.75, 2.0, 2.25, 3.0];

/// [`check`] of ordinary numbers.
fn check_form(form: Form) {
    check("", &Inputs::of(form));
}

/// A form with `alphas`, fixed ones and the same in each row.
fn with_alphas(shape: &[usize], alphas: &[f64]) -> Form {
    Form {
        fixed: alphas.to_vec(),
        alphas: alphas.iter().map(|&alpha| vec![alpha as f32; 2]).collect(),
        ..Form::new(shape, 1)
    }
}

/// A form whose rows have powers, alphas and budgets of their own.
fn varied(shape: &[usize], dim: usize) -> Form {
    Form {
        powers: vec![vec![1.1, 2.9, 2.0]],
        fixed: vec![1.5],
        alphas: vec![vec![1.0, 1.001, 1.2, 1.5, 1.75, 2.0]],
        budgets: vec![vec![0.5, 1.0, 3.25]],
        ..Form::new(shape, dim)
    }
}

/// Two axes, exchanged in every tensor that has them.
fn turned(inputs: &Inputs<CubeTensor>) -> Inputs<CubeTensor> {
    let mut turned = inputs.map(|t| match t.meta.num_dims() {
        1 => t.clone(),
        _ if t.dtype == INDEX => CubeBackend::int_swap_dims(t.clone(), 0, 1),
        _ => CubeBackend::float_swap_dims(t.clone(), 0, 1),
    });
    turned.form.shape.swap(0, 1);
    turned.form.dim = 1 - inputs.form.dim;
    turned
}

/// The logits, and all floats of as many axes, in another layout; with `half`, every second of them.
fn laid_out(
    inputs: &Inputs<CubeTensor>,
    half: bool,
    layout: impl Fn(CubeTensor) -> CubeTensor,
) -> Inputs<CubeTensor> {
    let mut other = false;
    inputs.map(|t| {
        other = !other;
        let floats = t.dtype != INDEX && t.meta.num_dims() == inputs.form.shape.len();
        if floats && (other || !half) {
            layout(t.clone())
        } else {
            t.clone()
        }
    })
}

/// The same tensor, cut out of a larger one.
fn sliced(t: CubeTensor) -> CubeTensor {
    let shape = t.meta.shape().to_vec();
    let larger: Vec<usize> = shape.iter().map(|size| size + 5).collect();
    let places: Vec<_> = shape.iter().map(|&size| (3..3 + size).into()).collect();
    let larger = tensor(&vec![f32::NAN; larger.iter().product()], &larger);
    let larger = CubeBackend::float_slice_assign(larger, &places, t);
    CubeBackend::float_slice(larger, &places)
}

/// The first entries along `axis`, again and again.
fn expanded(t: CubeTensor, axis: usize) -> CubeTensor {
    let shape = t.meta.shape().clone();
    let mut places: Vec<_> = shape.iter().map(|&size| (0..size).into()).collect();
    places[axis] = (0..1).into();
    CubeBackend::float_expand(CubeBackend::float_slice(t, &places), shape)
}

/// The same tensor, whose memory has its last axis first.
fn permuted(t: CubeTensor) -> CubeTensor {
    let axes = t.meta.num_dims();
    let first: Vec<usize> = (1..axes).chain([0]).collect();
    let last: Vec<usize> = [axes - 1].into_iter().chain(0..axes - 1).collect();
    let moved = CubeBackend::float_permute(t, &last);
    let moved = tensor(&read(&moved), moved.meta.shape());
    CubeBackend::float_permute(moved, &first)
}

/// Eight rows of special kinds around ordinary ones, again and again: logits, and numbers for the powers among which are zeros, ties,
/// ones and a NaN.
fn special(form: Form) -> Inputs<CubeTensor> {
    let n = form.shape[1];
    let mut numbers = Numbers(n as u64);
    let mut x = numbers.take(8 * n, 3.0);
    let mut unit = numbers.take(8 * n, 1.0);
    for i in 0..8 * n {
        let (row, even) = (i / n, (i % n).is_multiple_of(2));
        match row {
            1 => x[i] = f32::NEG_INFINITY,
            2 | 6 if even => x[i] = f32::NEG_INFINITY,
            5 => x[i] = 1.25,
            _ => {}
        }
        unit[i] = match row {
            1 => 0.0,
            2 => 0.5,
            _ if i % 11 == 5 => 0.0,
            _ => unit[i].abs(),
        };
    }
    for i in [3 * n + n / 2, 4 * n - 1] {
        (x[i], unit[i]) = (f32::INFINITY, 1.0);
    }
    x[7 * n - 1] = f32::INFINITY;
    (x[4 * n + n / 3], unit[4 * n + n / 3]) = (f32::NAN, f32::NAN);
    let repeat = form.shape[0] / 8;
    let mut inputs = Inputs::of(form);
    for (place, values) in [(0, x), (2, unit)] {
        inputs.floats[place] = tensor(&values.repeat(repeat), &inputs.form.shape);
    }
    inputs
}

#[test]
fn rows_of_every_length() {
    for n in LENGTHS {
        let alphas: &[f64] = match n {
            ..10_000 => &ALPHAS,
            10_000..200_000 => &[1.0, 1.2, 1.5, 2.0, 2.25],
            _ => &[1.5, 2.0],
        };
        let (long, whole) = (n > 100_000, n as f32);
        let budgets = [0.5, 1.0, 2.5, 0.3 * whole, 0.9 * whole];
        check_form(Form {
            scale: 4.0,
            powers: vec![vec![1.0], vec![3.0], vec![0.5; 2], vec![2.5; 2]],
            budgets: budgets.map(|k| vec![k]).to_vec(),
            ..with_alphas(&[if long { 1 } else { 3 }, n], alphas)
        });
        if long {
            check_form(varied(&[3, n], 1));
        }
    }
}

#[test]
fn rows_along_every_axis() {
    for n in [1, 2, 16, 17, 33, 257, 1025] {
        check_form(varied(&[n], 0));
        check_form(varied(&[n, 5], 0));
        check_form(varied(&[3, n, 5], 1));
        check_form(varied(&[2, 3, 2, n], 3));
    }
}

#[test]
fn many_rows_fill_several_cubes_and_axes() {
    check_form(varied(&[70_001, 3], 1));
    check_form(varied(&[20, 70_001], 0));
    // Each row has its alpha.
    let alphas = vec![ALPHAS.map(|alpha| alpha as f32).to_vec()];
    check_form(Form {
        alphas,
        ..varied(&[40, 100], 1)
    });
    for n in [3, 33, 128] {
        check_form(Form {
            fixed: vec![1.0, 1.2, 1.5, 2.0, 2.25],
            ..varied(&[1025, n], 1)
        });
    }
}

#[test]
fn blocks_of_features() {
    for features in [&[0][..], &[1], &[2], &[3], &[4], &[5], &[2, 3], &[65]] {
        for n in [1, 3, 17, 300] {
            for (shape, temperature) in [(&[4, n][..], 1.0), (&[2, n, 3], 2.0)] {
                check_gathers(&Inputs::of(Form {
                    features: features.to_vec(),
                    temperature,
                    ..Form::new(shape, 1)
                }));
            }
        }
    }
}

#[test]
fn large_logits_at_any_temperature() {
    for temperature in [1e-3, 0.1, 1.0, 10.0] {
        for (shape, dim, features) in [([7, 40], 1, vec![]), ([40, 7], 0, vec![2])] {
            check_form(Form {
                scale: 1e4,
                features,
                temperature,
                ..varied(&shape, dim)
            });
        }
    }
    let mut inputs = Inputs::of(varied(&[40, 7], 1));
    let x = read(&inputs.floats[0]).into_iter().map(|x| x + 1e4);
    inputs.floats[0] = tensor(&x.collect::<Vec<_>>(), &[40, 7]);
    check("the noise keeps its digits", &inputs);
}

#[test]
fn flat_and_steep_rows() {
    for scale in [1e-5, 1e-2, 1e2, 1e4] {
        for n in [3, 40, 1000, 4096] {
            check_form(Form {
                scale,
                budgets: vec![vec![0.5], vec![2.5], vec![0.3 * n as f32]],
                ..with_alphas(&[3, n], &ALPHAS)
            });
        }
    }
}

#[test]
fn transposed_sliced_expanded_and_permuted_inputs() {
    for dim in 0..2 {
        let inputs = Inputs::of(varied(&[24, 40], dim));
        check("transposed", &turned(&inputs));
        check("some transposed", &laid_out(&inputs, true, permuted));
        check("sliced", &laid_out(&inputs, false, sliced));
        // Equal values of all classes would have no gradient.
        let wide = |half| laid_out(&inputs, half, |t| expanded(t, 1 - dim));
        check("some expanded", &wide(true));
        check("expanded", &wide(false));
        let mut wide = inputs.map(CubeTensor::clone);
        wide.floats[0] = expanded(wide.floats[0].clone(), dim);
        check("equal logits", &wide);
    }
    for dim in 0..3 {
        let inputs = Inputs::of(varied(&[6, 4, 5], dim));
        check("permuted", &laid_out(&inputs, false, permuted));
    }
}

#[test]
fn masks_infinities_nan_and_ties_in_their_row_only() {
    // Beyond the longest row of a cube, parts of a row hold nothing special or nothing else.
    for n in [1, 2, 3, 16, 17, 33, 257, 1025, 40_001] {
        let short = n < 10_000;
        let alphas: &[f64] = match short {
            true => &[1.0, 1.001, 1.5, 1.75, 2.0, 3.0],
            false => &[1.5],
        };
        // Few rows share their work between lanes, many do not.
        for rows in [8, 24] {
            let inputs = special(Form {
                temperature: 0.5,
                powers: vec![vec![1.0], vec![0.5], vec![4.0]],
                budgets: vec![vec![0.5, 1.0, 3.25], vec![0.0], vec![n as f32]],
                ..with_alphas(&[rows, n], alphas)
            });
            check("special rows", &inputs);
            if short {
                check("special columns", &turned(&inputs));
            }
        }
    }
}

#[test]
fn what_stands_at_forbidden_classes_is_ignored_even_if_nan() {
    for n in [2, 16, 17, 300] {
        // No number forbids a class of the powers.
        let mut inputs = special(Form {
            powers: vec![],
            ..varied(&[8, n], 1)
        });
        let x = read(&inputs.floats[0]);
        // Values, costs and noise; the gradients of weights; the values of the gathers.
        for k in [1, 3, 6] {
            let mut v = read(&inputs.floats[k]);
            for i in n..3 * n {
                if x[i] == f32::NEG_INFINITY {
                    v[i] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][i % 3];
                }
            }
            inputs.floats[k] = tensor(&v, &[8, n]);
        }
        check("NaN at forbidden classes", &inputs);
        let shape = inputs.floats[7].meta.shape().to_vec();
        inputs.floats[7] = tensor(&vec![f32::NAN; shape.iter().product()], &shape);
        check_gathers(&inputs);
    }
}

#[test]
fn ties_take_the_lowest_index() {
    for n in [2, 16, 17, 256, 1025, 32000] {
        let mut x = vec![-1.0; 8 * n];
        for (row, first) in x.chunks_mut(n).zip([0, 1, n / 2, n - 1].repeat(2)) {
            row[first..].iter_mut().step_by(3).for_each(|x| *x = 2.0);
        }
        let mut inputs = Inputs::of(varied(&[8, n], 1));
        inputs.floats[0] = tensor(&x, &[8, n]);
        check("ties", &inputs);
    }
}

#[test]
fn an_unknown_alpha_or_budget_makes_its_row_unknown() {
    let unknown = || vec![vec![f32::NAN, 2.0]];
    check_form(Form {
        alphas: unknown(),
        budgets: unknown(),
        ..Form::new(&[2, 3], 1)
    });
}

#[test]
fn no_rows_give_empty_results() {
    check_form(Form::new(&[0, 5], 1));
    check_form(Form::new(&[5, 0], 0));
}
