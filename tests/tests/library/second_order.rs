//! ReinMax by enumeration, Gumbel-Rao against Gumbel straight-through.

use burn_core::tensor::{DType, Device, Int, Tensor, TensorData};
use burn_relax::{
    Relaxation,
    relax::{reinmax, reinmax_with_indices, straight_through_with_indices},
};
use burn_relax_tests::{Array, Moments, Random, devices, in_f64};

/// f64 sums over a handful of classes.
const ENUMERATED: f64 = 1e-6;
/// A handful of f64 operations.
const ROUNDING: f64 = 1e-12;
/// Of the estimated means' difference.
const STANDARD_ERRORS: f64 = 4.0;

type Estimator = fn(Tensor<2>, Tensor<2, Int>) -> Tensor<2>;

/// `Σ_k p_k ĝ(k)` for `f(D) = c · (Σ_i D_i v_i - t)^order + Σ_i D_i w_i`, and the exact gradient.
fn enumerate(
    estimator: Estimator,
    order: i32,
    logits: &[f64],
    device: &Device,
) -> (Vec<f64>, Vec<f64>) {
    let n = logits.len();
    let mut random = Random::new(5);
    let values = random.array([1, n], -1.0, 1.0);
    let target = 0.3;
    let total: f64 = logits.iter().map(|x| x.exp()).sum();
    let probs: Vec<f64> = logits.iter().map(|x| x.exp() / total).collect();
    let costs: Vec<f64> = values
        .data
        .iter()
        .map(|v| (v - target).powi(order))
        .collect();
    let expected: f64 = probs.iter().zip(&costs).map(|(p, f)| p * f).sum();
    let exact = probs
        .iter()
        .zip(&costs)
        .map(|(p, f)| p * (f - expected))
        .collect();

    // One row for every class.
    let rows = TensorData::new(logits.repeat(n), [n, n]);
    let leaf = Tensor::<2>::from_data(rows, (device, DType::F64)).require_grad();
    let indices = Tensor::<1, Int>::arange(0..n as i64, device).reshape([n, 1]);
    let choice = estimator(leaf.clone(), indices);
    let values = values.tensor::<2>(device, DType::F64);
    let cost = (choice * values)
        .sum_dim(1)
        .sub_scalar(target)
        .powi_scalar(order);
    let gradient = Array::of(leaf.grad(&cost.sum().backward()).expect("tracked")).data;
    let mut mean = vec![0.0; n];
    for (row, p) in gradient.chunks(n).zip(&probs) {
        for (m, g) in mean.iter_mut().zip(row) {
            *m += p * g;
        }
    }
    (mean, exact)
}

const LOGITS: [f64; 5] = [0.3, -1.1, 0.7, 1.4, -0.2];

#[test]
fn reinmax_is_unbiased_for_quadratic_costs_and_straight_through_for_linear_ones() {
    let second: Estimator = |x, k| reinmax_with_indices(x, k, 1, 1.0);
    let first: Estimator = |x, k| straight_through_with_indices(x, k, 1, 1.0);
    in_f64(ENUMERATED, |at| {
        for (name, estimator, order) in [
            ("ReinMax", second, 1),
            ("ReinMax", second, 2),
            ("straight-through", first, 1),
        ] {
            let (mean, exact) = enumerate(estimator, order, &LOGITS, &at.device);
            let title = format!("{name}, order {order}");
            at.within(&title, &mean[..], &exact[..], ENUMERATED);
        }
        for (name, estimator, order) in [("straight-through", first, 2), ("ReinMax", second, 3)] {
            let (mean, exact) = enumerate(estimator, order, &LOGITS, &at.device);
            let square = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
            let difference: Vec<f64> = mean.iter().zip(&exact).map(|(m, e)| m - e).collect();
            let biased = square(&difference) / square(&exact) > 0.01;
            at.check(biased, &format!("{name}, order {order}, has no bias"));
        }
    });
}

/// Two classes of equal probability and a cubic with `f(0) = 0`, `f(1) = 1`, `f'(0) = a`, `f'(1) = b`: the exact gradient in the
/// logit of 1 is `(f(1) - f(0)) / 4`. Straight-through has `(a + b) / 8`, the trapezium rule; ReinMax the same, for
/// `2 J(q) - J(p) / 2` is `J(p)` at either of the two classes. For `x³` both are `3 / 8` where `1 / 4` is right.
#[test]
fn two_equal_classes_show_the_trapezium_rule() {
    let device = Device::flex().autodiff();
    for estimator in [
        (|x, k| reinmax_with_indices(x, k, 1, 1.0)) as Estimator,
        |x, k| straight_through_with_indices(x, k, 1, 1.0),
    ] {
        let leaf =
            Tensor::<2>::from_data(TensorData::new(vec![0.0; 4], [2, 2]), (&device, DType::F64));
        let leaf = leaf.require_grad();
        let indices = Tensor::<2, Int>::from_ints([[0], [1]], &device);
        let choice = estimator(leaf.clone(), indices);
        let cost = choice.slice([0..2, 1..2]).powi_scalar(3);
        let gradient = Array::of(leaf.grad(&cost.sum().backward()).expect("tracked")).data;
        let mean = (gradient[1] + gradient[3]) / 2.0;
        assert!((mean - 0.375).abs() < ROUNDING, "{mean}");
    }
}

#[test]
fn one_over_the_temperature_is_kept() {
    // q = (e_1 + softmax(x / 2)) / 2, p = softmax(x), by hand in f64.
    let (x, g, t): ([f64; 3], [f64; 3], f64) = ([-2.0, 0.0, 0.5], [1.0, 2.0, 3.0], 2.0);
    let softmax = |t: f64| {
        let total: f64 = x.iter().map(|x| (x / t).exp()).sum();
        x.map(|x| (x / t).exp() / total)
    };
    let (p, warm) = (softmax(1.0), softmax(t));
    let q = [(1.0 + warm[0]) / 2.0, warm[1] / 2.0, warm[2] / 2.0];
    let jacobian = |q: [f64; 3]| {
        let mean: f64 = q.iter().zip(g).map(|(q, g)| q * g).sum();
        [0, 1, 2].map(|k| q[k] * (g[k] - mean))
    };
    let (first, second) = (jacobian(q), jacobian(p));
    let expected: Vec<f64> = (0..3)
        .map(|k| (2.0 * first[k] - second[k] / 2.0) / t)
        .collect();
    in_f64(ROUNDING, |at| {
        let leaves = at.leaves([("logits", x)]);
        let class = Tensor::<1, Int>::from_ints([0], &at.device);
        let choice = reinmax_with_indices(leaves.get::<1>("logits"), class, 0, t);
        let gradient = &leaves.gradients(choice, g)["logits"];
        at.within("gradient", gradient, &expected[..], ROUNDING);
    });
}

fn rao(logits: Tensor<2>, dim: usize, temperature: f64, draws: usize, seed: u64) -> Tensor<2> {
    let choice = Relaxation::softmax(temperature).gumbel(seed).rao(draws);
    choice.weights(logits, dim)
}

/// Moments of the gradient of the third logit's read-out over rows.
fn gradients(choice: impl Fn(Tensor<2>) -> Tensor<2>, rows: usize) -> Moments {
    let device = Device::flex().autodiff();
    let x = [0.2, -0.9, 1.1, 0.4];
    let data = TensorData::new(x.repeat(rows), [rows, 4]);
    let leaf = Tensor::<2>::from_data(data, (&device, DType::F64)).require_grad();
    let values = Tensor::<2>::from_data(
        TensorData::new(vec![1.0, -0.5, 0.3, 2.0], [1, 4]),
        (&device, DType::F64),
    );
    let cost = (choice(leaf.clone()) * values)
        .sum_dim(1)
        .sub_scalar(0.7)
        .powi_scalar(2);
    let gradient = leaf.grad(&cost.sum().backward()).expect("tracked");
    Moments::of_rows(&Array::of(gradient).data, 4)
}

#[test]
fn gumbel_rao_has_the_mean_of_gumbel_straight_through_and_less_variance() {
    let rows = 60_000;
    for temperature in [0.3, 1.0] {
        let plain = gradients(
            |x| {
                Relaxation::softmax(temperature)
                    .gumbel(1)
                    .hard()
                    .weights(x, 1)
            },
            rows,
        );
        for draws in [1, 4, 32] {
            let rao = gradients(|x| rao(x, 1, temperature, draws, 2), rows);
            let error = ((plain.variance + rao.variance) / rows as f64).sqrt();
            for (a, b) in plain.mean.iter().zip(&rao.mean) {
                assert!(
                    (a - b).abs() < STANDARD_ERRORS * error,
                    "{draws} draws: {:?} {:?}",
                    plain.mean,
                    rao.mean
                );
            }
            // The variances are themselves known to about one percent.
            let slack = 1.03;
            assert!(
                rao.variance < slack * plain.variance,
                "{draws} draws at {temperature}: {} and {}",
                rao.variance,
                plain.variance
            );
            if draws == 32 {
                assert!(
                    rao.variance < 0.95 * plain.variance,
                    "{temperature}: {} and {}",
                    rao.variance,
                    plain.variance
                );
            }
        }
    }
}

#[test]
fn drawn_classes_follow_the_softmax() {
    let rows = 40_000;
    let device = Device::flex();
    let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device).repeat_dim(0, rows);
    for choice in [
        reinmax(logits.clone(), 1, 1.0, 3),
        rao(logits, 1, 0.5, 2, 3),
    ] {
        let shares = Array::of(choice.mean_dim(0)).data;
        for (share, p) in shares.iter().zip([0.048_610_8, 0.359_188_1, 0.592_201_1]) {
            let error = (p * (1.0_f64 - p) / rows as f64).sqrt();
            assert!((share - p).abs() < STANDARD_ERRORS * error, "{shares:?}");
        }
    }
}

/// Rows of ±10⁴, masks, ties, infinities, NaN: hard outputs are exact and every gradient is finite, on every backend.
#[test]
fn hard_rows_keep_the_contract() {
    let inf = f32::INFINITY;
    let rows = [
        [1e4, -1e4, 9999.0, 0.0],
        [-1e4, -1e4, -1e4, -1e4],
        [-inf, 0.5, -inf, 0.1],
        [-inf, -inf, -inf, -inf],
        [inf, 0.0, inf, 3.0],
        [-inf, -inf, 7.0, -inf],
    ];
    type Choose = fn(Tensor<2>, usize) -> Tensor<2>;
    let operators: [(&str, Choose); 2] = [
        ("ReinMax", |x, dim| reinmax(x, dim, 0.7, 5)),
        ("Gumbel-Rao", |x, dim| rao(x, dim, 0.7, 3, 5)),
    ];
    for named in devices() {
        let device = named.device.autodiff();
        for (dim, (name, choose)) in [0, 1]
            .into_iter()
            .flat_map(|dim| operators.map(|o| (dim, o)))
        {
            // Its own inverse.
            let turn = |rows: Tensor<2>| match dim {
                0 => rows.swap_dims(0, 1),
                _ => rows,
            };
            let title = format!("{} {name} along {dim}", named.name);
            let leaf = turn(Tensor::from_floats(rows, &device)).require_grad();
            let choice = choose(leaf.clone(), dim);
            let upstream = turn(Tensor::from_floats([[0.3, -0.2, 0.9, 0.1]], &device));
            let chosen = Array::of(turn(choice.clone())).data;
            let sums: Vec<f64> = chosen.chunks(4).map(|row| row.iter().sum()).collect();
            assert_eq!(sums, [1.0, 1.0, 1.0, 0.0, 1.0, 1.0], "{title}");
            let hard = chosen.iter().all(|&x| x == 0.0 || x == 1.0);
            assert!(hard, "{title}: {chosen:?}");
            let allowed = (chosen[8], chosen[10], chosen[22]);
            assert_eq!(allowed, (0.0, 0.0, 1.0), "{title}");
            let grads = choice.mul(upstream).sum().backward();
            let gradient = Array::of(turn(leaf.grad(&grads).expect("tracked"))).data;
            let finite = gradient.iter().all(|g| g.is_finite());
            assert!(finite, "{title}: {gradient:?}");
            for forbidden in [8, 10].into_iter().chain(12..24) {
                assert_eq!(gradient[forbidden], 0.0, "{title}, entry {forbidden}");
            }
        }
    }
}

#[test]
fn no_rows_give_none() {
    for named in devices() {
        let leaf = Tensor::<2>::zeros([0, 3], &named.device.autodiff()).require_grad();
        assert_eq!(reinmax(leaf.clone(), 1, 1.0, 1).dims(), [0, 3]);
        assert_eq!(rao(leaf, 1, 1.0, 2, 1).dims(), [0, 3]);
    }
}
