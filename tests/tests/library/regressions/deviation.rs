//! A learned deviation below e⁻⁵ had no gradient any more, and no module with one could be made for inference.

use burn_core::{
    module::Module,
    tensor::{Device, Tensor},
};
use burn_relax::{
    Strategy,
    nn::{EntmaxConfig, Selector, SelectorConfig},
};
use burn_relax_tests::{Array, Site, devices, in_every_dtype};

fn selector(deviation: f64, learned: bool, device: &Device) -> Selector {
    let strategy = Strategy::Mixture { deviation, learned };
    SelectorConfig::new().with_strategy(strategy).init(device)
}

/// Loss and slope of the logarithm, for values 1, 2 and 3.
fn pass(at: &Site, deviation: f64, target: f64) -> [Array; 2] {
    let selector = selector(deviation, true, &at.device);
    let logits = at.tensor::<2>([[-2.0, 0.0, 0.5]]);
    let values = at.tensor::<2>([[1.0, 2.0, 3.0]]);
    let loss = selector.loss(logits, values, |values| (values - target).square());
    let log = selector
        .log_deviation
        .as_ref()
        .expect("it is learned")
        .val();
    let slope = log.grad(&loss.clone().backward()).expect("it is tracked");
    [loss.into(), slope.into()]
}

/// Of a target in f32 2.002 the last digit is 1e-7, of which the squared distance over 2 s² feels 2e-4.
#[test]
fn a_deviation_of_a_thousandth_is_learned() {
    in_every_dtype([1e-3, 1e-6], |at| {
        let [loss, slope] = pass(at, 0.001, 2.002);
        at.is("loss", loss, [-2.964_908]);
        at.is("slope", slope, [-3.0]);
    });
}

/// 1 - (t - V)² / s², whatever the scale; the other classes are too far away to take part.
#[test]
fn the_slope_is_right_at_every_scale() {
    in_every_dtype([1e-2, 1e-6], |at| {
        for deviation in [1e-1, 1e-2, 1e-3, 1e-4] {
            let [_, slope] = pass(at, deviation, 2.0 + 3.0 * deviation);
            at.is(&format!("{deviation}"), slope, [1.0 - 9.0]);
            let [_, slope] = pass(at, deviation, 2.0);
            at.is(&format!("{deviation}, met"), slope, [1.0]);
        }
        // Beyond all scales it stays a number, and is led back.
        let [loss, slope] = pass(at, 1e-30, 2.5);
        let finite = |array: &Array| array.data.iter().all(|x| x.is_finite());
        at.check(
            finite(&loss) && finite(&slope),
            &format!("{loss:?} {slope:?}"),
        );
        at.check(
            slope.data[0] <= 0.0,
            &format!("away from the end: {slope:?}"),
        );
    });
}

#[test]
fn what_was_learned_is_loaded_for_inference() {
    let folder = tempfile::tempdir().expect("a folder");
    for named in devices() {
        let path = folder.path().join(named.name.replace(' ', "-"));
        let trained = selector(0.3, true, &named.device.clone().autodiff());
        trained.save_file(&path).expect("it is saved");
        let loaded = selector(1.0, true, &named.device).load_file(&path);
        let log = loaded.log_deviation.as_ref().expect("it is learned").val();
        let log = log.into_scalar::<f32>();
        assert!((log - 0.3f32.ln()).abs() < 1e-6, "{}: {log}", named.name);
        let row = |row: [f32; 3]| Tensor::<2>::from_floats([row], &named.device);
        let loss = loaded.loss(row([0.0, 1.0, 0.0]), row([5.0, 7.0, 9.0]), |values| values);
        assert_eq!(loss.into_scalar::<f32>(), 7.0, "{}", named.name);
        let entmax = EntmaxConfig::new()
            .with_learned(Some(vec![]))
            .init(&named.device);
        let weights = entmax.forward(row([0.0; 3])).sum().into_scalar::<f32>();
        assert!((weights - 1.0).abs() < 1e-6, "{}", named.name);
    }
}

/// The inverse of the softplus of what an alpha exceeds 1 by left the range of f64 from 710 on.
#[test]
fn a_large_learned_alpha_starts_where_it_was_told() {
    for alpha in [1.000_1, 2.0, 30.0, 1000.0] {
        let config = EntmaxConfig::new()
            .with_alpha(alpha)
            .with_learned(Some(vec![1]));
        let start = config.init(&Device::flex()).learned_alpha();
        let start = f64::from(start.expect("it is learned").into_scalar::<f32>());
        assert!((start / alpha - 1.0).abs() < 1e-6, "{start}");
    }
}
