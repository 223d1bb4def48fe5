//! Numbers worked out by hand or printed in papers and forum threads, each with where it comes from. They hold to half a
//! unit of their last printed digit, which is the tolerance, on every device.

use burn_core::tensor::{DType, Device, Tensor};
use burn_relax::{
    Relaxation, argmax,
    distribution::{categorical_entropy, categorical_log_prob, relaxed_categorical_log_density},
    gradual_argmax,
    loss::{expected_loss, free_energy_loss, score_function_loss},
    power_softmax, soft_argmax_gather,
};
use burn_relax_tests::{Array, Site, Table, in_every_dtype};

use super::{F32, F64};

/// Half a unit of the last of four and of six decimals, and the last digit's own rounding.
const FOUR: f64 = 0.5001e-4;
const SIX: f64 = 0.5001e-6;

/// f32 cannot hold nine decimals; there the goldens' tolerance applies on top.
#[track_caller]
fn on_every_device(digits: f64, check: impl Fn(&Site)) {
    in_every_dtype([F32, F64], |at| check(&at.printed(digits)));
}

const LOGITS: [f64; 3] = [-2.0, 0.0, 0.5];

/// The forum thread's values: `1 - (1-v)^p` at the maximum .7426, `v^p` elsewhere. At p = 2: .1304² = .017004,
/// .5134² = .263580, 1 - .2574² = .933745, .7159² = .512513, .5705² = .325470; the other powers likewise.
#[test]
fn gradual_argmax_sharpens_the_threads_values() {
    const V: [f64; 5] = [0.1304, 0.5134, 0.7426, 0.7159, 0.5705];
    let rows: [(f64, [f64; 5]); 4] = [
        (2.0, [0.017_004, 0.263_580, 0.933_745, 0.512_513, 0.325_470]),
        (3.0, [0.002_217, 0.135_322, 0.982_946, 0.366_908, 0.185_681]),
        (5.0, [0.000_038, 0.035_668, 0.998_870, 0.188_045, 0.060_434]),
        (10.0, [0.0, 0.001_272, 0.999_999, 0.035_361, 0.003_652]),
    ];
    on_every_device(SIX, |at| {
        for (power, expected) in rows {
            let v = at.tensor::<1>(V);
            at.is("y", gradual_argmax(v, 0, power), expected);
        }
    });
}

/// The mean over p = 1..=19 of the four values: a loser's gradient is `Σ p v^(p-1) / 76`, close to `1 / (76 (1-v)²)`; the
/// winner's, in `1 - v = .2`, is that of the loser .2.
#[test]
fn the_threads_stack_of_powers_has_its_gradient() {
    on_every_device(0.5e-7, |at| {
        let x = at.leaves([("v", [0.2, 0.4, 0.6, 0.8])]);
        let v = x.get::<1>("v");
        let stack = (1..20).map(|p| gradual_argmax(v.clone(), 0, f64::from(p)));
        let mean = Tensor::cat(stack.collect(), 0).mean();
        let g = x.gradients(mean, [1.0]);
        at.is(
            "gradient",
            &g["v"],
            [0.020_559_2, 0.036_549_7, 0.082_193_7, 0.020_559_2],
        );
    });
}

/// `[1, 2, 0]²` is `[1, 4, 0]`, over its sum `[.2, .8, 0]`. With g = e_0, `y (g - <y, g>)` is `[.16, -.16, 0]`, times `p / v`
/// `[.32, -.16, 0]`; the entry at 0 has slope `p v^(p-1) = 0`.
#[test]
fn power_softmax_of_small_integers() {
    on_every_device(0.0, |at| {
        let x = at.leaves([("v", [1.0, 2.0, 0.0])]);
        let y = power_softmax(x.get::<1>("v"), 0, 2.0);
        let g = x.gradients(y.clone(), [1.0, 0.0, 0.0]);
        at.is("y", y, [0.2, 0.8, 0.0]);
        at.is("gradient", &g["v"], [0.32, -0.16, 0.0]);
    });
}

/// `p = e^x / Σ e^x` with `Σ = .135335 + 1 + 1.648721 = 2.784056` is `[.048611, .359188, .592201]`; `y = Σ p V`, its
/// gradient `p (V - y)`.
#[test]
fn soft_argmax_gather_of_three_classes() {
    on_every_device(SIX, |at| {
        let x = at.leaves([("logits", LOGITS), ("values", [10.0, 20.0, 30.0])]);
        let y = soft_argmax_gather(x.get::<1>("logits"), x.get::<1>("values"), 0, 1.0);
        let g = x.gradients(y.clone(), [1.0]);
        at.is("y", y, [25.435_902]);
        at.is("logits", &g["logits"], [-0.750_352, -1.952_512, 2.702_863]);
        at.is("values", &g["values"], [0.048_611, 0.359_188, 0.592_201]);
    });
}

/// `ln p = x - ln 2.784056 = x - 1.023909`, and `H = -Σ p ln p = .146996 + .367776 + .310260`.
#[test]
fn log_probabilities_and_entropy_of_three_classes() {
    on_every_device(1e-6, |at| {
        let logits = || at.tensor::<1>(LOGITS);
        let indices = Array::line([2.0, 0.0]).ints::<1>(&at.device);
        let log_prob = categorical_log_prob(logits(), indices, 0);
        at.is("log_prob", log_prob, [-0.523_909, -3.023_909]);
        at.is("entropy", categorical_entropy(logits(), 0), [0.825_030]);
    });
}

/// g = [1, 2, 3]: `p (g - <p, g>) / T` at T = 1 with `<p, g> = 2.543590`, and at T = 2 with p = softmax([-1, 0, .25]).
#[test]
fn decoupled_straight_through_takes_the_backward_temperature() {
    let rows: [(f64, [f64; 3]); 2] = [
        (1.0, [-0.075_035, -0.195_251, 0.270_286]),
        (2.0, [-0.093_323, -0.065_136, 0.158_459]),
    ];
    on_every_device(SIX, |at| {
        for (temperature, expected) in rows {
            let x = at.leaves([("logits", LOGITS)]);
            let y = Relaxation::softmax(temperature)
                .sampled(5)
                .weights(x.get::<1>("logits"), 0);
            let g = x.gradients(y, [1.0, 2.0, 3.0]);
            at.is("gradient", &g["logits"], expected);
        }
    });
}

/// `softmax((x + G) / T)` of `x + G = [-1.7, -.1, .7]`.
#[test]
fn gumbel_softmax_with_given_noise() {
    let rows: [(f64, [f64; 3]); 3] = [
        (1.0, [0.058_906, 0.291_763, 0.649_331]),
        (0.5, [0.006_801, 0.166_839, 0.826_360]),
        (0.1, [0.0, 0.000_335, 0.999_665]),
    ];
    on_every_device(SIX, |at| {
        for (temperature, expected) in rows {
            let logits = at.tensor::<1>(LOGITS);
            let noise = at.tensor([0.3, -0.1, 0.2]);
            let y = Relaxation::softmax(temperature)
                .noise(noise)
                .weights(logits, 0);
            at.is("y", y, expected);
        }
    });
}

/// At T = 1: `ln 2 + Σ (x - 2 ln y) - 3 ln Σ exp(x - ln y)`, with `Σ e^x / y = .676676 + 3.333333 + 3.297443 = 7.307452`:
/// `.693147 - 1.5 + 7.013116 - 5.966684 = .239579`.
#[test]
fn the_relaxed_sample_has_its_density() {
    on_every_device(0.5e-9, |at| {
        for (temperature, expected) in [(0.5, -1.418_759_816_3), (1.0, 0.239_578_907_6)] {
            let logits = at.tensor::<1>(LOGITS);
            let weights = at.tensor([0.2, 0.3, 0.5]);
            let density = relaxed_categorical_log_density(logits, weights, 0, temperature);
            at.is("density", density, [expected]);
        }
    });
}

/// Costs [1, 0, 3] under p: `.048611 + 1.776603`, and `p (f - E f)`.
#[test]
fn expected_cost_of_three_classes() {
    on_every_device(SIX, |at| {
        let x = at.leaves([("logits", LOGITS), ("cost", [1.0, 0.0, 3.0])]);
        let y = expected_loss(x.get::<1>("logits"), x.get("cost"), 0);
        let g = x.gradients(y.clone(), [1.0]);
        at.is("y", y, [1.825_214]);
        at.is("logits", &g["logits"], [-0.040_114, -0.655_595, 0.695_710]);
    });
}

/// The same costs: at T = 1 `F = -ln (.048611/e + .359188 + .592201/e³) = -ln .406555`; the slope of the temperature is the
/// divergence of responsibilities and prior.
#[test]
fn the_free_energy_falls_from_the_expected_to_the_least_cost() {
    let rows: [(f64, f64, [f64; 3], f64); 3] = [
        (
            10.0,
            1.721_102_603,
            [-0.036_348_180, -0.674_586_850, 0.710_935_030],
            0.010_553_426,
        ),
        (
            1.0,
            0.900_036_098,
            [0.004_624_340, -0.524_303_970, 0.519_679_620],
            0.638_485_280,
        ),
        (
            0.1,
            0.102_390_291,
            [0.004_860_470, -0.064_080_580, 0.059_220_110],
            1.023_841_470,
        ),
    ];
    // The gradients are printed to eight decimals and a zero.
    on_every_device(0.6e-8, |at| {
        for (temperature, energy, of_logits, of_temperature) in rows {
            let x = at.leaves([
                ("logits", Array::from(LOGITS)),
                ("cost", [1.0, 0.0, 3.0].into()),
                ("temperature", [temperature].into()),
            ]);
            let (logits, cost) = (x.get::<1>("logits"), x.get::<1>("cost"));
            let y = free_energy_loss(logits, cost, 0, x.get::<1>("temperature"));
            let g = x.gradients(y.clone(), [1.0]);
            at.is("energy", y, [energy]);
            at.is("logits", &g["logits"], of_logits);
            at.is("temperature", &g["temperature"], [of_temperature]);
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
            let step = logits.grad(&grads).expect("the loss depends on it");
            let step = Array::of(step.mul_scalar(0.5));
            logits = logits.detach() - step.tensor(&device, DType::F64);
        }
        Array::of(expected_loss(logits, cost, 0))
    };
    let greedy = run(|logits, cost| {
        let index = argmax(logits.clone(), 0);
        let chosen = cost.gather(0, index.clone());
        categorical_log_prob(logits, index, 0).neg().mul(chosen)
    });
    let exact = run(|logits, cost| expected_loss(logits, cost, 0));
    let mut table = Table::new();
    table.within("greedy", &greedy, &[0.9966].into(), FOUR);
    table.within("exact", &exact, &[0.0072].into(), FOUR);
    table.finish();
}

/// The value of the surrogate is the cost, its gradient `(f - b)` for the log-probability: (3 - 2, 1 - 2).
#[test]
fn the_surrogate_is_the_cost_with_the_estimators_gradient() {
    on_every_device(0.0, |at| {
        let x = at.leaves([("log_prob", [-0.7, -1.2]), ("cost", [3.0, 1.0])]);
        let baseline = at.tensor([2.0, 2.0]);
        let y = score_function_loss(x.get::<1>("log_prob"), x.get("cost"), Some(baseline));
        let g = x.gradients(y.clone(), [1.0, 1.0]);
        at.is("value", y, [3.0, 1.0]);
        at.is("log_prob", &g["log_prob"], [1.0, -1.0]);
        at.is("cost", &g["cost"], [1.0, 1.0]);
    });
}
