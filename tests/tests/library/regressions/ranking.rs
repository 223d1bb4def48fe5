//! Where every allowed class cost infinitely much, a forbidden one won, and cost nothing.

use burn_core::tensor::{DType, Tensor};
use burn_relax::loss::{
    dice_loss, free_energy_loss, hard_mixture_loss, mixture_loss, score_function_loss,
    winner_takes_all_loss,
};
use burn_relax_tests::{Array, cpu_devices, in_every_dtype};

const CLOSE: [f64; 2] = [1e-6, 1e-13];
const INF: f64 = f64::INFINITY;

#[test]
fn nothing_left_to_choose_costs_infinitely_much() {
    in_every_dtype(CLOSE, |at| {
        for (logits, cost, expected) in [
            ([-INF, 0.0, 0.0], [5.0, INF, INF], INF),
            ([0.0, -INF, 0.0], [INF, -3.0, INF], INF),
            ([0.0, 0.0, -INF], [INF, INF, f64::NAN], INF),
            ([-INF; 3], [5.0, INF, f64::NAN], 0.0),
            ([-INF, 0.0, 0.0], [-INF, INF, 2.0], 2.0 + 2f64.ln()),
            // The largest number is still less than infinity.
            ([0.0, 0.0, -INF], [INF, 3e38, 0.0], 3e38),
        ] {
            let title = format!("{logits:?}, {cost:?}");
            let x = at.leaves([("logits", logits), ("cost", cost)]);
            let (logits, cost) = (x.get::<1>("logits"), x.get::<1>("cost"));
            let energy = free_energy_loss(logits.clone(), cost.clone(), 0, 1.0);
            let winner = winner_takes_all_loss(logits.clone(), cost.clone(), 0);
            let mixture = hard_mixture_loss(logits, cost.neg(), 0);
            at.is(&title, winner.clone(), [expected]);
            at.is(&format!("{title}, mixture"), mixture, [expected]);
            if expected > 1e38 {
                at.is(&format!("{title}, energy"), energy, [expected]);
            }
            for (name, gradient) in x.gradients(winner, [1.0]) {
                let finite = gradient.data.iter().all(|g| g.is_finite());
                at.check(finite, &format!("{title}: {name}: {gradient:?}"));
            }
        }
    });
}

/// A square of 300 is beyond f16.
#[test]
fn a_square_that_overflows_in_f16_is_no_bargain() {
    // The only CPU backend with short floats.
    let device = &cpu_devices()[0].device;
    let tensor = |line: [f64; 3]| Array::line(line).tensor::<1>(device, DType::F16);
    let cost = tensor([1.0, 300.0, 300.0]).square();
    let winner = winner_takes_all_loss(tensor([-INF, 0.0, 0.0]), cost, 0);
    assert_eq!(Array::of(winner).data, [INF]);
}

/// A class under which the observation is infinitely likely explains it; a forbidden one does not.
#[test]
fn an_infinite_likelihood_is_no_nan() {
    in_every_dtype(CLOSE, |at| {
        for (logits, likelihood, expected) in [
            ([0.0, 0.0, 0.0], [INF, 0.0, -INF], -INF),
            ([-INF, 0.0, 0.0], [INF, 1.0, 1.0], -1.0),
            ([-INF; 3], [INF, 1.0, 1.0], 0.0),
            ([-INF, 0.0, 0.0], [f64::NAN, 1.0, INF], -INF),
        ] {
            let title = format!("{logits:?}, {likelihood:?}");
            let x = at.leaves([("logits", logits), ("likelihood", likelihood)]);
            let loss = mixture_loss(x.get::<1>("logits"), x.get::<1>("likelihood"), 0);
            at.is(&title, loss.clone(), [expected]);
            for (name, gradient) in x.gradients(loss, [1.0]) {
                let finite = gradient.data.iter().all(|g| g.is_finite());
                let nothing = gradient.data.iter().all(|g| *g == 0.0);
                let fine = finite && (expected.is_finite() || nothing);
                at.check(fine, &format!("{title}: {name}: {gradient:?}"));
            }
        }
    });
}

/// The value of the surrogates is the cost, whatever it and the baseline are; the log-probability learns from numbers alone.
#[test]
fn the_value_of_a_surrogate_is_its_cost() {
    type Surrogate = fn(Tensor<1>, Tensor<1>, Option<Tensor<1>>) -> Tensor<1>;
    let surrogates: [(&str, Surrogate); 2] =
        [("score function", score_function_loss), ("DiCE", dice_loss)];
    in_every_dtype(CLOSE, |at| {
        for (name, surrogate) in surrogates {
            let costs = [INF, 1.0, 2.0, -INF, 3.0, f64::NAN];
            let baselines = [1.5, INF, 0.5, INF, f64::NAN, 1.0];
            for baseline in [None, Some(baselines)] {
                let x = at.leaves([("log_prob", [-1.0; 6]), ("cost", costs)]);
                let given = baseline.map(|baseline| at.tensor::<1>(baseline));
                let loss = surrogate(x.get("log_prob"), x.get("cost"), given);
                at.equals(name, loss.clone(), costs);
                let gradients = x.gradients(loss, [1.0; 6]);
                let expected = match baseline {
                    None => [0.0, 1.0, 2.0, 0.0, 3.0, 0.0],
                    Some(_) => [0.0, 0.0, 1.5, 0.0, 0.0, 0.0],
                };
                at.is(
                    &format!("{name}: log_prob"),
                    &gradients["log_prob"],
                    expected,
                );
                at.is(&format!("{name}: cost"), &gradients["cost"], [1.0; 6]);
            }
        }
    });
}
