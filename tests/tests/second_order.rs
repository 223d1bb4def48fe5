//! ReinMax by enumeration, Gumbel-Rao against Gumbel straight-through.

use burn_core::tensor::{DType, Device, Int, Tensor, TensorData};
use burn_relax::{
    gumbel_rao, gumbel_softmax, reinmax, reinmax_with_indices, straight_through_with_indices,
};
use burn_relax_tests::{Array, Random, Table, cpu_devices, devices};

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
    let mut table = Table::new();
    for named in cpu_devices() {
        let device = named.device.autodiff();
        let second: Estimator = |x, k| reinmax_with_indices(x, k, 1, 1.0);
        let first: Estimator = |x, k| straight_through_with_indices(x, k, 1, 1.0);
        for order in [1, 2] {
            let (mean, exact) = enumerate(second, order, &LOGITS, &device);
            let title = format!("{} ReinMax, order {order}", named.name);
            table.within(&title, &Array::line(mean), &Array::line(exact), ENUMERATED);
        }
        let (mean, exact) = enumerate(first, 1, &LOGITS, &device);
        table.within(
            "straight-through, order 1",
            &Array::line(mean),
            &Array::line(exact),
            ENUMERATED,
        );
        let bias = |estimator, order| {
            let (mean, exact) = enumerate(estimator, order, &LOGITS, &device);
            let square = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
            let difference: Vec<f64> = mean.iter().zip(&exact).map(|(m, e)| m - e).collect();
            square(&difference) / square(&exact)
        };
        table.check(
            bias(first, 2) > 0.01,
            "straight-through, order 2",
            "has no bias",
        );
        table.check(bias(second, 3) > 0.01, "ReinMax, order 3", "has no bias");
    }
    table.finish();
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
    for named in cpu_devices() {
        let device = named.device.autodiff();
        let leaf = Tensor::<1>::from_data(TensorData::new(x.to_vec(), [3]), (&device, DType::F64))
            .require_grad();
        let first = Tensor::<1, Int>::from_ints([0], &device);
        let upstream =
            Tensor::<1>::from_data(TensorData::new(g.to_vec(), [3]), (&device, DType::F64));
        let choice = reinmax_with_indices(leaf.clone(), first, 0, t);
        let gradient = Array::of(
            leaf.grad(&choice.mul(upstream).sum().backward())
                .expect("tracked"),
        );
        let mut table = Table::new();
        table.within(
            named.name,
            &gradient,
            &Array::line(expected.clone()),
            ROUNDING,
        );
        table.finish();
    }
}

/// Mean and total variance of the gradient of the third logit's read-out over rows.
fn gradients(choice: impl Fn(Tensor<2>) -> Tensor<2>, rows: usize) -> (Vec<f64>, f64) {
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
    let gradient = Array::of(leaf.grad(&cost.sum().backward()).expect("tracked")).data;
    let mut mean = vec![0.0; 4];
    for row in gradient.chunks(4) {
        for (m, g) in mean.iter_mut().zip(row) {
            *m += g / rows as f64;
        }
    }
    let square = |row: &[f64]| {
        row.iter()
            .zip(&mean)
            .map(|(g, m)| (g - m).powi(2))
            .sum::<f64>()
    };
    let variance = gradient.chunks(4).map(square).sum::<f64>() / rows as f64;
    (mean, variance)
}

#[test]
fn gumbel_rao_has_the_mean_of_gumbel_straight_through_and_less_variance() {
    let rows = 60_000;
    for temperature in [0.3, 1.0] {
        let plain = gradients(|x| gumbel_softmax(x, 1, temperature, true, 1), rows);
        for draws in [1, 4, 32] {
            let rao = gradients(|x| gumbel_rao(x, 1, temperature, draws, 2), rows);
            let error = ((plain.1 + rao.1) / rows as f64).sqrt();
            for (a, b) in plain.0.iter().zip(&rao.0) {
                assert!(
                    (a - b).abs() < STANDARD_ERRORS * error,
                    "{draws} draws: {:?} {:?}",
                    plain.0,
                    rao.0
                );
            }
            // The variances are themselves known to about one percent.
            let slack = 1.03;
            assert!(
                rao.1 < slack * plain.1,
                "{draws} draws at {temperature}: {} and {}",
                rao.1,
                plain.1
            );
            if draws == 32 {
                assert!(
                    rao.1 < 0.95 * plain.1,
                    "{temperature}: {} and {}",
                    rao.1,
                    plain.1
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
        gumbel_rao(logits, 1, 0.5, 2, 3),
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
    for named in devices() {
        let device = named.device.autodiff();
        for dim in [0, 1] {
            let logits = Tensor::<2>::from_floats(rows, &device);
            let logits = if dim == 1 {
                logits
            } else {
                logits.swap_dims(0, 1)
            };
            for operator in 0..2 {
                let leaf = logits.clone().require_grad();
                let choice = if operator == 0 {
                    reinmax(leaf.clone(), dim, 0.7, 5)
                } else {
                    gumbel_rao(leaf.clone(), dim, 0.7, 3, 5)
                };
                let upstream = Tensor::<2>::from_floats([[0.3, -0.2, 0.9, 0.1]], &device);
                let upstream = if dim == 1 {
                    upstream
                } else {
                    upstream.swap_dims(0, 1)
                };
                let title = format!("{} operator {operator} along {dim}", named.name);
                let chosen = if dim == 1 {
                    choice.clone()
                } else {
                    choice.clone().swap_dims(0, 1)
                };
                let chosen = Array::of(chosen).data;
                let sums: Vec<f64> = chosen.chunks(4).map(|row| row.iter().sum()).collect();
                assert_eq!(sums, [1.0, 1.0, 1.0, 0.0, 1.0, 1.0], "{title}");
                assert!(
                    chosen.iter().all(|&x| x == 0.0 || x == 1.0),
                    "{title}: {chosen:?}"
                );
                assert_eq!(
                    (chosen[8], chosen[10], chosen[22]),
                    (0.0, 0.0, 1.0),
                    "{title}"
                );
                let gradient = leaf
                    .grad(&choice.mul(upstream).sum().backward())
                    .expect("tracked");
                let gradient = if dim == 1 {
                    gradient
                } else {
                    gradient.swap_dims(0, 1)
                };
                let gradient = Array::of(gradient).data;
                assert!(
                    gradient.iter().all(|g| g.is_finite()),
                    "{title}: {gradient:?}"
                );
                for forbidden in [8, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23] {
                    assert_eq!(gradient[forbidden], 0.0, "{title}, entry {forbidden}");
                }
            }
        }
    }
}

#[test]
fn nan_stays_in_its_row_and_no_rows_give_none() {
    for named in devices() {
        let device = named.device.autodiff();
        let logits = Tensor::<2>::from_floats([[0.0, f32::NAN], [0.0, 1.0]], &device);
        for choice in [
            reinmax(logits.clone(), 1, 1.0, 1),
            gumbel_rao(logits, 1, 1.0, 2, 1),
        ] {
            let choice = Array::of(choice).data;
            assert!(
                choice[0].is_nan() && choice[1].is_nan(),
                "{}: {choice:?}",
                named.name
            );
            assert_eq!(choice[2] + choice[3], 1.0, "{}", named.name);
        }
        let leaf = Tensor::<2>::zeros([0, 3], &device).require_grad();
        assert_eq!(reinmax(leaf.clone(), 1, 1.0, 1).dims(), [0, 3]);
        assert_eq!(gumbel_rao(leaf, 1, 1.0, 2, 1).dims(), [0, 3]);
    }
}
