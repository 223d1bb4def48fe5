//! Gradients of every tensor argument against central differences in f64 on Flex, plainly and under gradient checkpointing,
//! which recomputes in the backward pass what Burn counts as cheap.

use std::collections::BTreeSet;

use burn_core::tensor::Device;
use burn_relax_tests::{
    Difference, Leaves, Table,
    cases::{Call, Case, Form, Gradient, Numbers, Place, Slope, Trial, cases},
};

use crate::gradients::twice;

const SHAPES: [&[usize]; 5] = [&[5], &[9, 2], &[3, 4], &[2, 3, 4], &[2, 3, 2, 2]];

/// The gradients of `case` are the slopes of `slope` along every axis of every shape, in every form, and every input has a slope
/// somewhere.
fn check(case: &Case, slope: &Call, numbers: Numbers, device: &Device, table: &mut Table) {
    let (mut live, mut asked) = (BTreeSet::new(), BTreeSet::new());
    for shape in SHAPES {
        for (dim, &form) in
            (0..shape.len()).flat_map(|dim| case.forms().iter().map(move |form| (dim, form)))
        {
            let mut place = Place::new(shape, dim);
            if form == Form::Shared {
                // The same axis, counted from the end.
                place.dim -= shape.len() as isize;
            }
            let trial = Trial::new(case, &place, form, numbers);
            let title = format!("{} {numbers:?}", trial.title("flex"));
            let mut difference = Difference::new(title);
            for (name, array) in trial.inputs.clone() {
                let input = case.inputs.iter().find(|input| input.name == name);
                difference = match input.is_some_and(|input| input.gradient == Gradient::None) {
                    true => difference.constant(&name, array),
                    false => {
                        asked.insert(name.clone());
                        difference.input(&name, array)
                    }
                };
            }
            let function = |x: &Leaves| trial.output(x).1;
            let slope = |x: &Leaves| trial.output_of(slope, x).1;
            live.extend(difference.compare(device, table, function, slope));
        }
    }
    // A test of zeros against zeros would show nothing.
    let title = format!("{} {numbers:?}", case.name);
    for name in asked.difference(&live) {
        table.fail(&title, &format!("{name} has no slope anywhere"));
    }
}

fn all(numbers: Numbers, device: &Device, table: &mut Table) {
    for case in cases().filter(|case| case.learns()) {
        let masked = numbers == Numbers::SpreadMasked;
        if masked && !(case.takes_logits() && case.contract.forbids) {
            continue;
        }
        match case.slope {
            Slope::Own => check(case, &case.call, numbers, device, table),
            Slope::Of(slope) => check(case, &slope, numbers, device, table),
            Slope::Elsewhere(_) => {}
        }
    }
}

fn every_gradient_is_a_slope(device: &Device, table: &mut Table) {
    all(Numbers::Spread, device, table);
}

/// A step from `-inf` goes nowhere, so the slope of a forbidden class is exactly 0, and so must the gradient be.
fn every_gradient_of_masked_rows_is_a_slope(device: &Device, table: &mut Table) {
    all(Numbers::SpreadMasked, device, table);
}

twice!(
    every_gradient_is_a_slope,
    every_gradient_of_masked_rows_is_a_slope
);
