//! Two modules of one seed draw the same numbers, as their documentation says; whoever wants others gives each a seed of its own.

use burn_core::tensor::{Device, Tensor};
use burn_relax::{
    RelaxationConfig, Seed, gumbel_softmax,
    nn::{Choice, ChoiceConfig},
};
use burn_relax_tests::Array;

fn choice(seed: u64) -> Choice {
    ChoiceConfig::new()
        .with_relaxation(RelaxationConfig::softmax(1).gumbel())
        .with_seed(Some(seed))
        .init()
}

#[test]
fn modules_draw_alike_for_one_seed_and_differently_for_two() {
    let device = Device::flex().autodiff();
    let logits = || Tensor::<2>::zeros([16, 4], &device);
    let draw = |module: Choice| Array::of(module.forward(logits()));
    assert_eq!(draw(choice(3)), draw(choice(3)));
    assert_ne!(draw(choice(3)), draw(choice(4)));
    // The first draw of a module is the function's at step 0; layers of a function take a step or a key each.
    let function = |seed: Seed| Array::of(gumbel_softmax(logits(), 1, 1.0, seed));
    assert_eq!(draw(choice(3)), function(Seed::new(3, 0)));
    assert_ne!(function(Seed::new(3, 0)), function(Seed::new(3, 1)));
}

#[test]
fn any_whole_number_is_a_seed() {
    assert_eq!(Seed::from(7_usize), Seed::from(7_u64));
    assert_eq!(Seed::from(7), Seed::from(7_u64));
    assert_ne!(Seed::from(-7), Seed::from(7));
}
