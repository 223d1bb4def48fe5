use std::collections::BTreeMap;

use burn_core::tensor::{Device, Tensor, activation::relu};
use burn_relax::{
    Relaxation, argmax, argmax_gather,
    distribution::categorical_log_prob,
    loss::{expected_loss, score_function_loss},
    straight_through_argmax,
};
use burn_relax_tests::{Array, Golden, Leaves};

use super::{Results, compare};

/// The whole network of the project's question: classifier, regression head, and four ways to make a loss of them. The last
/// is the literal, wrong form of the answer, kept because the example shows it failing.
#[test]
fn the_combined_network_agrees_with_its_goldens() {
    // The hard choice also as one-hot weights times the values.
    let run = |case: &Golden, device: &Device, dtype, composed: bool| {
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
                let loss = expected_loss(logits.clone(), cost, 1).mean();
                (loss.clone(), loss)
            }
            "reinforce_surrogate" => {
                let cost = squared(values.clone().gather(1, index.clone()));
                let log_prob = categorical_log_prob(logits.clone(), index, 1);
                let value = (cost.clone() + log_prob.clone() * cost.clone()).mean();
                (score_function_loss(log_prob, cost, None).mean(), value)
            }
            "st_argmax_mse" => {
                let picked = if composed {
                    let choice = straight_through_argmax(logits.clone(), 1, 1.0);
                    choice.mul(values.clone()).sum_dim(1)
                } else {
                    let choice = Relaxation::softmax(1).hard();
                    choice.gather(logits.clone(), values.clone(), 1)
                };
                let loss = squared(picked).mean();
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
        Results {
            outputs: BTreeMap::from([
                ("logits".to_owned(), Array::of(logits.clone())),
                ("values".to_owned(), Array::of(values)),
                ("argmax".to_owned(), Array::of(argmax(logits, 1))),
                ("loss".to_owned(), Array::of(value)),
            ]),
            grads: x.gradients(loss, Array::line([1.0])),
        }
    };
    compare("combined_network", |case, device, dtype| {
        [false, true]
            .map(|composed| run(case, device, dtype, composed))
            .into()
    });
}
