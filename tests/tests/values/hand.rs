//! Numbers worked out by hand or printed in papers and forum threads, each with where it comes from. They hold to half a
//! unit of their last printed digit, which is the tolerance, on every device.

use std::collections::BTreeMap;

use burn_core::tensor::{DType, Device, Tensor};
use burn_relax::{
    categorical_entropy, categorical_log_prob, expected_cost, free_energy_cost, gradual_argmax,
    gumbel_softmax_with_noise, power_softmax, relaxed_categorical_log_density, score_function_cost,
    soft_argmax_gather, straight_through_sample,
};
use burn_relax_tests::{Array, Leaves, Table, cpu_devices, devices};

/// Half a unit of the last of four and of six decimals, and the last digit's own rounding.
const FOUR: f64 = 0.5001e-4;
const SIX: f64 = 0.5001e-6;

/// f32 cannot hold nine decimals; there the goldens' tolerance applies on top.
fn on_every_device(
    digits: f64,
    check: impl Fn(&Device, DType, &mut dyn FnMut(&str, Array, &[f64])),
) {
    let mut table = Table::new();
    let f32 = devices().into_iter().map(|d| (d, DType::F32, crate::F32));
    let f64 = cpu_devices()
        .into_iter()
        .map(|d| (d, DType::F64, crate::F64));
    for (device, dtype, rounding) in f32.chain(f64) {
        check(
            &device.device.autodiff(),
            dtype,
            &mut |name, actual, expected| {
                let expected = Array::new(actual.shape.clone(), expected);
                let allowed = digits + rounding * expected.largest().max(1.0);
                table.within(
                    &format!("{} {dtype:?}: {name}", device.name),
                    &actual,
                    &expected,
                    allowed,
                );
            },
        );
    }
    table.finish();
}

fn leaves<const N: usize>(device: &Device, dtype: DType, inputs: [(&str, &[f64]); N]) -> Leaves {
    let array = |(name, data): (&str, &[f64])| (name.to_owned(), Array::line(data));
    Leaves::new(
        device,
        dtype,
        inputs.into_iter().map(array).collect::<BTreeMap<_, _>>(),
    )
}

const LOGITS: &[f64] = &[-2.0, 0.0, 0.5];

/// The forum thread's values: `1 - (1-v)^p` at the maximum .7426, `v^p` elsewhere. At p = 2: .1304² = .017004,
/// .5134² = .263580, 1 - .2574² = .933745, .7159² = .512513, .5705² = .325470; the other powers likewise.
#[test]
fn gradual_argmax_sharpens_the_threads_values() {
    const V: &[f64] = &[0.1304, 0.5134, 0.7426, 0.7159, 0.5705];
    let rows: [(f64, &[f64]); 4] = [
        (
            2.0,
            &[0.017_004, 0.263_580, 0.933_745, 0.512_513, 0.325_470],
        ),
        (
            3.0,
            &[0.002_217, 0.135_322, 0.982_946, 0.366_908, 0.185_681],
        ),
        (
            5.0,
            &[0.000_038, 0.035_668, 0.998_870, 0.188_045, 0.060_434],
        ),
        (10.0, &[0.0, 0.001_272, 0.999_999, 0.035_361, 0.003_652]),
    ];
    on_every_device(SIX, |device, dtype, is| {
        for (power, expected) in rows {
            let v = Array::line(V).tensor::<1>(device, dtype);
            is("y", Array::of(gradual_argmax(v, 0, power)), expected);
        }
    });
}

/// The mean over p = 1..=19 of the four values: a loser's gradient is `Σ p v^(p-1) / 76`, close to `1 / (76 (1-v)²)`; the
/// winner's, in `1 - v = .2`, is that of the loser .2.
#[test]
fn the_threads_stack_of_powers_has_its_gradient() {
    on_every_device(0.5e-7, |device, dtype, is| {
        let x = leaves(device, dtype, [("v", &[0.2, 0.4, 0.6, 0.8])]);
        let v = x.get::<1>("v");
        let stack = (1..20).map(|p| gradual_argmax(v.clone(), 0, f64::from(p)));
        let mean = Tensor::cat(stack.collect(), 0).mean();
        let gradient = x
            .gradients(mean, &Array::line([1.0]))
            .remove("v")
            .expect("it is an input");
        is(
            "gradient",
            gradient,
            &[0.020_559_2, 0.036_549_7, 0.082_193_7, 0.020_559_2],
        );
    });
}

/// `[1, 2, 0]²` is `[1, 4, 0]`, over its sum `[.2, .8, 0]`. With g = e_0, `y (g - <y, g>)` is `[.16, -.16, 0]`, times `p / v`
/// `[.32, -.16, 0]`; the entry at 0 has slope `p v^(p-1) = 0`.
#[test]
fn power_softmax_of_small_integers() {
    on_every_device(0.0, |device, dtype, is| {
        let x = leaves(device, dtype, [("v", &[1.0, 2.0, 0.0])]);
        let y = power_softmax(x.get::<1>("v"), 0, 2.0);
        let gradient = x.gradients(y.clone(), &Array::line([1.0, 0.0, 0.0]));
        is("y", Array::of(y), &[0.2, 0.8, 0.0]);
        is("gradient", gradient["v"].clone(), &[0.32, -0.16, 0.0]);
    });
}

/// `p = e^x / Σ e^x` with `Σ = .135335 + 1 + 1.648721 = 2.784056` is `[.048611, .359188, .592201]`; `y = Σ p V`, its
/// gradient `p (V - y)`.
#[test]
fn soft_argmax_gather_of_three_classes() {
    on_every_device(SIX, |device, dtype, is| {
        let x = leaves(
            device,
            dtype,
            [("logits", LOGITS), ("values", &[10.0, 20.0, 30.0])],
        );
        let y = soft_argmax_gather(x.get::<1>("logits"), x.get::<1>("values"), 0, 1.0, false);
        let gradient = x.gradients(y.clone(), &Array::line([1.0]));
        is("y", Array::of(y), &[25.435_902]);
        is(
            "logits",
            gradient["logits"].clone(),
            &[-0.750_352, -1.952_512, 2.702_863],
        );
        is(
            "values",
            gradient["values"].clone(),
            &[0.048_611, 0.359_188, 0.592_201],
        );
    });
}

/// `ln p = x - ln 2.784056 = x - 1.023909`, and `H = -Σ p ln p = .146996 + .367776 + .310260`.
#[test]
fn log_probabilities_and_entropy_of_three_classes() {
    on_every_device(1e-6, |device, dtype, is| {
        let logits = || Array::line(LOGITS).tensor::<1>(device, dtype);
        let indices = Array::line([2.0, 0.0]).ints::<1>(device);
        let log_prob = categorical_log_prob(logits(), indices, 0);
        is("log_prob", Array::of(log_prob), &[-0.523_909, -3.023_909]);
        is(
            "entropy",
            Array::of(categorical_entropy(logits(), 0)),
            &[0.825_030],
        );
    });
}

/// g = [1, 2, 3]: `p (g - <p, g>) / T` at T = 1 with `<p, g> = 2.543590`, and at T = 2 with p = softmax([-1, 0, .25]).
#[test]
fn decoupled_straight_through_takes_the_backward_temperature() {
    let rows: [(f64, &[f64]); 2] = [
        (1.0, &[-0.075_035, -0.195_251, 0.270_286]),
        (2.0, &[-0.093_323, -0.065_136, 0.158_459]),
    ];
    on_every_device(SIX, |device, dtype, is| {
        for (temperature, expected) in rows {
            let x = leaves(device, dtype, [("logits", LOGITS)]);
            let y = straight_through_sample(x.get::<1>("logits"), 0, 1.0, temperature, 5);
            let gradient = &x.gradients(y, &Array::line([1.0, 2.0, 3.0]))["logits"];
            is("gradient", gradient.clone(), expected);
        }
    });
}

/// `softmax((x + G) / T)` of `x + G = [-1.7, -.1, .7]`.
#[test]
fn gumbel_softmax_with_given_noise() {
    let rows: [(f64, &[f64]); 3] = [
        (1.0, &[0.058_906, 0.291_763, 0.649_331]),
        (0.5, &[0.006_801, 0.166_839, 0.826_360]),
        (0.1, &[0.0, 0.000_335, 0.999_665]),
    ];
    on_every_device(SIX, |device, dtype, is| {
        for (temperature, expected) in rows {
            let logits = Array::line(LOGITS).tensor::<1>(device, dtype);
            let noise = Array::line([0.3, -0.1, 0.2]).tensor(device, dtype);
            let y = gumbel_softmax_with_noise(logits, noise, 0, temperature, false);
            is("y", Array::of(y), expected);
        }
    });
}

/// At T = 1: `ln 2 + Σ (x - 2 ln y) - 3 ln Σ exp(x - ln y)`, with `Σ e^x / y = .676676 + 3.333333 + 3.297443 = 7.307452`:
/// `.693147 - 1.5 + 7.013116 - 5.966684 = .239579`.
#[test]
fn the_relaxed_sample_has_its_density() {
    on_every_device(0.5e-9, |device, dtype, is| {
        for (temperature, expected) in [(0.5, -1.418_759_816_3), (1.0, 0.239_578_907_6)] {
            let logits = Array::line(LOGITS).tensor::<1>(device, dtype);
            let weights = Array::line([0.2, 0.3, 0.5]).tensor(device, dtype);
            let density = relaxed_categorical_log_density(logits, weights, 0, temperature);
            is("density", Array::of(density), &[expected]);
        }
    });
}

/// Costs [1, 0, 3] under p: `.048611 + 1.776603`, and `p (f - E f)`.
#[test]
fn expected_cost_of_three_classes() {
    on_every_device(SIX, |device, dtype, is| {
        let x = leaves(
            device,
            dtype,
            [("logits", LOGITS), ("cost", &[1.0, 0.0, 3.0])],
        );
        let y = expected_cost(x.get::<1>("logits"), x.get("cost"), 0);
        let gradient = x.gradients(y.clone(), &Array::line([1.0]));
        is("y", Array::of(y), &[1.825_214]);
        is(
            "logits",
            gradient["logits"].clone(),
            &[-0.040_114, -0.655_595, 0.695_710],
        );
    });
}

/// The same costs: at T = 1 `F = -ln (.048611/e + .359188 + .592201/e³) = -ln .406555`; the slope of the temperature is the
/// divergence of responsibilities and prior.
#[test]
fn the_free_energy_falls_from_the_expected_to_the_least_cost() {
    let rows: [(f64, f64, &[f64], f64); 3] = [
        (
            10.0,
            1.721_102_603,
            &[-0.036_348_180, -0.674_586_850, 0.710_935_030],
            0.010_553_426,
        ),
        (
            1.0,
            0.900_036_098,
            &[0.004_624_340, -0.524_303_970, 0.519_679_620],
            0.638_485_280,
        ),
        (
            0.1,
            0.102_390_291,
            &[0.004_860_470, -0.064_080_580, 0.059_220_110],
            1.023_841_470,
        ),
    ];
    // The gradients are printed to eight decimals and a zero.
    on_every_device(0.6e-8, |device, dtype, is| {
        for (temperature, energy, of_logits, of_temperature) in rows {
            let cost: &[f64] = &[1.0, 0.0, 3.0];
            let inputs = [
                ("logits", LOGITS),
                ("cost", cost),
                ("temperature", &[temperature]),
            ];
            let x = leaves(device, dtype, inputs);
            let (logits, cost) = (x.get::<1>("logits"), x.get::<1>("cost"));
            let y = free_energy_cost(logits, cost, 0, x.get::<1>("temperature"));
            let gradient = x.gradients(y.clone(), &Array::line([1.0]));
            is("energy", Array::of(y), &[energy]);
            is("logits", gradient["logits"].clone(), of_logits);
            is(
                "temperature",
                gradient["temperature"].clone(),
                &[of_temperature],
            );
        }
    });
}

/// Logits [.1, 0, 0], costs [1, 0, 1], rate .5, 200 steps: descending `-log p(argmax) · cost` raises the greedy class however
/// bad it is and ends at an expected cost of .9966; the exact gradient ends at .0072.
#[test]
fn the_greedy_score_function_climbs_where_the_exact_gradient_descends() {
    let run = |loss: fn(Tensor<1>, Tensor<1>) -> Tensor<1>| {
        let device = Device::flex().autodiff();
        let cost = Array::line([1.0, 0.0, 1.0]).tensor::<1>(&device, DType::F64);
        let mut logits = Array::line([0.1, 0.0, 0.0]).tensor::<1>(&device, DType::F64);
        for _ in 0..200 {
            logits = logits.detach().require_grad();
            let grads = loss(logits.clone(), cost.clone()).backward();
            let step = logits
                .grad(&grads)
                .expect("the loss depends on it")
                .mul_scalar(0.5);
            logits = logits
                .clone()
                .detach()
                .sub(Tensor::from_data(step.into_data(), (&device, DType::F64)));
        }
        Array::of(expected_cost(logits, cost, 0))
    };
    let greedy = run(|logits, cost| {
        let index = burn_relax::argmax(logits.clone(), 0);
        let chosen = cost.gather(0, index.clone());
        categorical_log_prob(logits, index, 0).neg().mul(chosen)
    });
    let exact = run(|logits, cost| expected_cost(logits, cost, 0));
    let mut table = Table::new();
    table.within("greedy", &greedy, &Array::line([0.9966]), FOUR);
    table.within("exact", &exact, &Array::line([0.0072]), FOUR);
    table.finish();
}

/// The value of the surrogate is the cost, its gradient `(f - b)` for the log-probability: (3 - 2, 1 - 2).
#[test]
fn the_surrogate_is_the_cost_with_the_estimators_gradient() {
    on_every_device(0.0, |device, dtype, is| {
        let x = leaves(
            device,
            dtype,
            [("log_prob", &[-0.7, -1.2]), ("cost", &[3.0, 1.0])],
        );
        let baseline = Array::line([2.0, 2.0]).tensor(device, dtype);
        let y = score_function_cost(x.get::<1>("log_prob"), x.get("cost"), Some(baseline));
        let gradient = x.gradients(y.clone(), &Array::line([1.0, 1.0]));
        is("value", Array::of(y), &[3.0, 1.0]);
        is("log_prob", gradient["log_prob"].clone(), &[1.0, -1.0]);
        is("cost", gradient["cost"].clone(), &[1.0, 1.0]);
    });
}
