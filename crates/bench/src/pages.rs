//! What becomes of freed memory.
//!
//! glibc hands a freed block of 32 MiB or more back to the system, so the next tensor of that size is made of fresh pages, and the
//! kernel clears each of them on its first write. For operators at memory speed that costs more than the operator. Tensors
//! of Burn and of PyTorch come from the same `malloc` and are treated alike: by default freed blocks are kept and used again.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What becomes of a freed block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pages {
    /// Freed blocks are kept and used again
    Kept,
    /// Large blocks go back to the system, as by default
    Fresh,
}

impl Pages {
    /// Sets up `malloc` of this process.
    pub fn apply(self) {
        if self == Self::Kept {
            keep();
        }
    }

    /// The same for a child process.
    pub fn environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Kept => &[
                ("MALLOC_MMAP_MAX_", "0"),
                ("MALLOC_TRIM_THRESHOLD_", "2147483647"),
                ("MALLOC_ARENA_MAX", "1"),
            ],
            Self::Fresh => &[],
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep() {
    // Blocks are cut from one heap, which never shrinks. Other threads' heaps are limited to 64 MiB each, hence one arena.
    for (parameter, value) in [
        (libc::M_MMAP_MAX, 0),
        (libc::M_TRIM_THRESHOLD, i32::MAX),
        (libc::M_ARENA_MAX, 1),
    ] {
        // SAFETY: sets a number in the allocator, before this program has a second thread.
        let done = unsafe { libc::mallopt(parameter, value) };
        assert_eq!(done, 1, "mallopt must accept {parameter} = {value}");
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep() {}
