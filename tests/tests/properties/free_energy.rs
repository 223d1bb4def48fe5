//! The free energy at the ends of its domain: temperatures, costs, infinities, masks. Every gradient stays finite.

use burn_core::tensor::{DType, Device};
use burn_relax::{
    expected_cost, free_energy_cost, hard_mixture_nll, mixture_nll, winner_takes_all_cost,
};
use burn_relax_tests::{Array, Leaves, Random, Table, cpu_devices, devices};

use super::F32;

/// Of max(1, the largest magnitude): f64 over short rows. At T = 10⁶ the second order of the limit, `Var f / 2T`, is below 1e-6.
const LIMIT: f64 = 1e-6;

const INF: f64 = f64::INFINITY;

fn leaves(device: &Device, dtype: DType, logits: Array, cost: Array, temperature: f64) -> Leaves {
    let temperature = Array::new([1, 1], [temperature]);
    let inputs = [
        ("logits", logits),
        ("cost", cost),
        ("temperature", temperature),
    ];
    Leaves::new(
        &device.clone().autodiff(),
        dtype,
        inputs.map(|(n, a)| (n.to_owned(), a)).into(),
    )
}

/// Value and gradients, with the temperature as a number or a tensor.
fn energy(x: &Leaves, as_tensor: bool) -> (Array, std::collections::BTreeMap<String, Array>) {
    let (logits, cost) = (x.get::<2>("logits"), x.get::<2>("cost"));
    let y = if as_tensor {
        free_energy_cost(logits, cost, 1, x.get::<2>("temperature"))
    } else {
        free_energy_cost(logits, cost, 1, x.array("temperature").data[0])
    };
    let y = burn_relax_tests::flat(y);
    let ones = Array::line(vec![1.0; y.dims()[0]]);
    (Array::of(y.clone()), x.gradients(y, &ones))
}

/// At 10⁶ value and gradients are those of the expected cost; at 10⁻⁶ those of the cheapest class, and the logits' gradient
/// over T is `p - e_w`.
#[test]
fn both_limits_hold_for_values_and_gradients() {
    let mut table = Table::new();
    for named in cpu_devices() {
        for as_tensor in [false, true] {
            let inputs = || {
                (
                    Random::new(2).array([5, 6], -1.0, 1.0),
                    Random::new(3).array([5, 6], -1.0, 1.0),
                )
            };
            let (logits, cost) = inputs();
            let hot = leaves(&named.device, DType::F64, logits.clone(), cost.clone(), 1e6);
            let plain = leaves(&named.device, DType::F64, logits.clone(), cost.clone(), 1.0);
            let expected = burn_relax_tests::flat(expected_cost(
                plain.get::<2>("logits"),
                plain.get("cost"),
                1,
            ));
            let value = Array::of(expected.clone());
            let gradients = plain.gradients(expected, &Array::line([1.0; 5]));
            let (energy_hot, of_hot) = energy(&hot, as_tensor);
            let title = |what: &str| format!("{} tensor {as_tensor}: {what}", named.name);
            table.within(&title("hot value"), &energy_hot, &value, LIMIT);
            table.within(
                &title("hot logits"),
                &of_hot["logits"],
                &gradients["logits"],
                LIMIT,
            );
            table.within(
                &title("hot cost"),
                &of_hot["cost"],
                &gradients["cost"],
                LIMIT,
            );

            let cold = leaves(
                &named.device,
                DType::F64,
                logits.clone(),
                cost.clone(),
                1e-6,
            );
            let winner = leaves(&named.device, DType::F64, logits, cost.clone(), 1.0);
            let y = burn_relax_tests::flat(winner_takes_all_cost(
                winner.get::<2>("logits"),
                winner.get("cost"),
                1,
            ));
            let gradients = winner.gradients(y, &Array::line([1.0; 5]));
            let least = cost
                .data
                .chunks(6)
                .map(|row| row.iter().copied().fold(INF, f64::min));
            let (energy_cold, of_cold) = energy(&cold, as_tensor);
            // T ln p of the winner is at most 4e-6 here.
            let lowest = Array::line(least.collect::<Vec<_>>());
            table.within(&title("cold value"), &energy_cold, &lowest, 4.0 * LIMIT);
            table.within(
                &title("cold logits"),
                &of_cold["logits"].map(|g| g / 1e-6),
                &gradients["logits"],
                LIMIT,
            );
            table.within(
                &title("cold cost"),
                &of_cold["cost"],
                &gradients["cost"],
                LIMIT,
            );
        }
    }
    table.finish();
}

/// Costs of 10³⁰, an infinite one, masks, and a row without an affordable class, at three temperatures, in f32 on every
/// device.
#[test]
fn huge_and_infinite_costs_give_no_nan() {
    let mut table = Table::new();
    for named in devices() {
        for temperature in [1e-6, 1.0, 1e6] {
            for as_tensor in [false, true] {
                let logits = Array::new(
                    [4, 3],
                    [
                        [0.3, -0.2, 0.9],
                        [0.1, 0.4, -0.5],
                        [-INF, 0.2, 0.1],
                        [0.0, 0.0, 0.0],
                    ]
                    .concat(),
                );
                let cost = Array::new(
                    [4, 3],
                    [
                        [1e30, 1.0, 1e30],
                        [2.0, INF, INF],
                        [-1e30, 3.0, INF],
                        [INF, INF, INF],
                    ]
                    .concat(),
                );
                let x = leaves(&named.device, DType::F32, logits, cost, temperature);
                let (value, gradients) = energy(&x, as_tensor);
                let title = format!("{} at {temperature}, tensor {as_tensor}", named.name);
                let finite = gradients
                    .values()
                    .flat_map(|g| &g.data)
                    .all(|g| g.is_finite());
                table.check(finite, &title, &format!("has the gradients {gradients:?}"));
                // The affordable class has all the responsibility; what stands aside has none.
                let responsibility = Array::new(
                    [4, 3],
                    [
                        [0.0, 1.0, 0.0],
                        [1.0, 0.0, 0.0],
                        [0.0, 1.0, 0.0],
                        [0.0, 0.0, 0.0],
                    ]
                    .concat(),
                );
                table.close(
                    &format!("{title}: r"),
                    &gradients["cost"],
                    &responsibility,
                    F32,
                );
                let known = value.data.iter().all(|v| !v.is_nan()) && value.data[3] == INF;
                table.check(known, &title, &format!("has the values {value:?}"));
            }
        }
    }
    table.finish();
}

/// The limit of small deviations: the mixture's likelihood is that of its most responsible class, and the hard form agrees.
#[test]
fn the_hard_mixture_is_the_limit_of_the_soft_one() {
    let mut table = Table::new();
    for named in devices() {
        let logits = Random::new(4).array([5, 6], -1.0, 1.0);
        let density = Random::new(5).array([5, 6], -3.0, 0.0).map(|x| 1e4 * x);
        let load = |array: &Array| array.tensor::<2>(&named.device, DType::F32);
        let soft = Array::of(mixture_nll(load(&logits), load(&density), 1));
        let hard = Array::of(hard_mixture_nll(load(&logits), load(&density), 1));
        table.close(named.name, &soft, &hard, F32);
        let nothing = Array::new([1, 3], [-INF; 3]);
        let impossible = hard_mixture_nll(load(&Array::new([1, 3], [0.0; 3])), load(&nothing), 1);
        table.equal(
            "impossible",
            &Array::of(impossible),
            &Array::new([1, 1], [INF]),
        );
        let no_choice = hard_mixture_nll(load(&nothing), load(&Array::new([1, 3], [-1.0; 3])), 1);
        table.equal(
            "no choice",
            &Array::of(no_choice),
            &Array::new([1, 1], [0.0]),
        );
    }
    table.finish();
}
