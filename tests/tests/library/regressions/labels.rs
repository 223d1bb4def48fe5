//! Labels and indices that are no class were taken for one, or for none, in silence; and those of 8 bits for two.

use burn_core::tensor::{DType, Device, Int, IntDType, Tensor, TensorData};
use burn_nn::loss::Reduction;
use burn_relax::{
    distribution::{categorical_log_likelihood, categorical_log_prob},
    nn::{EntmaxLossConfig, SparsemaxLossConfig},
    relax::{reinmax_with_indices, straight_through_with_indices},
};
use burn_relax_tests::{Array, cpu_devices, devices};

use crate::arguments::message;

fn ints<const N: usize>(numbers: [i64; N], device: &Device) -> Tensor<1, Int> {
    Tensor::from_ints(numbers, device)
}

/// A call that is to be refused.
type Call<'a> = Box<dyn Fn() + 'a>;

#[test]
fn a_label_outside_the_classes_is_named_with_their_range() {
    for named in devices() {
        let device = &named.device;
        let logits = || Tensor::<2>::from_floats([[3.0, 0.0, 0.0], [0.0; 3]], device);
        let column = |number: i64| Tensor::<2, Int>::from_ints([[0], [number]], device);
        let sparsemax = SparsemaxLossConfig::new().init();
        let entmax = EntmaxLossConfig::new()
            .with_pad_tokens(Some(vec![7]))
            .init();
        for outside in [-100, -1, 3, 1000] {
            let targets = || ints([0, outside], device);
            let cases: [(&str, &str, Call); 7] = [
                (
                    "SparsemaxLoss",
                    "targets",
                    Box::new(|| {
                        drop(sparsemax.forward(logits(), targets(), Reduction::Mean));
                    }),
                ),
                (
                    "EntmaxLoss",
                    "targets",
                    Box::new(|| {
                        drop(entmax.forward(logits(), targets(), Reduction::Sum));
                    }),
                ),
                (
                    "EntmaxLoss",
                    "targets",
                    Box::new(|| {
                        drop(entmax.forward_no_reduction(logits(), targets()));
                    }),
                ),
                (
                    "straight_through_with_indices",
                    "indices",
                    Box::new(|| {
                        drop(straight_through_with_indices(
                            logits(),
                            column(outside),
                            1,
                            1.0,
                        ));
                    }),
                ),
                (
                    "reinmax_with_indices",
                    "indices",
                    Box::new(|| {
                        drop(reinmax_with_indices(logits(), column(outside), 1, 1.0));
                    }),
                ),
                (
                    "categorical_log_prob",
                    "indices",
                    Box::new(|| {
                        drop(categorical_log_prob(logits(), column(outside), 1));
                    }),
                ),
                (
                    "categorical_log_likelihood",
                    "target",
                    Box::new(|| {
                        let density: Tensor<1> =
                            categorical_log_likelihood(logits(), column(outside));
                        drop(density);
                    }),
                ),
            ];
            for (op, argument, call) in cases {
                let expected = format!("{op}: {argument} must be in 0..3, got {outside}");
                assert_eq!(message(call), expected, "{}", named.name);
            }
        }
    }
}

/// The second row counts, the others are ignored, whatever they hold: .3333 is the loss of three equal logits.
#[test]
fn an_ignored_label_costs_nothing_teaches_nothing_and_does_not_count() {
    for named in devices() {
        let device = named.device.autodiff();
        let rows = [
            [f32::NAN, 0.0, f32::INFINITY],
            [0.0; 3],
            [5.0, f32::NEG_INFINITY, 0.0],
        ];
        let loss = SparsemaxLossConfig::new()
            .with_ignore_index(Some(-100))
            .with_pad_tokens(Some(vec![9]))
            .init();
        let targets = || ints([-100, 1, 9], &device);
        for (reduction, expected) in [
            (Reduction::Mean, 1.0 / 3.0),
            (Reduction::Sum, 1.0 / 3.0),
            (Reduction::BatchMean, 1.0 / 9.0),
        ] {
            let logits = Tensor::<2>::from_floats(rows, &device).require_grad();
            let value = loss.forward(logits.clone(), targets(), reduction);
            let actual = value.clone().into_scalar::<f32>();
            assert!((actual - expected).abs() < 1e-6, "{}: {actual}", named.name);
            let gradient = Array::of(logits.grad(&value.backward()).expect("it is tracked"));
            assert_eq!(gradient.data[..3], [0.0; 3], "{}", named.name);
            assert_eq!(gradient.data[6..], [0.0; 3], "{}", named.name);
            assert!(gradient.data[4] < 0.0, "{}", named.name);
        }
        let logits = Tensor::<2>::from_floats(rows, &device);
        let each = Array::of(loss.forward_no_reduction(logits, targets()));
        assert_eq!([each.data[0], each.data[2]], [0.0, 0.0], "{}", named.name);
    }
}

/// An integer of 8 bits counts to 127 or 255, then begins again: 5 was 261 too.
#[test]
fn indices_of_eight_bits_choose_one_class_of_three_hundred() {
    // A server of Burn's does not know them all.
    for named in cpu_devices().into_iter().filter(|named| !named.is_remote()) {
        let device = named.device;
        for dtype in [
            IntDType::U8,
            IntDType::I8,
            IntDType::I16,
            IntDType::U16,
            IntDType::U32,
        ] {
            let logits = || Tensor::<2>::zeros([1, 300], &device);
            let index = || {
                let data = TensorData::new(vec![5_i64], [1, 1]);
                Tensor::<2, Int>::from_data(data, (&device, DType::from(dtype)))
            };
            let chosen = |tensor: Tensor<2>| {
                let data = Array::of(tensor).data;
                let ones = data.iter().filter(|x| **x == 1.0).count();
                assert_eq!((ones, data[5]), (1, 1.0), "{dtype:?} on {}", named.name);
            };
            chosen(straight_through_with_indices(logits(), index(), 1, 1.0));
            chosen(reinmax_with_indices(logits(), index(), 1, 1.0));
            let log_prob = categorical_log_prob(logits(), index(), 1).into_scalar::<f32>();
            assert!((log_prob + 300f32.ln()).abs() < 1e-5, "{dtype:?}");
            let loss = SparsemaxLossConfig::new().init();
            let loss = loss.forward_no_reduction(logits(), index().reshape([1]));
            // ½ (1 - Σ p²) with 300 equal weights.
            let expected = 0.5 * (1.0 - 1.0 / 300.0);
            assert!(
                (loss.into_scalar::<f32>() - expected).abs() < 1e-5,
                "{dtype:?}"
            );
        }
        // An ignored label that the labels' dtype cannot hold is none of them.
        let data = TensorData::new(vec![156_i64, 1], [2]);
        let targets = Tensor::<1, Int>::from_data(data, (&device, DType::U8));
        let loss = SparsemaxLossConfig::new()
            .with_ignore_index(Some(-100))
            .init();
        let refused =
            message(|| loss.forward(Tensor::zeros([2, 3], &device), targets, Reduction::Sum));
        assert_eq!(refused, "SparsemaxLoss: targets must be in 0..3, got 156");
    }
}
