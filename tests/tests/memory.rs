//! The peak of a forward and backward pass is its outputs, its gradients and the row statistics: nothing else of the size of the
//! input is ever allocated.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

use burn_core::tensor::{Device, Distribution, Int, Tensor};
use burn_relax::{
    Coordinates, argmax_gather, categorical_log_prob, free_energy_cost, gradual_argmax,
    gumbel_softmax, gumbel_softmax_with_noise, log_softmax, power_softmax,
    sample_categorical_with_log_prob, soft_argmax, soft_argmax_gather, softmax,
    straight_through_argmax,
};
use burn_relax_tests::cpu_devices;

/// Counts the bytes that are allocated and the most that ever were.
struct Counter;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grow(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size);
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTER: Counter = Counter;

/// Rows many enough for all threads, classes many enough that a row's numbers do not count.
const SHAPE: [usize; 2] = [256, 4096];
/// Bytes of the logits.
const LOGITS: usize = SHAPE[0] * SHAPE[1] * 4;
/// Row statistics and other numbers per row, the graph's nodes, tasks: a sixteenth of the logits. A single hidden temporary
/// would be sixteen times that.
const SMALL: usize = LOGITS / 16;

type Function = fn(Tensor<2>, Tensor<2>) -> Tensor<2>;

/// An operator, which inputs learn, and how many tensors of the logits' size its result, the upstream gradient and the
/// gradients are together.
struct Operator {
    name: &'static str,
    learns: [bool; 2],
    tensors: usize,
    function: Function,
}

/// Output, upstream gradient, gradient.
const MAP: usize = 3;

const OPERATORS: &[Operator] = &[
    Operator {
        name: "softmax",
        learns: [true, false],
        tensors: MAP,
        function: |x, _| softmax(x, 1, 0.5),
    },
    Operator {
        name: "log_softmax",
        learns: [true, false],
        tensors: MAP,
        function: |x, _| log_softmax(x, 1),
    },
    Operator {
        name: "gradual_argmax",
        learns: [false, true],
        tensors: MAP,
        function: |_, v| gradual_argmax(v, 1, 2.5),
    },
    Operator {
        name: "power_softmax",
        learns: [false, true],
        tensors: MAP,
        function: |_, v| power_softmax(v, 1, 2.5),
    },
    Operator {
        name: "soft_argmax",
        learns: [true, false],
        tensors: 1,
        function: |x, _| soft_argmax(x, 1, 1.0, Coordinates::index()),
    },
    Operator {
        name: "soft_argmax_gather",
        learns: [true, true],
        tensors: 2,
        function: |x, v| soft_argmax_gather(x, v, 1, 1.0, false),
    },
    Operator {
        name: "soft_argmax_gather, hard",
        learns: [true, true],
        tensors: 2,
        function: |x, v| soft_argmax_gather(x, v, 1, 1.0, true),
    },
    Operator {
        name: "argmax_gather",
        learns: [false, true],
        tensors: 1,
        function: |x, v| argmax_gather(x, v, 1),
    },
    Operator {
        name: "straight_through_argmax",
        learns: [true, false],
        tensors: MAP,
        function: |x, _| straight_through_argmax(x, 1, 1.0),
    },
    Operator {
        name: "gumbel_softmax",
        learns: [true, false],
        tensors: MAP,
        function: |x, _| gumbel_softmax(x, 1, 0.5, false, 1),
    },
    Operator {
        name: "gumbel_softmax, hard",
        learns: [true, false],
        tensors: MAP,
        function: |x, _| gumbel_softmax(x, 1, 0.5, true, 1),
    },
    Operator {
        name: "gumbel_softmax_with_noise",
        learns: [true, false],
        tensors: MAP,
        function: |x, noise| gumbel_softmax_with_noise(x, noise, 1, 0.5, false),
    },
    Operator {
        name: "gumbel_softmax_with_noise, hard",
        learns: [true, false],
        tensors: MAP,
        function: |x, noise| gumbel_softmax_with_noise(x, noise, 1, 0.5, true),
    },
    Operator {
        name: "sample and log-probability",
        learns: [true, false],
        tensors: 1,
        function: |x, _| sample_categorical_with_log_prob(x, 1, 1, 1).1,
    },
    Operator {
        name: "categorical_log_prob",
        learns: [true, false],
        tensors: 1,
        function: |x, _| {
            let given = Tensor::<2, Int>::ones([SHAPE[0], 1], &x.device());
            categorical_log_prob(x, given, 1)
        },
    },
    Operator {
        name: "free_energy_cost",
        learns: [true, true],
        tensors: 2,
        function: |x, cost| free_energy_cost(x, cost, 1, 0.1),
    },
];

/// The most bytes that a forward and backward pass held at once, beside its inputs.
fn peak(operator: &Operator, device: &Device) -> usize {
    let device = device.clone().autodiff();
    let draw = |distribution| Tensor::<2>::random(SHAPE, distribution, &device);
    let inputs = [
        draw(Distribution::Normal(0.0, 1.0)),
        draw(Distribution::Uniform(0.0, 1.0)),
    ];
    let [first, second] = [0, 1].map(|i| {
        let input = inputs[i].clone();
        if operator.learns[i] {
            input.require_grad()
        } else {
            input
        }
    });
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let output = (operator.function)(first.clone(), second.clone());
    let grads = output.backward();
    for (input, learns) in [first, second].iter().zip(operator.learns) {
        assert_eq!(input.grad(&grads).is_some(), learns, "{}", operator.name);
    }
    PEAK.load(Ordering::Relaxed) - before
}

// One test: the counter counts for the whole process.
#[test]
fn a_pass_holds_outputs_and_gradients_and_nothing_else_of_their_size() {
    let mut failures = Vec::new();
    for device in cpu_devices().into_iter().filter(|d| !d.is_remote()) {
        for operator in OPERATORS {
            // Threads and their buffers are made in the first run.
            peak(operator, &device.device);
            let got = peak(operator, &device.device);
            let want = operator.tensors * LOGITS;
            if got < want || got > want + SMALL {
                let ratio = got as f64 / LOGITS as f64;
                failures.push(format!(
                    "{} on {}: {ratio:.3} times the logits, expected {}",
                    operator.name, device.name, operator.tensors
                ));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
