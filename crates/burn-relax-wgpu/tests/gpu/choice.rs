//! Choices under noise: two classes whose perturbed logits differ by less than the noise's error are as good.

use burn_relax_kernels::gumbel;

use crate::{
    device::operators::{Operator, SEED},
    plain::Plain,
};

/// The CPU's Gumbel noise of `count` elements from `first` on.
fn drawn(first: usize, count: usize) -> Vec<f64> {
    let mut noise = Vec::with_capacity(count);
    let space = &mut noise.spare_capacity_mut()[..count];
    gumbel(SEED, first as u64, space);
    // SAFETY: all of them were written.
    unsafe { noise.set_len(count) };
    noise
}

/// `(x - max) / T + G` as the contract has it: in a row that holds `+inf` those entries alone have noise.
fn perturbed(x: &[f64], noise: &[f64], temperature: f64) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let of_class = |(&x, &noise): (&f64, &f64)| match x {
        f64::NEG_INFINITY => x,
        f64::INFINITY => noise,
        _ if max == f64::INFINITY => f64::NEG_INFINITY,
        x => (x - max) / temperature + noise,
    };
    x.iter().zip(noise).map(of_class).collect()
}

/// Fails unless `got`, the one-hot or the samples of row `r`, are as large as any with the noise that the row has.
#[track_caller]
pub fn assert_as_large(what: &str, operator: &Operator<Plain>, dim: usize, r: usize, got: &[f64]) {
    let x = &operator.tensors[0].rows(dim)[r];
    let (temperature, choices) = match operator.name {
        "sample_categorical" => (operator.number, got.iter().map(|&k| k as usize).collect()),
        _ => (
            1.0,
            (0..x.len()).filter(|&i| got[i] != 0.0).collect::<Vec<_>>(),
        ),
    };
    for (s, &k) in choices.iter().enumerate() {
        let noise = match operator.tensors.get(1) {
            Some(given) => given.rows(dim).swap_remove(r),
            None => drawn((r * choices.len() + s) * x.len(), x.len()),
        };
        let z = perturbed(x, &noise, temperature);
        let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // 4 units of either number.
        let room = 8.0 * f64::from(f32::EPSILON) * top.abs().max(z[k].abs());
        assert!(z[k] >= top - room, "{what}: {k} with {}, not {top}", z[k]);
    }
    let one_hot = choices.len() == 1 && got[choices[0]] == 1.0;
    assert!(
        one_hot || operator.name == "sample_categorical",
        "{what}: {choices:?}"
    );
}
