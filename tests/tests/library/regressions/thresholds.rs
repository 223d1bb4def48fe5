//! The rounding of a threshold decided over much weight, where an entry joins or thousands gain and lose together.

use burn_core::{
    backend::{Flex, ops::FloatTensorOps},
    tensor::{DType, TensorData, read_sync},
};
use burn_relax::{dispatch::composed, entmax};
use burn_relax_tests::{Array, Random, Site, in_every_dtype, on_every_device};

#[test]
fn an_entry_that_joins_has_its_weight() {
    in_every_dtype([1e-6, 1e-6], |at| {
        let logits = at.tensor::<1>([0.0, -0.2375].as_slice());
        at.is(
            "alpha 5",
            entmax(logits.clone(), 0, 5.0),
            [0.987_259, 0.012_741],
        );
        let alpha = at.tensor::<1>([5.0].as_slice());
        at.is(
            "a tensor alpha of 5",
            entmax(logits, 0, alpha),
            [0.987_259, 0.012_741],
        );
    });
}

/// The share of a leader before `count - 1` others that are all `behind` it, for `alpha = 1.5`: `p = b²` with bases `b` that differ by
/// half of it.
fn share_of_a_leader(count: usize, behind: f64) -> f64 {
    let (others, d) = ((count - 1) as f64, behind / 2.0);
    // b² + others (b - d)² = 1
    let root = (1.0 + others - others * d * d).sqrt();
    ((others * d + root) / (1.0 + others)).powi(2)
}

#[test]
fn a_crowd_behind_a_leader_leaves_it_its_share() {
    in_every_dtype([1e-6, 1e-9], |at| {
        let (count, behind) = (4467, 1.9765625);
        let mut logits = vec![7.0; count];
        logits[1234] += behind;
        let weights = entmax(at.tensor::<1>(logits.as_slice()), 0, 1.5);
        at.is(
            "leader",
            weights.slice(1234..1235),
            [share_of_a_leader(count, behind)],
        );
    });
}

/// Leaders before crowds, in f32: the title, the logits and alpha.
fn leaders_and_crowds(mut visit: impl FnMut(&str, &Array, f64)) {
    let mut random = Random::new(11);
    for r in 0..42 {
        let count = [2, 10, 100, 700][r % 4];
        let (spread, ahead) = ([1e-4, 1e-2, 1.0][r % 3], [0.02, 0.3, 2.0][r / 14]);
        let alpha = [1.25, 1.5, 1.9, 2.5, 4.0, 7.0, 16.0][r % 7];
        let mut logits = random.array([count], -spread, spread).data;
        logits[count / 2] += ahead;
        let logits = Array::line(logits).map(|x| f64::from(x as f32));
        let title = format!("{r}: {count} of {spread}, {ahead} ahead, alpha {alpha}");
        visit(&title, &logits, alpha);
    }
}

/// The kernel's weights in f64, whose own test has an oracle.
fn in_f64(logits: &Array, alpha: f64) -> Array {
    let device = burn_relax_tests::devices()[0].device.clone();
    Array::of(entmax(logits.tensor::<1>(&device, DType::F64), 0, alpha))
}

#[test]
fn leaders_and_crowds_agree_with_f64() {
    on_every_device(1e-6, |at: &Site| {
        leaders_and_crowds(|title, logits, alpha| {
            let weights = entmax(at.tensor::<1>(logits.clone()), 0, alpha);
            at.is(title, weights, in_f64(logits, alpha));
        });
    });
}

#[test]
fn leaders_and_crowds_agree_with_f64_in_the_default_body() {
    leaders_and_crowds(|title, logits, alpha| {
        let data = TensorData::new(logits.data.clone(), [logits.data.len()]);
        let tensor = Flex::float_from_data(data.convert::<f32>(), &Default::default());
        let (weights, _) = composed::entmax::<Flex>(tensor, 0, alpha);
        let weights = read_sync(Flex::float_into_data(weights)).expect("it is computed");
        let apart = weights.iter::<f64>().zip(in_f64(logits, alpha).data);
        let apart = apart.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-6, "{title}: {apart:e}");
    });
}
