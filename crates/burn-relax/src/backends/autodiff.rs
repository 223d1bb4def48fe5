//! One graph node for each operation, with its hand-written backward.
//!
//! An `…_backward` operation on tracked tensors inherits its default body, which Burn differentiates as usual.

use burn_autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, NodeGuard, Ops, OpsKind, broadcast_shape},
};
use burn_core::backend::{
    TensorMetadata,
    tensor::{FloatTensor, IntTensor},
};
use burn_core::tensor::Shape;

use crate::{RelaxOps, Seed, composed};

type Tracked<B, C> = FloatTensor<Autodiff<B, C>>;

/// Registers `op` as the producer of `output`, keeping `state` only where some parent needs a gradient.
fn node<B, C, Op, const N: usize>(
    op: Op,
    parents: [NodeGuard; N],
    state: Op::State,
    output: FloatTensor<B>,
) -> Tracked<B, C>
where
    B: RelaxOps,
    C: CheckpointStrategy,
    Op: Backward<B, N>,
{
    match op.prepare::<C>(parents).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    }
}

/// A constant of the graph.
fn constant<B: RelaxOps, C: CheckpointStrategy>(tensor: FloatTensor<B>) -> Tracked<B, C> {
    <Tracked<B, C>>::new(tensor)
}

/// Hands each parent that wants one its gradient.
fn register<B: RelaxOps, const N: usize>(
    grads: &mut Gradients,
    parents: [Option<NodeId>; N],
    gradients: [FloatTensor<B>; N],
) {
    for (parent, gradient) in parents.into_iter().zip(gradients) {
        if let Some(id) = parent {
            grads.register::<B>(id, gradient);
        }
    }
}

/// Declares the node of an operation: its state, and its gradients from the upstream one and, where it matters, from which parents
/// want theirs.
macro_rules! backward {
    (
        $(#[$doc:meta])* $name:ident<$parents:literal>,
        ($($state:ident: $type:ty),+), $grad:ident $(, $wanted:ident)? => $gradients:expr
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        struct $name;

        impl<B: RelaxOps> Backward<B, $parents> for $name {
            type State = ($($type),+);

            fn backward(
                self,
                ops: Ops<Self::State, $parents>,
                grads: &mut Gradients,
                _checkpointer: &mut Checkpointer,
            ) {
                let $grad = grads.consume::<B>(&ops.node);
                let ($($state),+) = ops.state;
                let parents = ops.parents.map(|parent| parent.map(|node| node.id));
                $(let $wanted = parents.each_ref().map(Option::is_some);)?
                register::<B, $parents>(grads, parents, $gradients);
            }
        }
    };
}

backward!(Softmax<1>, (probs: FloatTensor<B>, stats: FloatTensor<B>, dim: usize, temperature: f64),
    grad => [B::softmax_backward(probs, stats, grad, dim, temperature)]);

backward!(LogSoftmax<1>, (log_probs: FloatTensor<B>, stats: FloatTensor<B>, dim: usize),
    grad => [B::log_softmax_backward(log_probs, stats, grad, dim)]);

backward!(
    /// Serves the soft and the hard read-out: the hard one passes its gradient straight through the soft one.
    Gather<2>,
    (logits: FloatTensor<B>, values: FloatTensor<B>, stats: FloatTensor<B>, soft: FloatTensor<B>, dim: usize, temperature: f64),
    grad => {
        let (logits, values) =
            B::soft_argmax_gather_backward(logits, values, stats, soft, grad, dim, temperature);
        [logits, values]
    }
);

backward!(GradualArgmax<2>, (values: FloatTensor<B>, power: FloatTensor<B>, shape: Shape, dim: usize),
grad, wanted => {
    let (values, power) = B::gradual_argmax_backward(values, power, grad, dim, wanted[1]);
    [values, broadcast_shape::<B>(power, &shape)]
});

backward!(PowerSoftmax<2>,
(values: FloatTensor<B>, power: FloatTensor<B>, output: FloatTensor<B>, stats: FloatTensor<B>, shape: Shape, dim: usize),
grad => {
    let (values, power) = B::power_softmax_backward(values, power, output, stats, grad, dim);
    [values, broadcast_shape::<B>(power, &shape)]
});

backward!(FreeEnergy<2>,
(logits: FloatTensor<B>, cost: FloatTensor<B>, stats: FloatTensor<B>, dim: usize, temperature: f64),
grad => {
    let (logits, cost) = B::free_energy_backward(logits, cost, stats, grad, dim, temperature);
    [logits, cost]
});

backward!(ArgmaxGather<1>, (logits: FloatTensor<B>, dim: usize),
    grad => [B::argmax_gather_backward(logits, grad, dim)]);

backward!(StraightThroughArgmax<1>, (logits: FloatTensor<B>, stats: FloatTensor<B>, dim: usize, temperature: f64),
    grad => [B::straight_through_argmax_backward(logits, stats, grad, dim, temperature)]);

backward!(
    /// Logits and noise enter as their sum, so that their gradients are the same.
    GumbelSoftmaxWithNoise<2>, (probs: FloatTensor<B>, stats: FloatTensor<B>, dim: usize, temperature: f64),
    grad => {
        let gradient = B::softmax_backward(probs, stats, grad, dim, temperature);
        [gradient.clone(), gradient]
    }
);

backward!(GumbelArgmax<1>,
(logits: FloatTensor<B>, stats: FloatTensor<B>, dim: usize, temperature: f64, seed: Seed),
grad => [B::gumbel_argmax_backward(logits, stats, grad, dim, temperature, seed)]);

backward!(GumbelArgmaxWithNoise<2>,
(logits: FloatTensor<B>, noise: FloatTensor<B>, stats: FloatTensor<B>, dim: usize, temperature: f64),
grad => {
    let gradient = B::gumbel_argmax_with_noise_backward(logits, noise, stats, grad, dim, temperature);
    [gradient.clone(), gradient]
});

backward!(
    /// Serves given classes, and sampled ones at their temperature.
    LogProb<1>, (logits: FloatTensor<B>, indices: IntTensor<B>, stats: FloatTensor<B>, dim: usize, temperature: f64),
    grad => [B::categorical_log_prob_backward(logits, indices, stats, grad, dim, temperature)]
);

backward!(Entmax<1>, (probs: FloatTensor<B>, stats: FloatTensor<B>, dim: usize, alpha: f64),
    grad => [B::entmax_backward(probs, stats, grad, dim, alpha)]);

backward!(EntmaxRows<2>,
(probs: FloatTensor<B>, alpha: FloatTensor<B>, stats: FloatTensor<B>, shape: Shape, dim: usize),
grad => {
    let (logits, alpha) = B::entmax_rows_backward(probs, alpha, stats, grad, dim);
    [logits, broadcast_shape::<B>(alpha, &shape)]
});

backward!(Budget<2>, (probs: FloatTensor<B>, stats: FloatTensor<B>, shape: Shape, dim: usize),
grad => {
    let (logits, budget) = B::budget_backward(probs, stats, grad, dim);
    [logits, broadcast_shape::<B>(budget, &shape)]
});

/// Written out because fixed coordinates, the usual case, need no gradient of their own.
#[derive(Debug)]
struct SoftArgmax;

impl<B: RelaxOps> Backward<B, 2> for SoftArgmax {
    type State = (
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        usize,
        f64,
    );

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let (logits, coordinates, stats, output, dim, temperature) = ops.state;
        let [of_logits, of_coordinates] = ops.parents;
        if let Some(node) = of_coordinates {
            let gradient = composed::soft_argmax_backward_coordinates::<B>(
                logits.clone(),
                stats.clone(),
                grad.clone(),
                dim,
                temperature,
            );
            grads.register::<B>(node.id, gradient);
        }
        if let Some(node) = of_logits {
            let gradient =
                B::soft_argmax_backward(logits, coordinates, stats, output, grad, dim, temperature);
            grads.register::<B>(node.id, gradient);
        }
    }
}

impl<B: RelaxOps, C: CheckpointStrategy> RelaxOps for Autodiff<B, C> {
    fn softmax_with_stats(
        logits: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, parent) = logits.into_parts();
        let (probs, stats) = B::softmax_with_stats(logits, dim, temperature);
        let state = (probs.clone(), stats.clone(), dim, temperature);
        let output = node::<B, C, _, 1>(Softmax, [parent], state, probs);
        (output, constant::<B, C>(stats))
    }

    fn log_softmax_with_stats(
        logits: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, parent) = logits.into_parts();
        let (log_probs, stats) = B::log_softmax_with_stats(logits, dim);
        let state = (log_probs.clone(), stats.clone(), dim);
        let output = node::<B, C, _, 1>(LogSoftmax, [parent], state, log_probs);
        (output, constant::<B, C>(stats))
    }

    fn soft_argmax(
        logits: FloatTensor<Self>,
        coordinates: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, logits_node) = logits.into_parts();
        let (coordinates, coordinates_node) = coordinates.into_parts();
        let (output, stats) = B::soft_argmax(logits.clone(), coordinates.clone(), dim, temperature);
        let state = (
            logits,
            coordinates,
            stats.clone(),
            output.clone(),
            dim,
            temperature,
        );
        let parents = [logits_node, coordinates_node];
        let output = node::<B, C, _, 2>(SoftArgmax, parents, state, output);
        (output, constant::<B, C>(stats))
    }

    fn soft_argmax_gather(
        logits: FloatTensor<Self>,
        values: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, logits_node) = logits.into_parts();
        let (values, values_node) = values.into_parts();
        let (output, stats) =
            B::soft_argmax_gather(logits.clone(), values.clone(), dim, temperature);
        let state = (
            logits,
            values,
            stats.clone(),
            output.clone(),
            dim,
            temperature,
        );
        let output = node::<B, C, _, 2>(Gather, [logits_node, values_node], state, output);
        (output, constant::<B, C>(stats))
    }

    fn hard_argmax_gather(
        logits: FloatTensor<Self>,
        values: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, logits_node) = logits.into_parts();
        let (values, values_node) = values.into_parts();
        let (output, soft, stats) =
            B::hard_argmax_gather(logits.clone(), values.clone(), dim, temperature);
        let state = (
            logits,
            values,
            stats.clone(),
            soft.clone(),
            dim,
            temperature,
        );
        let output = node::<B, C, _, 2>(Gather, [logits_node, values_node], state, output);
        (output, constant::<B, C>(soft), constant::<B, C>(stats))
    }

    fn gradual_argmax(
        values: FloatTensor<Self>,
        power: FloatTensor<Self>,
        dim: usize,
    ) -> FloatTensor<Self> {
        let (values, values_node) = values.into_parts();
        let (power, power_node) = power.into_parts();
        let output = B::gradual_argmax(values.clone(), power.clone(), dim);
        let shape = power.shape();
        let state = (values, power, shape, dim);
        node::<B, C, _, 2>(GradualArgmax, [values_node, power_node], state, output)
    }

    fn power_softmax(
        values: FloatTensor<Self>,
        power: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (values, values_node) = values.into_parts();
        let (power, power_node) = power.into_parts();
        let (output, stats) = B::power_softmax(values.clone(), power.clone(), dim);
        let shape = power.shape();
        let state = (values, power, output.clone(), stats.clone(), shape, dim);
        let output = node::<B, C, _, 2>(PowerSoftmax, [values_node, power_node], state, output);
        (output, constant::<B, C>(stats))
    }

    fn free_energy(
        logits: FloatTensor<Self>,
        cost: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, logits_node) = logits.into_parts();
        let (cost, cost_node) = cost.into_parts();
        let (output, stats) = B::free_energy(logits.clone(), cost.clone(), dim, temperature);
        let state = (logits, cost, stats.clone(), dim, temperature);
        let output = node::<B, C, _, 2>(FreeEnergy, [logits_node, cost_node], state, output);
        (output, constant::<B, C>(stats))
    }

    fn entmax(
        logits: FloatTensor<Self>,
        dim: usize,
        alpha: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, parent) = logits.into_parts();
        let (probs, stats) = B::entmax(logits, dim, alpha);
        let state = (probs.clone(), stats.clone(), dim, alpha);
        let output = node::<B, C, _, 1>(Entmax, [parent], state, probs);
        (output, constant::<B, C>(stats))
    }

    fn entmax_rows(
        logits: FloatTensor<Self>,
        alpha: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, logits_node) = logits.into_parts();
        let (alpha, alpha_node) = alpha.into_parts();
        let (probs, stats) = B::entmax_rows(logits, alpha.clone(), dim);
        let shape = alpha.shape();
        let state = (probs.clone(), alpha, stats.clone(), shape, dim);
        let output = node::<B, C, _, 2>(EntmaxRows, [logits_node, alpha_node], state, probs);
        (output, constant::<B, C>(stats))
    }

    fn budget(
        logits: FloatTensor<Self>,
        budget: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, logits_node) = logits.into_parts();
        let (budget, budget_node) = budget.into_parts();
        let shape = budget.shape();
        let (probs, stats) = B::budget(logits, budget, dim);
        let state = (probs.clone(), stats.clone(), shape, dim);
        let output = node::<B, C, _, 2>(Budget, [logits_node, budget_node], state, probs);
        (output, constant::<B, C>(stats))
    }

    fn first_argmax(logits: FloatTensor<Self>, dim: usize) -> IntTensor<Self> {
        B::first_argmax(logits.into_primitive(), dim)
    }

    fn argmax_gather(
        logits: FloatTensor<Self>,
        values: FloatTensor<Self>,
        dim: usize,
    ) -> FloatTensor<Self> {
        let logits = logits.into_primitive();
        let (values, parent) = values.into_parts();
        let output = B::argmax_gather(logits.clone(), values, dim);
        node::<B, C, _, 1>(ArgmaxGather, [parent], (logits, dim), output)
    }

    fn straight_through_argmax(
        logits: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, parent) = logits.into_parts();
        let (hard, stats) = B::straight_through_argmax(logits.clone(), dim, temperature);
        let state = (logits, stats.clone(), dim, temperature);
        let output = node::<B, C, _, 1>(StraightThroughArgmax, [parent], state, hard);
        (output, constant::<B, C>(stats))
    }

    fn gumbel_softmax(
        logits: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
        seed: Seed,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, parent) = logits.into_parts();
        let (probs, stats) = B::gumbel_softmax(logits, dim, temperature, seed);
        let state = (probs.clone(), stats.clone(), dim, temperature);
        let output = node::<B, C, _, 1>(Softmax, [parent], state, probs);
        (output, constant::<B, C>(stats))
    }

    fn gumbel_softmax_with_noise(
        logits: FloatTensor<Self>,
        noise: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, logits_node) = logits.into_parts();
        let (noise, noise_node) = noise.into_parts();
        let (probs, stats) = B::gumbel_softmax_with_noise(logits, noise, dim, temperature);
        let state = (probs.clone(), stats.clone(), dim, temperature);
        let parents = [logits_node, noise_node];
        let output = node::<B, C, _, 2>(GumbelSoftmaxWithNoise, parents, state, probs);
        (output, constant::<B, C>(stats))
    }

    fn gumbel_argmax(
        logits: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
        seed: Seed,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, parent) = logits.into_parts();
        let (hard, stats) = B::gumbel_argmax(logits.clone(), dim, temperature, seed);
        let state = (logits, stats.clone(), dim, temperature, seed);
        let output = node::<B, C, _, 1>(GumbelArgmax, [parent], state, hard);
        (output, constant::<B, C>(stats))
    }

    fn gumbel_argmax_with_noise(
        logits: FloatTensor<Self>,
        noise: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, logits_node) = logits.into_parts();
        let (noise, noise_node) = noise.into_parts();
        let (hard, stats) =
            B::gumbel_argmax_with_noise(logits.clone(), noise.clone(), dim, temperature);
        let state = (logits, noise, stats.clone(), dim, temperature);
        let parents = [logits_node, noise_node];
        let output = node::<B, C, _, 2>(GumbelArgmaxWithNoise, parents, state, hard);
        (output, constant::<B, C>(stats))
    }

    fn sample_categorical(
        logits: FloatTensor<Self>,
        dim: usize,
        samples: usize,
        temperature: f64,
        seed: Seed,
    ) -> (IntTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, parent) = logits.into_parts();
        let (indices, log_prob, stats) =
            B::sample_categorical(logits.clone(), dim, samples, temperature, seed);
        let state = (logits, indices.clone(), stats.clone(), dim, temperature);
        let output = node::<B, C, _, 1>(LogProb, [parent], state, log_prob);
        (indices, output, constant::<B, C>(stats))
    }

    fn categorical_log_prob(
        logits: FloatTensor<Self>,
        indices: IntTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, parent) = logits.into_parts();
        let (log_prob, stats) = B::categorical_log_prob(logits.clone(), indices.clone(), dim);
        let state = (logits, indices, stats.clone(), dim, 1.0);
        let output = node::<B, C, _, 1>(LogProb, [parent], state, log_prob);
        (output, constant::<B, C>(stats))
    }
}
