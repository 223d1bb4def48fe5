//! The free energy at the ends of its domain: temperatures, costs, infinities, masks. Every gradient stays finite.

use std::collections::BTreeMap;

use burn_relax::loss::{
    expected_loss, free_energy_loss, hard_mixture_loss, mixture_loss, winner_takes_all_loss,
};
use burn_relax_tests::{Array, Leaves, Random, Site, in_f64, on_every_device};

use super::{F32, least};

/// Of max(1, the largest magnitude): f64 over short rows. At T = 10⁶ the second order of the limit, `Var f / 2T`, is below 1e-6.
const LIMIT: f64 = 1e-6;

const INF: f64 = f64::INFINITY;

fn leaves(at: &Site, logits: &Array, cost: &Array, temperature: f64) -> Leaves {
    let temperature = Array::new([1, 1], [temperature]);
    at.leaves([
        ("logits", logits),
        ("cost", cost),
        ("temperature", &temperature),
    ])
}

/// Value and gradients, with the temperature as a number or a tensor.
fn energy(x: &Leaves, as_tensor: bool) -> (Array, BTreeMap<String, Array>) {
    let (logits, cost) = (x.get::<2>("logits"), x.get::<2>("cost"));
    let y = if as_tensor {
        free_energy_loss(logits, cost, 1, x.get::<2>("temperature"))
    } else {
        free_energy_loss(logits, cost, 1, x.array("temperature").data[0])
    };
    let ones = vec![1.0; y.dims()[0]];
    (Array::of(y.clone()), x.gradients(y, Array::line(ones)))
}

/// At 10⁶ value and gradients are those of the expected cost; at 10⁻⁶ those of the cheapest class, and the logits' gradient
/// over T is `p - e_w`.
#[test]
fn both_limits_hold_for_values_and_gradients() {
    let logits = Random::new(2).array([5, 6], -1.0, 1.0);
    let cost = Random::new(3).array([5, 6], -1.0, 1.0);
    in_f64(LIMIT, |at| {
        let plain = leaves(at, &logits, &cost, 1.0);
        let (x, f) = (|| plain.get::<2>("logits"), || plain.get("cost"));
        let mean = expected_loss(x(), f(), 1);
        let of_mean = plain.gradients(mean.clone(), [1.0; 5]);
        let mean = Array::of(mean);
        let of_winner = plain.gradients(winner_takes_all_loss(x(), f(), 1), [1.0; 5]);
        for as_tensor in [false, true] {
            let title = |what: &str| format!("tensor {as_tensor}: {what}");
            let (hot, of_hot) = energy(&leaves(at, &logits, &cost, 1e6), as_tensor);
            at.within(&title("hot value"), hot, &mean, LIMIT);
            let (cold, of_cold) = energy(&leaves(at, &logits, &cost, 1e-6), as_tensor);
            // T ln p of the winner is at most 4e-6 here.
            at.within(&title("cold value"), cold, least(&cost), 4.0 * LIMIT);
            for (name, of_cold) in [
                ("logits", of_cold["logits"].map(|g| g / 1e-6)),
                ("cost", of_cold["cost"].clone()),
            ] {
                let (hot, cold) = (format!("hot {name}"), format!("cold {name}"));
                at.within(&title(&hot), &of_hot[name], &of_mean[name], LIMIT);
                at.within(&title(&cold), of_cold, &of_winner[name], LIMIT);
            }
        }
    });
}

/// Costs of 10³⁰, an infinite one, masks, and a row without an affordable class, at three temperatures, in f32 on every
/// device.
#[test]
fn huge_and_infinite_costs_give_no_nan() {
    let logits = Array::from([
        [0.3, -0.2, 0.9],
        [0.1, 0.4, -0.5],
        [-INF, 0.2, 0.1],
        [0.0, 0.0, 0.0],
    ]);
    let cost = Array::from([
        [1e30, 1.0, 1e30],
        [2.0, INF, INF],
        [-1e30, 3.0, INF],
        [INF, INF, INF],
    ]);
    // The affordable class has all the responsibility; what stands aside has none.
    let responsibility = [[0., 1., 0.], [1., 0., 0.], [0., 1., 0.], [0., 0., 0.]];
    on_every_device(F32, |at| {
        for temperature in [1e-6, 1.0, 1e6] {
            for as_tensor in [false, true] {
                let (value, gradients) =
                    energy(&leaves(at, &logits, &cost, temperature), as_tensor);
                let title = format!("{temperature}, tensor {as_tensor}");
                let mut numbers = gradients.values().flat_map(|g| &g.data);
                let finite = numbers.all(|g| g.is_finite());
                at.check(finite, &format!("{title}: gradients {gradients:?}"));
                at.is(&title, &gradients["cost"], responsibility);
                let known = value.data.iter().all(|v| !v.is_nan()) && value.data[3] == INF;
                at.check(known, &format!("{title}: values {value:?}"));
            }
        }
    });
}

/// The limit of small deviations: the mixture's likelihood is that of its most responsible class, and the hard form agrees.
#[test]
fn the_hard_mixture_is_the_limit_of_the_soft_one() {
    let logits = Random::new(4).array([5, 6], -1.0, 1.0);
    let density = Random::new(5).array([5, 6], -3.0, 0.0).map(|x| 1e4 * x);
    on_every_device(F32, |at| {
        let [x, density] = [&logits, &density].map(|array| at.tensor::<2>(array));
        let soft = mixture_loss(x.clone(), density.clone(), 1);
        at.is("soft", soft, hard_mixture_loss(x, density, 1));
        let rows = |number: f64| at.tensor::<2>([[number; 3]]);
        let impossible = hard_mixture_loss(rows(0.0), rows(-INF), 1);
        at.equals("impossible", impossible, [INF]);
        let no_choice = hard_mixture_loss(rows(-INF), rows(-1.0), 1);
        at.equals("no choice", no_choice, [0.0]);
    });
}
