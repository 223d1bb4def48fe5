//! Which instruction set runs: detected once, or forced for the calling thread by a test.

#[cfg(target_arch = "x86_64")]
use super::{Avx2, Avx512};
use super::{Backend, Portable};
use core::cell::Cell;
use core::ops::Range;
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

/// Work on a range of rows, compiled once per instruction set.
///
/// Implementations mark `run` and everything below it `#[inline(always)]`, so that it is compiled inside the other methods, which
/// have the instructions, and are the trait's because their code then belongs to the module of the implementing type: the compiler
/// works on several modules at once.
pub(crate) trait Region: Sync + Sized {
    /// Processes the rows of `rows`.
    fn run<B: Backend>(&self, rows: Range<usize>);

    /// The same with what every processor has. Never inlined: the code would be compiled for each place that calls it.
    #[inline(never)]
    fn run_portable(&self, rows: Range<usize>) {
        self.run::<Portable>(rows);
    }

    /// The same with AVX2.
    ///
    /// # Safety
    /// The processor has the instructions named.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn run_avx2(&self, rows: Range<usize>) {
        align_frame();
        self.run::<Avx2>(rows);
    }

    /// The same with AVX-512.
    ///
    /// # Safety
    /// The processor has the instructions named.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")]
    unsafe fn run_avx512(&self, rows: Range<usize>) {
        align_frame();
        self.run::<Avx512>(rows);
    }
}

/// Aligns the stack frame of the function it is inlined into to cache lines. The compiler does not do so for vectors that find no
/// register: each access to one of them would be to two lines, and short rows take half as long again, or not, as it happens.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn align_frame() {
    #[repr(align(64))]
    struct Line;
    core::hint::black_box(&mut core::mem::MaybeUninit::<Line>::uninit());
}

/// Runs `region` on `path`, which comes from [`current_path`].
#[inline]
pub(crate) fn enter<R: Region>(path: Path, region: &R, rows: Range<usize>) {
    match path {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `current_path` only names paths whose features were detected.
        Path::Avx512 => unsafe { region.run_avx512(rows) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Path::Avx2 => unsafe { region.run_avx2(rows) },
        _ => region.run_portable(rows),
    }
}
