//! The peak of a forward and backward pass is its outputs, its gradients and the row statistics: nothing else of the size of the
//! input is ever allocated.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

use burn_core::tensor::{Device, FloatDType};
use burn_relax_tests::{
    cases::{Case, Drawn, cases},
    cpu_devices,
};

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

/// The most bytes that a forward and backward pass held at once, beside its inputs.
fn peak(case: &'static Case, device: &Device) -> usize {
    let inputs = Drawn::new(case, SHAPE, device, FloatDType::F32).autodiff();
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let results = inputs.forward_backward(case.call.two);
    drop(results);
    PEAK.load(Ordering::Relaxed) - before
}

// One test: the counter counts for the whole process.
#[test]
fn a_pass_holds_outputs_and_gradients_and_nothing_else_of_their_size() {
    let mut failures = Vec::new();
    for device in cpu_devices().into_iter().filter(|d| !d.is_remote()) {
        for (case, tensors) in cases().filter_map(|case| Some((case, case.memory?))) {
            // Threads and their buffers are made in the first run.
            peak(case, &device.device);
            let got = peak(case, &device.device);
            let want = tensors * LOGITS;
            if got < want || got > want + SMALL {
                let ratio = got as f64 / LOGITS as f64;
                failures.push(format!(
                    "{} on {}: {ratio:.3} times the logits, expected {}",
                    case.name, device.name, tensors
                ));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
