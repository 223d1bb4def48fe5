//! The sparse maps and their losses: goldens, and numbers derived by hand.

use burn_core::tensor::{DType, Device, Int, Tensor};
use burn_nn::loss::Reduction;
use burn_relax::{
    EntmaxLossConfig, SparsemaxLossConfig, budget, entmax, entmax_loss, entmax15, normmax,
    sparsemax, sparsemax_loss,
};
use burn_relax_tests::{Array, Leaves, Table, cpu_devices, devices, flat, with_rank};

use crate::{
    compare_within,
    relaxations::{both, once, rank},
};

/// Sixteen units of `f32`'s rounding at 1.
const F32: f64 = 1e-6;

/// The same room in `f64`, four decimal digits above its rounding.
const F64: f64 = 1e-12;

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

/// Calls `check` in f32 on every device and in f64 on the CPU, with the tolerance.
#[track_caller]
fn everywhere(check: impl Fn(&Device, DType, &str, f64, &mut Table)) {
    let mut table = Table::new();
    let f32 = devices().into_iter().map(|d| (d, DType::F32, F32));
    let f64 = cpu_devices().into_iter().map(|d| (d, DType::F64, F64));
    for (device, dtype, tolerance) in f32.chain(f64) {
        let title = format!("{} {dtype:?}", device.name);
        check(
            &device.device.clone().autodiff(),
            dtype,
            &title,
            tolerance,
            &mut table,
        );
    }
    table.finish();
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
    everywhere(|device, dtype, title, tolerance, table| {
        for (alpha, weights, gradient) in figures {
            let x = Leaves::new(
                device,
                dtype,
                [("logits".to_owned(), Array::line([-2.0, 0.0, 0.5]))].into(),
            );
            let y = entmax(x.get::<1>("logits"), 0, alpha);
            let title = format!("{title}, alpha {alpha}");
            let allowed = tolerance + PRINTED;
            table.within(
                &title,
                &Array::of(y.clone()),
                &Array::line(weights),
                allowed,
            );
            let gradients = x.gradients(y, &Array::line([1.0, 2.0, 3.0]));
            table.within(
                &title,
                &gradients["logits"],
                &Array::line(gradient),
                allowed,
            );
        }
    });
}

/// Derivatives of every weight with respect to alpha, from the same page.
#[test]
fn alpha_moves_the_weights_as_the_operators_page_says() {
    let figures = [
        ([-2.0, 0.0, 0.5], 1.0, [-0.198342, -0.011633, 0.209975]),
        ([-1.0, 0.0, 0.5], 1.33, [-0.2561677, -0.0114023, 0.2675700]),
    ];
    everywhere(|device, dtype, title, tolerance, table| {
        for (logits, alpha, slopes) in figures {
            for (k, slope) in slopes.into_iter().enumerate() {
                let inputs = [
                    ("logits".to_owned(), Array::line(logits)),
                    ("alpha".to_owned(), Array::line([alpha])),
                ];
                let x = Leaves::new(device, dtype, inputs.into());
                let y = entmax(x.get::<1>("logits"), 0, x.get::<1>("alpha"));
                let mut one_hot = vec![0.0; 3];
                one_hot[k] = 1.0;
                let gradients = x.gradients(y, &Array::line(one_hot));
                let title = format!("{title}, alpha {alpha}, weight {k}");
                let allowed = tolerance + PRINTED;
                table.within(&title, &gradients["alpha"], &Array::line([slope]), allowed);
            }
        }
    });
}

/// `sparsemax`: ½(1 - 10/16) + <p - t, x> with p = [0, 1/4, 3/4]: 3/16 + 3/8 for target 1, 3/16 - 1/8 for target 2. 1.5-entmax: the
/// figures of the operators page.
#[test]
fn losses_agree_with_the_figures_of_the_operators_page() {
    everywhere(|device, dtype, title, tolerance, table| {
        for (target, of_sparsemax, of_entmax15) in [(1, 0.5625, 0.684371), (2, 0.0625, 0.184371)] {
            let mut one_hot = vec![0.0; 3];
            one_hot[target] = 1.0;
            let inputs = [
                ("logits".to_owned(), Array::line([-2.0, 0.0, 0.5])),
                ("targets".to_owned(), Array::line(one_hot)),
            ];
            let x = Leaves::new(device, dtype, inputs.into());
            let loss = sparsemax_loss(x.get::<1>("logits"), x.constant("targets"), 0);
            let title = format!("{title}, target {target}");
            table.within(
                &title,
                &Array::of(loss),
                &Array::line([of_sparsemax]),
                tolerance,
            );
            let loss = entmax_loss(x.get::<1>("logits"), x.constant("targets"), 0, 1.5);
            let allowed = tolerance + PRINTED;
            table.within(
                &title,
                &Array::of(loss),
                &Array::line([of_entmax15]),
                allowed,
            );
        }
    });
}

/// A budget of 2 over [-2, 0, .5, 3]: the last is full, the first empty, and 1 is left for x - t: t = -1/4.
#[test]
fn a_budget_fills_the_best_classes_first() {
    everywhere(|device, dtype, title, tolerance, table| {
        let inputs = [
            ("logits".to_owned(), Array::line([-2.0, 0.0, 0.5, 3.0])),
            ("budget".to_owned(), Array::line([2.0])),
        ];
        let x = Leaves::new(device, dtype, inputs.into());
        let y = budget(x.get::<1>("logits"), 0, x.get::<1>("budget"));
        table.within(
            title,
            &Array::of(y.clone()),
            &Array::line([0.0, 0.25, 0.75, 1.0]),
            tolerance,
        );
        let gradients = x.gradients(y, &Array::line([1.0, 2.0, 4.0, 8.0]));
        table.within(
            title,
            &gradients["logits"],
            &Array::line([0.0, -1.0, 1.0, 0.0]),
            tolerance,
        );
        table.within(title, &gradients["budget"], &Array::line([3.0]), tolerance);
        // Nothing lies between 0 and 1: nothing moves, and nothing is divided by 0.
        let inputs = [
            ("logits".to_owned(), Array::line([-2.0, 0.0, 3.0, 3.0])),
            ("budget".to_owned(), Array::line([2.0])),
        ];
        let x = Leaves::new(device, dtype, inputs.into());
        let y = budget(x.get::<1>("logits"), 0, x.get::<1>("budget"));
        table.equal(
            title,
            &Array::of(y.clone()),
            &Array::line([0.0, 0.0, 1.0, 1.0]),
        );
        let gradients = x.gradients(y, &Array::line([1.0, 2.0, 4.0, 8.0]));
        table.equal(title, &gradients["logits"], &Array::line([0.0; 4]));
        table.equal(title, &gradients["budget"], &Array::line([0.0]));
    });
}

/// For alpha 2: p ∝ [x - t]_+ with Σ [x - t]_+² = 1. For [0, .5]: (½ - t)² + t² = 1 gives t = (1 - √7)/4, so the parts (√7 - 1)/4 and
/// (√7 + 1)/4 of √7/2.
#[test]
fn normmax_agrees_with_its_closed_form() {
    let root = 7f64.sqrt();
    let (low, high) = ((root - 1.0) / (2.0 * root), (root + 1.0) / (2.0 * root));
    everywhere(|device, dtype, title, tolerance, table| {
        let inputs = [("logits".to_owned(), Array::line([-2.0, 0.0, 0.5]))];
        let x = Leaves::new(device, dtype, inputs.into());
        let y = normmax(x.get::<1>("logits"), 0, 2.0);
        table.within(
            title,
            &Array::of(y),
            &Array::line([0.0, low, high]),
            tolerance,
        );
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
    let mut random = burn_relax_tests::Random::new(77);
    for alpha in [1.0, 1.0 + 1e-6, 1.2, 1.5, 1.9, 2.0, 3.0] {
        let logits = random.array([500, 7], -1.0, 1.0);
        // Rows from far behind to far ahead, many about to win.
        let lead = |i: usize, x: f64| {
            if i.is_multiple_of(7) {
                x + (i / 7) as f64 / 100.0
            } else {
                x
            }
        };
        let data = logits
            .data
            .iter()
            .enumerate()
            .map(|(i, &x)| lead(i, x))
            .collect::<Vec<_>>();
        let logits: Tensor<2> = Array::new([500, 7], data).tensor(device, DType::F32);
        let logits = logits.require_grad();
        let target: Vec<f64> = (0..3500).map(|i| f64::from(u8::from(i % 7 == 0))).collect();
        let target: Tensor<2> = Array::new([500, 7], target).tensor(device, DType::F32);
        let loss = entmax_loss(logits.clone(), target.clone(), 1, alpha);
        assert!(
            Array::of(loss.clone()).data.iter().all(|&l| l >= 0.0),
            "alpha {alpha}"
        );
        let gradient = logits.grad(&loss.sum().backward()).expect("it is tracked");
        let expected = entmax(logits.detach(), 1, alpha).sub(target);
        let (gradient, expected) = (Array::of(gradient), Array::of(expected));
        let mut table = Table::new();
        table.within(&format!("alpha {alpha}"), &gradient, &expected, 1e-7);
        table.finish();
    }
}

/// At alpha = 1 the loss is the cross-entropy: ln(Σ exp x) - x_t.
#[test]
fn the_loss_at_alpha_one_is_the_cross_entropy() {
    everywhere(|device, dtype, title, tolerance, table| {
        let inputs = [
            ("logits".to_owned(), Array::line([-2.0, 0.0, 0.5])),
            ("targets".to_owned(), Array::line([0.0, 1.0, 0.0])),
        ];
        let x = Leaves::new(device, dtype, inputs.into());
        let expected = ((-2f64).exp() + 1.0 + 0.5f64.exp()).ln();
        for alpha in [1.0, 1.0 + 1e-9] {
            let loss = flat(entmax_loss(
                x.get::<1>("logits"),
                x.constant("targets"),
                0,
                alpha,
            ));
            table.within(
                title,
                &Array::of(loss),
                &Array::line([expected]),
                tolerance.max(1e-8),
            );
        }
    });
}
