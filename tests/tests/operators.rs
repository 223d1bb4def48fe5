//! Kernels and the operations they replace come to the same on every device.

use burn_core::tensor::{DType, Device, Tensor};
use burn_relax::{
    Operators, argmax_gather, categorical_log_prob, free_energy_cost, gumbel_softmax, log_softmax,
    power_softmax, sample_categorical_with_log_prob, set_operators, soft_argmax_gather, sparsemax,
    straight_through_argmax,
};
use burn_relax_tests::{Array, Random, devices};

type Operator = fn(Tensor<2>, Tensor<2>) -> Tensor<2>;

const OPERATORS: [(&str, Operator); 9] = [
    ("log-softmax", |x, _| log_softmax(x, 1)),
    ("gather", |x, v| soft_argmax_gather(x, v, 1, 0.7, true)),
    ("argmax gather", |x, v| argmax_gather(x, v, 1)),
    ("straight-through", |x, v| {
        straight_through_argmax(x, 1, 0.7) * v
    }),
    ("power softmax", |x, v| power_softmax(x.exp(), 1, 2.0) * v),
    ("free energy", |x, v| {
        free_energy_cost(x, v.square(), 1, 0.5)
    }),
    ("gumbel", |x, v| gumbel_softmax(x, 1, 0.7, true, 3) * v),
    ("sample", |x, _| {
        let (index, log_prob) = sample_categorical_with_log_prob(x.clone(), 1, 2, 3);
        log_prob + categorical_log_prob(x, index, 1)
    }),
    ("sparsemax", |x, v| sparsemax(x, 1) * v),
];

/// Output and gradients.
fn pass(run: Operator, x: &Array, v: &Array, device: &Device, by: Operators) -> [Array; 3] {
    let device = device.clone().autodiff();
    let [x, v] = [x, v].map(|array| array.tensor::<2>(&device, DType::F32).require_grad());
    set_operators(by);
    let output = run(x.clone(), v.clone());
    let grads = output.clone().sum().backward();
    set_operators(Operators::default());
    // Some read no values, and the argmax sends the logits nothing.
    let gradient = |leaf: &Tensor<2>| leaf.grad(&grads).map(Array::of).unwrap_or_default();
    [Array::of(output), gradient(&x), gradient(&v)]
}

/// In one test, since what is set is set for the whole process.
#[test]
fn kernels_and_what_they_are_composed_of_come_to_the_same() {
    let mut random = Random::new(5);
    let x = random.array([40, 50], -3.0, 3.0);
    let v = random.array([40, 50], -1.0, 1.0);
    for named in devices() {
        let mut otherwise = false;
        for (name, run) in OPERATORS {
            let fused = pass(run, &x, &v, &named.device, Operators::Custom);
            let composed = pass(run, &x, &v, &named.device, Operators::Composed);
            otherwise |= composed != fused;
            for (a, b) in fused.iter().zip(&composed) {
                assert_eq!(a.shape, b.shape, "{} {name}", named.name);
                for (a, b) in a.data.iter().zip(&b.data) {
                    let near = (a - b).abs() <= 2e-5 * a.abs().max(1.0);
                    assert!(near, "{} {name}: {a} and {b}", named.name);
                }
            }
        }
        // Two ways to add up fifty numbers do not round alike throughout.
        assert!(otherwise, "{}: the setting changes nothing", named.name);
    }
}
