//! Arguments that get the gradient of another, or none.

use burn_core::tensor::{Device, Tensor};
use burn_relax::{
    argmax_gather, estimate::leave_one_out_baseline, loss::score_function_loss, straight_through,
};
use burn_relax_tests::{Array, Leaves, Table, flat};

use super::{at_every_axis, spread, twice};

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

twice!(
    straight_through_hands_its_gradient_to_the_soft_argument,
    arguments_without_a_gradient_get_none,
);

/// Detached by contract: the hard argument, the logits of a plain index, the baseline and the samples it is made of.
fn arguments_without_a_gradient_get_none(device: &Device, table: &mut Table) {
    use burn_core::tensor::DType;

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
        score_function_loss(one.clone(), one.clone(), Some(x.get("baseline"))),
        score_function_loss(
            one.clone(),
            one,
            Some(leave_one_out_baseline(x.get::<2>("cost"), 1)),
        ),
    ];
    let output = flat(Tensor::cat(outputs, 0));
    let gradients = x.gradients(output, Array::line([1.0; 48]));
    assert_eq!(gradients.len(), names.len());
    for (name, gradient) in gradients {
        table.equal(&name, &gradient, &Array::new([3, 4], [0.0; 12]));
    }
}
