//! Hard forms: exact in the forward pass, so their gradient is compared with the slope of the soft form.

use burn_core::tensor::{Device, Tensor};
use burn_relax::{
    argmax_gather, gumbel_noise, gumbel_softmax, gumbel_softmax_with_noise, soft_argmax_gather,
    softmax, straight_through, straight_through_argmax, straight_through_sample,
    straight_through_with_indices,
};
use burn_relax_tests::{Array, Leaves, Table, flat};

use crate::{at_every_axis, indices, per_row, spread, twice};

fn the_hard_gather_has_the_slope_of_the_soft_one(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "hard soft_argmax_gather at a number",
        |D, shape, dim| [("logits", spread(shape, 1)), ("values", spread(shape, 2))],
        |x| soft_argmax_gather(x.get::<D>("logits"), x.get::<D>("values"), dim, 0.7, true),
        |x| soft_argmax_gather(x.get::<D>("logits"), x.get::<D>("values"), dim, 0.7, false)
    );
    at_every_axis!(
        device,
        table,
        "hard soft_argmax_gather per row",
        |D, shape, dim| [
            ("logits", spread(shape, 1)),
            ("values", spread(shape, 2)),
            ("temperature", per_row(shape, dim)),
        ],
        |x| {
            let (logits, values) = (x.get::<D>("logits"), x.get::<D>("values"));
            soft_argmax_gather(logits, values, dim, x.get::<D>("temperature"), true)
        },
        |x| {
            let (logits, values) = (x.get::<D>("logits"), x.get::<D>("values"));
            soft_argmax_gather(logits, values, dim, x.get::<D>("temperature"), false)
        }
    );
}

fn the_straight_through_argmax_has_the_slope_of_the_softmax(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "straight_through_argmax",
        |D, shape, dim| [
            ("logits", spread(shape, 3)),
            ("temperature", per_row(shape, dim))
        ],
        |x| straight_through_argmax(x.get::<D>("logits"), dim, x.get::<D>("temperature")),
        |x| softmax(x.get::<D>("logits"), dim, x.get::<D>("temperature"))
    );
}

fn given_indices_have_the_slope_of_the_softmax(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "straight_through_with_indices",
        |D, shape, dim| [
            ("logits", spread(shape, 4)),
            ("temperature", per_row(shape, dim))
        ],
        |x| {
            let chosen = indices(shape, dim, 1).ints::<D>(x.device());
            let (logits, temperature) = (x.get::<D>("logits"), x.get::<D>("temperature"));
            straight_through_with_indices(logits, chosen, dim, temperature)
        },
        |x| softmax(x.get::<D>("logits"), dim, x.get::<D>("temperature"))
    );
}

fn a_sample_has_the_slope_of_the_softmax_at_the_backward_temperature(
    device: &Device,
    table: &mut Table,
) {
    at_every_axis!(
        device,
        table,
        "straight_through_sample",
        |D, shape, dim| [
            ("logits", spread(shape, 5)),
            ("temperature", per_row(shape, dim))
        ],
        |x| {
            let (logits, temperature) = (x.get::<D>("logits"), x.get::<D>("temperature"));
            straight_through_sample(logits, dim, 3.0, temperature, 9)
        },
        |x| softmax(x.get::<D>("logits"), dim, x.get::<D>("temperature"))
    );
}

fn a_hard_gumbel_sample_has_the_slope_of_the_relaxed_one(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "hard gumbel_softmax_with_noise",
        |D, shape, dim| [
            ("logits", spread(shape, 6)),
            ("noise", spread(shape, 7)),
            ("temperature", per_row(shape, dim)),
        ],
        |x| {
            let (logits, noise) = (x.get::<D>("logits"), x.get::<D>("noise"));
            gumbel_softmax_with_noise(logits, noise, dim, x.get::<D>("temperature"), true)
        },
        |x| {
            let perturbed = x.get::<D>("logits") + x.get::<D>("noise");
            softmax(perturbed, dim, x.get::<D>("temperature"))
        }
    );
    at_every_axis!(
        device,
        table,
        "hard gumbel_softmax",
        |D, shape, dim| [
            ("logits", spread(shape, 6)),
            ("temperature", per_row(shape, dim))
        ],
        |x| gumbel_softmax(
            x.get::<D>("logits"),
            dim,
            x.get::<D>("temperature"),
            true,
            5
        ),
        |x| {
            let noise: Tensor<D> = gumbel_noise(shape, dim, 5, (x.device(), x.dtype()));
            softmax(x.get::<D>("logits") + noise, dim, x.get::<D>("temperature"))
        }
    );
}

fn straight_through_hands_its_gradient_to_the_soft_argument(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "straight_through",
        |D, shape, _dim| [("soft", spread(shape, 8))],
        |x| {
            let soft = x.get::<D>("soft");
            straight_through(soft.clone().mul_scalar(3.0).round(), soft.square())
        },
        |x| x.get::<D>("soft").square()
    );
}

fn argmax_gather_hands_its_gradient_to_the_chosen_value(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "argmax_gather",
        |D, shape, dim| [("values", spread(shape, 10))],
        |x| {
            let logits = spread(shape, 9).tensor::<D>(x.device(), x.dtype());
            argmax_gather(logits, x.get::<D>("values"), dim)
        }
    );
}

twice!(
    the_hard_gather_has_the_slope_of_the_soft_one,
    the_straight_through_argmax_has_the_slope_of_the_softmax,
    given_indices_have_the_slope_of_the_softmax,
    a_sample_has_the_slope_of_the_softmax_at_the_backward_temperature,
    a_hard_gumbel_sample_has_the_slope_of_the_relaxed_one,
    straight_through_hands_its_gradient_to_the_soft_argument,
    argmax_gather_hands_its_gradient_to_the_chosen_value,
    arguments_without_a_gradient_get_none,
);

/// Detached by contract: the hard argument, the logits of a plain index, the baseline and the samples it is made of.
fn arguments_without_a_gradient_get_none(device: &Device, table: &mut Table) {
    use burn_core::tensor::DType;
    use burn_relax::{leave_one_out_baseline, score_function_cost};

    let names = ["hard", "logits", "baseline", "cost"];
    let arrays = names.map(|name| (name.to_owned(), spread([3, 4], 20)));
    let x = Leaves::new(device, DType::F64, arrays.into_iter().collect());
    let anchor = spread([3, 4], 21)
        .tensor::<2>(device, DType::F64)
        .require_grad();
    let one = anchor.clone() * 1.0;

    let outputs = vec![
        straight_through(x.get::<2>("hard"), one.clone()),
        argmax_gather(x.get::<2>("logits"), one.clone(), 1).expand([3, 4]),
        score_function_cost(one.clone(), one.clone(), Some(x.get("baseline"))),
        score_function_cost(
            one.clone(),
            one,
            Some(leave_one_out_baseline(x.get::<2>("cost"), 1)),
        ),
    ];
    let output = flat(Tensor::cat(outputs, 0));
    let gradients = x.gradients(output, &Array::line([1.0; 48]));
    assert_eq!(gradients.len(), names.len());
    for (name, gradient) in gradients {
        table.equal(&name, &gradient, &Array::new([3, 4], [0.0; 12]));
    }
}
