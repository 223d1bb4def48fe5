//! Which instruction set runs: detected once, or forced for the calling thread by a test.

use core::cell::Cell;
use std::sync::OnceLock;

/// An instruction set the kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// What every processor of the target has (SSE2 on x86-64, NEON on aarch64).
    Portable,
    /// AVX2 with FMA and F16C.
    Avx2,
    /// AVX-512 F, BW, DQ, VL.
    Avx512,
}

impl Path {
    /// The paths this processor can run, the fastest last.
    pub fn available() -> &'static [Path] {
        static AVAILABLE: OnceLock<Vec<Path>> = OnceLock::new();
        AVAILABLE.get_or_init(|| {
            #[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut))]
            // only x86-64 has more than one path
            let mut paths = vec![Path::Portable];
            #[cfg(target_arch = "x86_64")]
            {
                let avx2 = is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("f16c");
                if avx2 {
                    paths.push(Path::Avx2);
                }
                let avx512 = avx2
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl");
                if avx512 {
                    paths.push(Path::Avx512);
                }
            }
            paths
        })
    }
}

thread_local! {
    static FORCED: Cell<Option<Path>> = const { Cell::new(None) };
}

/// Makes kernels called from this thread use `path`, or the fastest one again with `None`.
///
/// # Panics
/// When this processor cannot run `path`.
pub fn force_path(path: Option<Path>) {
    if let Some(path) = path {
        assert!(
            Path::available().contains(&path),
            "force_path: path must be available on this processor, got {path:?}"
        );
    }
    FORCED.set(path);
}

/// Runs `f` with `path` forced, which comes from [`current_path`].
pub(crate) fn with_path(path: Path, f: impl FnOnce()) {
    let before = FORCED.replace(Some(path));
    f();
    FORCED.set(before);
}

/// The path for kernels called from this thread.
pub(crate) fn current_path() -> Path {
    FORCED.get().unwrap_or_else(|| {
        let available = Path::available();
        available[available.len() - 1]
    })
}
