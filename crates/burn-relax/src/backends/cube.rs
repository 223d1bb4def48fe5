use burn_core::{
    backend::tensor::{FloatTensor, IntTensor},
    tensor::DType,
};
use burn_cubecl::CubeBackend;
use burn_relax_wgpu::{self as kernels, Noise};

use crate::{
    Operators, RelaxOps, Seed, composed, operators,
    table::{operations, primitive},
};

type Float = FloatTensor<CubeBackend>;
type Int = IntTensor<CubeBackend>;

macro_rules! launches {
    ($(
        $name:ident($($input:ident: $kind:ident),*; $($number:ident: $type:ty),*)
            -> ($($output:ident: $output_kind:ident = $spec:expr),+);
    )*) => {
        #[allow(unused_parens, reason = "some operations have one output")]
        impl RelaxOps for CubeBackend { $(
            fn $name($($input: primitive!($kind),)* $($number: $type),*) -> ($(primitive!($output_kind)),+) {
                // Fusion has decided when it queued the operation, and described what comes out.
                if cfg!(not(feature = "fusion")) && operators() == Operators::Composed {
                    return composed::$name::<Self>($($input,)* $($number),*);
                }
                self::$name($($input,)* $($number),*)
            }
        )* }
    };
}
operations!(launches);

fn softmax_with_stats(logits: Float, dim: usize, temperature: f64) -> (Float, Float) {
    kernels::softmax(logits, dim, temperature)
}

fn softmax_backward(
    probs: Float,
    stats: Float,
    grad: Float,
    dim: usize,
    temperature: f64,
) -> Float {
    kernels::softmax_backward(probs, stats, grad, dim, temperature)
}

fn log_softmax_with_stats(logits: Float, dim: usize) -> (Float, Float) {
    kernels::log_softmax(logits, dim)
}

fn log_softmax_backward(log_probs: Float, stats: Float, grad: Float, dim: usize) -> Float {
    kernels::log_softmax_backward(log_probs, stats, grad, dim)
}

fn soft_argmax(logits: Float, coordinates: Float, dim: usize, temperature: f64) -> (Float, Float) {
    kernels::soft_argmax(logits, coordinates, dim, temperature)
}

fn soft_argmax_backward(
    logits: Float,
    coordinates: Float,
    stats: Float,
    output: Float,
    grad: Float,
    dim: usize,
    temperature: f64,
) -> Float {
    kernels::soft_argmax_backward(logits, coordinates, stats, output, grad, dim, temperature)
}

fn soft_argmax_gather(
    logits: Float,
    values: Float,
    dim: usize,
    temperature: f64,
) -> (Float, Float) {
    kernels::soft_argmax_gather(logits, values, dim, temperature)
}

fn hard_argmax_gather(
    logits: Float,
    values: Float,
    dim: usize,
    temperature: f64,
) -> (Float, Float, Float) {
    kernels::hard_argmax_gather(logits, values, dim, temperature)
}

fn soft_argmax_gather_backward(
    logits: Float,
    values: Float,
    stats: Float,
    soft: Float,
    grad: Float,
    dim: usize,
    temperature: f64,
) -> (Float, Float) {
    kernels::soft_argmax_gather_backward(logits, values, stats, soft, grad, dim, temperature)
}

fn gradual_argmax(values: Float, power: Float, dim: usize) -> Float {
    kernels::gradual_argmax(values, power, dim)
}

/// Both come from one launch.
fn gradual_argmax_backward(
    values: Float,
    power: Float,
    grad: Float,
    dim: usize,
    _of_power: bool,
) -> (Float, Float) {
    kernels::gradual_argmax_backward(values, power, grad, dim)
}

fn power_softmax(values: Float, power: Float, dim: usize) -> (Float, Float) {
    kernels::power_softmax(values, power, dim)
}

/// The weights are computed again from the statistics: that reads less than the saved output.
fn power_softmax_backward(
    values: Float,
    power: Float,
    _output: Float,
    stats: Float,
    grad: Float,
    dim: usize,
) -> (Float, Float) {
    kernels::power_softmax_backward(values, power, stats, grad, dim)
}

fn free_energy(logits: Float, cost: Float, dim: usize, temperature: f64) -> (Float, Float) {
    kernels::free_energy(logits, cost, dim, temperature)
}

fn free_energy_backward(
    logits: Float,
    cost: Float,
    stats: Float,
    grad: Float,
    dim: usize,
    temperature: f64,
) -> (Float, Float) {
    kernels::free_energy_backward(logits, cost, stats, grad, dim, temperature)
}

fn entmax(logits: Float, dim: usize, alpha: f64) -> (Float, Float) {
    kernels::entmax(logits, dim, alpha)
}

fn entmax_backward(probs: Float, stats: Float, grad: Float, dim: usize, alpha: f64) -> Float {
    kernels::entmax_backward(probs, stats, grad, dim, alpha)
}

fn entmax_rows(logits: Float, alpha: Float, dim: usize) -> (Float, Float) {
    kernels::entmax_rows(logits, alpha, dim)
}

fn entmax_rows_backward(
    probs: Float,
    alpha: Float,
    stats: Float,
    grad: Float,
    dim: usize,
) -> (Float, Float) {
    kernels::entmax_rows_backward(probs, alpha, stats, grad, dim)
}

fn budget(logits: Float, budget: Float, dim: usize) -> (Float, Float) {
    kernels::budget(logits, budget, dim)
}

fn budget_backward(probs: Float, stats: Float, grad: Float, dim: usize) -> (Float, Float) {
    kernels::budget_backward(probs, stats, grad, dim)
}

fn first_argmax(logits: Float, dim: usize) -> Int {
    kernels::argmax(logits, dim, INDEX)
}

fn argmax_gather(logits: Float, values: Float, dim: usize) -> Float {
    kernels::argmax_gather(logits, values, dim)
}

fn argmax_gather_backward(logits: Float, grad: Float, dim: usize) -> Float {
    kernels::argmax_gather_backward(logits, grad, dim)
}

fn straight_through_argmax(logits: Float, dim: usize, temperature: f64) -> (Float, Float) {
    kernels::straight_through_argmax(logits, dim, temperature)
}

fn straight_through_argmax_backward(
    logits: Float,
    stats: Float,
    grad: Float,
    dim: usize,
    temperature: f64,
) -> Float {
    kernels::straight_through_argmax_backward(logits, stats, grad, dim, temperature)
}

fn gumbel_softmax(logits: Float, dim: usize, temperature: f64, seed: Seed) -> (Float, Float) {
    kernels::gumbel_softmax(logits, drawn(seed), dim, temperature)
}

fn gumbel_softmax_with_noise(
    logits: Float,
    noise: Float,
    dim: usize,
    temperature: f64,
) -> (Float, Float) {
    kernels::gumbel_softmax(logits, Noise::Given(noise), dim, temperature)
}

fn gumbel_argmax(logits: Float, dim: usize, temperature: f64, seed: Seed) -> (Float, Float) {
    kernels::gumbel_argmax(logits, drawn(seed), dim, temperature)
}

fn gumbel_argmax_backward(
    logits: Float,
    stats: Float,
    grad: Float,
    dim: usize,
    temperature: f64,
    seed: Seed,
) -> Float {
    kernels::gumbel_argmax_backward(logits, drawn(seed), stats, grad, dim, temperature)
}

fn gumbel_argmax_with_noise(
    logits: Float,
    noise: Float,
    dim: usize,
    temperature: f64,
) -> (Float, Float) {
    kernels::gumbel_argmax(logits, Noise::Given(noise), dim, temperature)
}

fn gumbel_argmax_with_noise_backward(
    logits: Float,
    noise: Float,
    stats: Float,
    grad: Float,
    dim: usize,
    temperature: f64,
) -> Float {
    kernels::gumbel_argmax_backward(logits, Noise::Given(noise), stats, grad, dim, temperature)
}

fn sample_categorical(
    logits: Float,
    dim: usize,
    samples: usize,
    temperature: f64,
    seed: Seed,
) -> (Int, Float, Float) {
    let seed = [seed.key, seed.step, seed.row];
    kernels::sample_categorical(logits, dim, samples, temperature, seed, INDEX)
}

fn categorical_log_prob(logits: Float, indices: Int, dim: usize) -> (Float, Float) {
    kernels::categorical_log_prob(logits, indices, dim)
}

fn categorical_log_prob_backward(
    logits: Float,
    indices: Int,
    stats: Float,
    grad: Float,
    dim: usize,
    temperature: f64,
) -> Float {
    kernels::categorical_log_prob_backward(logits, indices, stats, grad, dim, temperature)
}

/// Indices of classes on every CubeCL device: WGSL has no longer integers, and a fused operation is described where nobody
/// knows the device.
pub(super) const INDEX: DType = DType::I32;

fn drawn(seed: Seed) -> Noise {
    Noise::Drawn {
        key: seed.key,
        step: seed.step,
        row: seed.row,
    }
}
