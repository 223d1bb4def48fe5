//! The sparse maps and their losses: goldens, and numbers derived by hand.

use burn_core::tensor::{DType, Int, Tensor};
use burn_nn::loss::Reduction;
use burn_relax::{
    entmax, entmax15,
    loss::{entmax_loss, sparsemax_loss},
    nn::{EntmaxLossConfig, SparsemaxLossConfig},
    sparse::{budget, normmax},
    sparsemax,
};
use burn_relax_tests::{Array, Random, Table, cpu_devices, devices, in_every_dtype, with_rank};

use super::{
    compare_within,
    relaxations::{both, once, rank},
};

/// Sixteen units of `f32`'s rounding at 1.
const F32: f64 = 1e-6;

/// The same room in `f64`, four decimal digits above its rounding.
const F64: f64 = 1e-12;

const LOGITS: [f64; 3] = [-2.0, 0.0, 0.5];

fn one_hot(class: usize) -> [f64; 3] {
    let mut one_hot = [0.0; 3];
    one_hot[class] = 1.0;
    one_hot
}

#[test]
fn sparsemax_agrees_with_its_goldens() {
    compare_within("sparsemax", F32, |case, device, dtype| {
        with_rank!(rank(case), D => once::<D>(case, device, dtype, |x| {
            sparsemax(x.get("logits"), case.dim())
        }))
    });
}

#[test]
fn entmax15_agrees_with_its_goldens() {
    compare_within("entmax15", F32, |case, device, dtype| {
        with_rank!(rank(case), D => once::<D>(case, device, dtype, |x| {
            entmax15(x.get("logits"), case.dim())
        }))
    });
}

/// Three times as much: a weight of .02 at alpha 3 feels the rounding of its logit forty times, by its slope `p^(2 - alpha)`.
const STEEP_F32: f64 = 3e-6;

#[test]
fn entmax_agrees_with_its_goldens() {
    compare_within("entmax", STEEP_F32, |case, device, dtype| {
        with_rank!(rank(case), D => both::<D>(case, device, dtype, "alpha", |x, alpha| {
            entmax(x.get("logits"), case.dim(), alpha)
        }))
    });
}

/// Printed digits of the figures below.
const PRINTED: f64 = 6e-7;

/// Figures of `docs/operators.md` for the logits [-2, 0, .5] and the upstream gradient [1, 2, 3].
#[test]
fn the_family_agrees_with_the_figures_of_the_operators_page() {
    let figures = [
        (
            1.25,
            [0.005339, 0.352110, 0.642551],
            [-0.031293, -0.267068, 0.298361],
        ),
        (
            4.0 / 3.0,
            [0.000043, 0.345367, 0.654590],
            [-0.001957, -0.297030, 0.298988],
        ),
        (1.5, [0.0, 0.326007, 0.673993], [0.0, -0.336760, 0.336760]),
        (1.75, [0.0, 0.291788, 0.708212], [0.0, -0.408048, 0.408048]),
        (2.0, [0.0, 0.25, 0.75], [0.0, -0.5, 0.5]),
    ];
    in_every_dtype([F32, F64], |at| {
        let at = at.printed(PRINTED);
        for (alpha, weights, gradient) in figures {
            let x = at.leaves([("logits", LOGITS)]);
            let y = entmax(x.get::<1>("logits"), 0, alpha);
            let gradients = x.gradients(y.clone(), [1.0, 2.0, 3.0]);
            at.is(&format!("alpha {alpha}"), y, weights);
            at.is(&format!("{alpha}, slope"), &gradients["logits"], gradient);
        }
    });
}

/// Derivatives of every weight with respect to alpha, from the same page.
#[test]
fn alpha_moves_the_weights_as_the_operators_page_says() {
    let figures = [
        (LOGITS, 1.0, [-0.198342, -0.011633, 0.209975]),
        ([-1.0, 0.0, 0.5], 1.33, [-0.2561677, -0.0114023, 0.2675700]),
    ];
    in_every_dtype([F32, F64], |at| {
        let at = at.printed(PRINTED);
        for (logits, alpha, slopes) in figures {
            for (k, slope) in slopes.into_iter().enumerate() {
                let x = at.leaves([("logits", Array::from(logits)), ("alpha", [alpha].into())]);
                let y = entmax(x.get::<1>("logits"), 0, x.get::<1>("alpha"));
                let gradients = x.gradients(y, one_hot(k));
                let title = format!("alpha {alpha}, weight {k}");
                at.is(&title, &gradients["alpha"], [slope]);
            }
        }
    });
}

/// `sparsemax`: ½(1 - 10/16) + <p - t, x> with p = [0, 1/4, 3/4]: 3/16 + 3/8 for target 1, 3/16 - 1/8 for target 2. 1.5-entmax: the
/// figures of the operators page.
#[test]
fn losses_agree_with_the_figures_of_the_operators_page() {
    in_every_dtype([F32, F64], |at| {
        for (target, of_sparsemax, of_entmax15) in [(1, 0.5625, 0.684371), (2, 0.0625, 0.184371)] {
            let x = at.leaves([("logits", LOGITS), ("targets", one_hot(target))]);
            let (logits, targets) = (|| x.get::<1>("logits"), || x.constant("targets"));
            let title = format!("target {target}");
            at.is(
                &title,
                sparsemax_loss(logits(), targets(), 0),
                [of_sparsemax],
            );
            let loss = entmax_loss(logits(), targets(), 0, 1.5);
            at.printed(PRINTED).is(&title, loss, [of_entmax15]);
        }
    });
}

/// A budget of 2 over [-2, 0, .5, 3]: the last is full, the first empty, and 1 is left for x - t: t = -1/4.
#[test]
fn a_budget_fills_the_best_classes_first() {
    in_every_dtype([F32, F64], |at| {
        let pass = |logits: [f64; 4]| {
            let x = at.leaves([("logits", Array::from(logits)), ("budget", [2.0].into())]);
            let y = budget(x.get::<1>("logits"), 0, x.get::<1>("budget"));
            let gradients = x.gradients(y.clone(), [1.0, 2.0, 4.0, 8.0]);
            (y, gradients)
        };
        let (y, gradients) = pass([-2.0, 0.0, 0.5, 3.0]);
        at.is("weights", y, [0.0, 0.25, 0.75, 1.0]);
        at.is("logits", &gradients["logits"], [0.0, -1.0, 1.0, 0.0]);
        at.within("budget", &gradients["budget"], [3.0], at.tolerance);
        // Nothing lies between 0 and 1: nothing moves, and nothing is divided by 0.
        let (y, gradients) = pass([-2.0, 0.0, 3.0, 3.0]);
        at.equals("full", y, [0.0, 0.0, 1.0, 1.0]);
        at.equals("full, logits", &gradients["logits"], [0.0; 4]);
        at.equals("full, budget", &gradients["budget"], [0.0]);
    });
}

/// For alpha 2: p ∝ [x - t]_+ with Σ [x - t]_+² = 1. For [0, .5]: (½ - t)² + t² = 1 gives t = (1 - √7)/4, so the parts (√7 - 1)/4 and
/// (√7 + 1)/4 of √7/2.
#[test]
fn normmax_agrees_with_its_closed_form() {
    let root = 7f64.sqrt();
    let (low, high) = ((root - 1.0) / (2.0 * root), (root + 1.0) / (2.0 * root));
    in_every_dtype([F32, F64], |at| {
        let y = normmax(at.tensor::<1>(LOGITS), 0, 2.0);
        at.is("weights", y, [0.0, low, high]);
    });
}

/// Rows: loses by figures above; target leads by 2, so that 1.5-entmax's loss is 0; ignored.
#[test]
fn reductions_and_ignored_labels_follow_burns_losses() {
    for device in devices() {
        let device = device.device.autodiff();
        let logits = || {
            let rows = [[-2.0, 0.0, 0.5], [0.0, 2.0, -1.0], [5.0, 0.0, 0.0]];
            Tensor::<2>::from_floats(rows, &device).require_grad()
        };
        let targets = || Tensor::<1, Int>::from_ints([2, 1, 9], &device);
        let loss = EntmaxLossConfig::new()
            .with_pad_tokens(Some(vec![9]))
            .init();
        let value = |reduction| {
            loss.forward(logits(), targets(), reduction)
                .into_scalar::<f32>()
        };
        let close = |a: f32, b: f32| assert!((a - b).abs() < 2e-6, "{a} {b}");
        close(value(Reduction::Sum), 0.184_371);
        close(value(Reduction::Mean), 0.184_371 / 2.0);
        close(value(Reduction::Auto), 0.184_371 / 2.0);
        close(value(Reduction::BatchMean), 0.184_371 / 3.0);
        let rows = Array::of(loss.forward_no_reduction(logits(), targets()));
        assert_eq!(rows.data[1..], [0.0, 0.0]);

        // Soft targets that are one-hot are labels.
        let soft = Tensor::<2>::from_floats([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]], &device);
        let two = logits().slice([0..2, 0..3]);
        close(
            loss.forward_soft(two, soft, Reduction::Sum).into_scalar(),
            0.184_371,
        );

        // Everything ignored: 0 and a gradient of 0, not NaN.
        let x = logits();
        let nothing = Tensor::<1, Int>::from_ints([9, 9, 9], &device);
        for reduction in [Reduction::Mean, Reduction::Sum] {
            let value = loss.forward(x.clone(), nothing.clone(), reduction);
            assert_eq!(value.clone().into_scalar::<f32>(), 0.0);
            let grads = value.backward();
            let gradient = Array::of(x.grad(&grads).expect("it is tracked"));
            assert!(gradient.data.iter().all(|&g| g == 0.0));
        }

        let sparse = SparsemaxLossConfig::new().init();
        let targets = Tensor::<1, Int>::from_ints([1, 1, 0], &device);
        let rows = Array::of(sparse.forward_no_reduction(logits(), targets));
        assert!((rows.data[0] - 0.5625).abs() < 1e-6 && rows.data[1..] == [0.0, 0.0]);
    }
}

/// Once the target leads by 1 / (alpha - 1) the weights are its one-hot, and nothing is left to lose or to learn.
#[test]
fn a_loss_is_exactly_zero_once_the_target_leads_far_enough() {
    for device in devices() {
        let device = device.device.autodiff();
        for alpha in [1.25f32, 1.5, 2.0, 3.0] {
            let lead = 1.0 / (alpha - 1.0); // exact for these
            let logits = Tensor::<2>::from_floats([[3.0 + lead, 3.0, 1.0]], &device).require_grad();
            let target = Tensor::<2>::from_floats([[1.0, 0.0, 0.0]], &device);
            let loss = entmax_loss(logits.clone(), target, 1, f64::from(alpha));
            assert_eq!(loss.clone().into_scalar::<f32>(), 0.0, "alpha {alpha}");
            let gradient = logits.grad(&loss.sum().backward()).expect("it is tracked");
            assert!(
                Array::of(gradient).data.iter().all(|&g| g == 0.0),
                "alpha {alpha}"
            );
        }
    }
}

/// A million rows would not show it better: rounding must not carry the loss of a nearly won row below 0.
#[test]
fn a_loss_is_never_negative_and_its_gradient_is_weights_less_target() {
    let device = &cpu_devices()[0].device.clone().autodiff();
    let mut random = Random::new(77);
    let mut table = Table::new();
    let target: Vec<f64> = (0..3500).map(|i| f64::from(u8::from(i % 7 == 0))).collect();
    let target: Tensor<2> = Array::new([500, 7], target).tensor(device, DType::F32);
    for alpha in [1.0, 1.0 + 1e-6, 1.2, 1.5, 1.9, 2.0, 3.0] {
        let mut logits = random.array([500, 7], -1.0, 1.0);
        // Rows from far behind to far ahead, many about to win.
        for (row, x) in logits.data.iter_mut().step_by(7).enumerate() {
            *x += row as f64 / 100.0;
        }
        let logits = logits.tensor::<2>(device, DType::F32).require_grad();
        let loss = entmax_loss(logits.clone(), target.clone(), 1, alpha);
        let title = format!("alpha {alpha}");
        let positive = Array::of(loss.clone()).data.iter().all(|&l| l >= 0.0);
        table.check(positive, &title, "has a negative loss");
        let gradient = logits.grad(&loss.sum().backward()).expect("it is tracked");
        let expected = entmax(logits.detach(), 1, alpha).sub(target.clone());
        table.within(&title, &gradient.into(), &expected.into(), 1e-7);
    }
    table.finish();
}

/// At alpha = 1 the loss is the cross-entropy: ln(Σ exp x) - x_t.
#[test]
fn the_loss_at_alpha_one_is_the_cross_entropy() {
    let expected = ((-2f64).exp() + 1.0 + 0.5f64.exp()).ln();
    in_every_dtype([F32, F64], |at| {
        let x = at.leaves([("logits", LOGITS), ("targets", one_hot(1))]);
        for alpha in [1.0, 1.0 + 1e-9] {
            let targets = x.constant("targets");
            let loss = entmax_loss(x.get::<1>("logits"), targets, 0, alpha);
            at.within("loss", loss, [expected], at.tolerance.max(1e-8));
        }
    });
}
