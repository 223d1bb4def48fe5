//! The threads that a side runs on.

use anyhow::Result;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::device::Backend;

/// A pool of `count` threads.
///
/// On the CPU each has a core of its own, as PyTorch's threads have: a system that wakes two sleeping threads on one core takes
/// longer to move one of them away than a sample lasts. A GPU's driver makes its own threads, which must not inherit that.
pub fn pool(count: usize, device: Backend) -> Result<ThreadPool> {
    let cores = if device.on_cpu() {
        core_affinity::get_core_ids().unwrap_or_default()
    } else {
        Vec::new()
    };
    let pool = ThreadPoolBuilder::new()
        .num_threads(count)
        .start_handler(move |thread| {
            if let Some(&core) = cores.get(thread) {
                core_affinity::set_for_current(core);
            }
        })
        .build()?;
    Ok(pool)
}
