use std::collections::BTreeMap;

use burn_core::tensor::{DType, Device, Tensor};
use burn_relax::{
    Coefficient, Relaxation,
    distribution::{categorical_entropy, categorical_log_prob},
    gradual_argmax, log_softmax,
    relax::{Coordinates, reinmax_with_indices, straight_through_with_indices},
    soft_argmax, soft_argmax_gather, softmax, straight_through_argmax,
};
use burn_relax_tests::{Array, Golden, Leaves, flat, with_rank};

use super::{Results, compare};

/// Output `y` of `leaves` and its gradients.
fn finish<const D: usize>(leaves: &Leaves, case: &Golden, y: Tensor<D>) -> Results {
    let y = flat(y);
    let output = Array::new(case.outputs["y"].shape.clone(), Array::of(y.clone()).data);
    let weights = Array::line(case.cotangents["y"].data.clone());
    Results {
        outputs: BTreeMap::from([("y".to_owned(), output)]),
        grads: leaves.gradients(y, &weights),
    }
}

/// The case with its coefficient as a number, then as a tensor with a gradient.
pub(crate) fn both<const D: usize>(
    case: &Golden,
    device: &Device,
    dtype: DType,
    coefficient: &str,
    f: impl Fn(&Leaves, Coefficient<D>) -> Tensor<D>,
) -> Vec<Results> {
    let value = case.number(coefficient);
    let leaves = || {
        let mut inputs = case.inputs.clone();
        inputs.insert(coefficient.to_owned(), Array::new([], [value]));
        Leaves::new(device, dtype, inputs)
    };
    let (number, tensor) = (leaves(), leaves());
    let coefficient = tensor.get::<D>(coefficient).into();
    vec![
        finish(&number, case, f(&number, value.into())),
        finish(&tensor, case, f(&tensor, coefficient)),
    ]
}

/// The case in its only form.
pub(crate) fn once<const D: usize>(
    case: &Golden,
    device: &Device,
    dtype: DType,
    f: impl Fn(&Leaves) -> Tensor<D>,
) -> Vec<Results> {
    let leaves = Leaves::new(device, dtype, case.inputs.clone());
    vec![finish(&leaves, case, f(&leaves))]
}

/// The indices of a case with the axis, which the file drops, put back.
fn indices<const D: usize>(case: &Golden, device: &Device) -> Tensor<D, burn_core::tensor::Int> {
    let mut shape = case.inputs["logits"].shape.clone();
    shape[case.dim()] = 1;
    Array::new(shape, case.inputs["index"].data.clone()).ints(device)
}

pub(crate) fn rank(case: &Golden) -> usize {
    let name = if case.inputs.contains_key("logits") {
        "logits"
    } else {
        "v"
    };
    case.inputs[name].shape.len()
}

#[test]
fn softmax_agrees_with_its_goldens() {
    compare("softmax", |case, device, dtype| {
        with_rank!(rank(case), D => both::<D>(case, device, dtype, "temperature", |x, t| {
            softmax(x.get("logits"), case.dim(), t)
        }))
    });
}

#[test]
fn log_softmax_agrees_with_its_goldens() {
    compare("log_softmax", |case, device, dtype| {
        with_rank!(rank(case), D => once::<D>(case, device, dtype, |x| {
            log_softmax(x.get("logits"), case.dim())
        }))
    });
}

#[test]
fn soft_argmax_agrees_with_its_goldens() {
    compare("soft_argmax", |case, device, dtype| {
        with_rank!(rank(case), D => both::<D>(case, device, dtype, "temperature", |x, t| {
            let y = soft_argmax(x.get("logits"), case.dim(), t, Coordinates::index());
            assert_eq!(y.dims()[case.dim()], 1);
            y
        }))
    });
}

#[test]
fn soft_argmax_gather_agrees_with_its_goldens() {
    compare("soft_argmax_gather", |case, device, dtype| {
        with_rank!(rank(case), D => both::<D>(case, device, dtype, "temperature", |x, t| {
            let (logits, values) = (x.get::<D>("logits"), x.get::<D>("v"));
            let y = soft_argmax_gather(logits, values, case.dim(), t);
            assert_eq!(y.dims()[case.dim()], 1);
            y
        }))
    });
}

#[test]
fn categorical_log_prob_agrees_with_its_goldens() {
    compare("categorical_log_prob", |case, device, dtype| {
        with_rank!(rank(case), D => once::<D>(case, device, dtype, |x| {
            categorical_log_prob(x.get("logits"), indices(case, device), case.dim())
        }))
    });
}

#[test]
fn categorical_entropy_agrees_with_its_goldens() {
    compare("categorical_entropy", |case, device, dtype| {
        with_rank!(rank(case), D => once::<D>(case, device, dtype, |x| {
            categorical_entropy(x.get("logits"), case.dim())
        }))
    });
}

#[test]
fn gradual_argmax_agrees_with_its_goldens() {
    compare("gradual_argmax", |case, device, dtype| {
        let dim = case.params["dim"].as_u64().expect("a whole number") as usize;
        with_rank!(rank(case), D => both::<D>(case, device, dtype, "power", |x, power| {
            gradual_argmax(x.get("v"), dim, power)
        }))
    });
}

#[test]
fn gradual_argmax_stack_mean_agrees_with_its_golden() {
    compare("gradual_argmax_stack_mean", |case, device, dtype| {
        let (first, last) = (case.number("p_from") as u32, case.number("p_to") as u32);
        once::<1>(case, device, dtype, |x| {
            let v = x.get::<1>("v");
            let stack = (first..=last).map(|p| gradual_argmax(v.clone(), 0, f64::from(p)));
            Tensor::cat(stack.collect(), 0).mean()
        })
    });
}

#[test]
fn gumbel_softmax_agrees_with_its_goldens() {
    compare("gumbel_softmax", |case, device, dtype| {
        let hard = case.params["hard"].as_bool().expect("true or false");
        with_rank!(rank(case), D => both::<D>(case, device, dtype, "temperature", |x, t| {
            let soft = Relaxation::softmax(t).noise(x.constant::<D>("noise"));
            let choice = if hard { soft.hard() } else { soft };
            choice.weights(x.get("logits"), case.dim())
        }))
    });
}

#[test]
fn straight_through_argmax_agrees_with_its_goldens() {
    compare("straight_through_argmax", |case, device, dtype| {
        with_rank!(rank(case), D => both::<D>(case, device, dtype, "temperature", |x, t| {
            straight_through_argmax(x.get("logits"), case.dim(), t)
        }))
    });
}

#[test]
fn straight_through_with_indices_agrees_with_its_goldens() {
    compare("straight_through_sample", |case, device, dtype| {
        with_rank!(rank(case), D => once::<D>(case, device, dtype, |x| {
            let index = indices::<D>(case, device);
            straight_through_with_indices(x.get("logits"), index, case.dim(), 1.0)
        }))
    });
}

#[test]
fn reinmax_with_indices_agrees_with_its_goldens() {
    compare("reinmax", |case, device, dtype| {
        let t = case.number("temperature");
        with_rank!(rank(case), D => once::<D>(case, device, dtype, |x| {
            let index = indices::<D>(case, device);
            reinmax_with_indices(x.get("logits"), index, case.dim(), t)
        }))
    });
}
