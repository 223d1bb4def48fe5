use std::collections::BTreeMap;

use burn_core::tensor::{Tensor, activation::relu};
use burn_relax::{
    argmax, argmax_gather, categorical_log_prob, expected_cost, score_function_cost,
    straight_through_argmax,
};
use burn_relax_tests::{Array, Leaves};

use crate::{Results, compare};

/// The whole network of the project's question: classifier, regression head, and four ways to make a loss of them. The last
/// is the literal, wrong form of the answer, kept because the example shows it failing.
#[test]
fn the_combined_network_agrees_with_its_goldens() {
    compare("combined_network", |case, device, dtype| {
        let x = Leaves::new(device, dtype, case.inputs.clone());
        let rows = case.inputs["y"].shape[0];
        let input = x.constant::<2>("x");
        let target = x.constant::<1>("y").reshape([rows, 1]);
        let bias = |name: &str| x.get::<1>(name).unsqueeze::<2>();

        let hidden = relu(input.clone().matmul(x.get("w1")) + bias("b1"));
        let logits = hidden.matmul(x.get("w2")) + bias("b2");
        let values = input.matmul(x.get("wr")) + bias("br");
        let index = x.ints::<1>("index").reshape([rows, 1]);
        let squared = |values: Tensor<2>| (values - target.clone()).square();

        // The file's values of the two score-function losses leave out what a surrogate adds to make its value the cost.
        let (loss, value) = match case.params["loss"].as_str().expect("a name") {
            "expected_cost" => {
                let shape = values.shape();
                let cost = (values.clone() - target.clone().expand(shape)).square();
                let loss = expected_cost(logits.clone(), cost, 1).mean();
                (loss.clone(), loss)
            }
            "reinforce_surrogate" => {
                let cost = squared(values.clone().gather(1, index.clone()));
                let log_prob = categorical_log_prob(logits.clone(), index, 1);
                let value = (cost.clone() + log_prob.clone() * cost.clone()).mean();
                (score_function_cost(log_prob, cost, None).mean(), value)
            }
            "st_argmax_mse" => {
                // Not the hard `soft_argmax_gather`: that gives every class's value its share of the gradient, this the chosen
                // one alone. The gradient of the logits is the same.
                let choice = straight_through_argmax(logits.clone(), 1, 1.0);
                let loss = squared(choice.mul(values.clone()).sum_dim(1)).mean();
                (loss.clone(), loss)
            }
            "answer_literal" => {
                let log_prob = categorical_log_prob(logits.clone(), argmax(logits.clone(), 1), 1);
                let chosen = argmax_gather(logits.clone(), values.clone(), 1);
                let loss = (log_prob.neg() * squared(chosen)).mean();
                (loss.clone(), loss)
            }
            loss => panic!("{}: unknown loss {loss}", case.id),
        };
        vec![Results {
            outputs: BTreeMap::from([
                ("logits".to_owned(), Array::of(logits.clone())),
                ("values".to_owned(), Array::of(values)),
                ("argmax".to_owned(), Array::of(argmax(logits, 1))),
                ("loss".to_owned(), Array::of(value)),
            ]),
            grads: x.gradients(loss, &Array::line([1.0])),
        }]
    });
}
