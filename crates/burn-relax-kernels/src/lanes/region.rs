//! Code that is compiled once per instruction set, and the way into it.

use super::path::Path;
#[cfg(target_arch = "x86_64")]
use super::sets::{avx2::Avx2, avx512::Avx512};
use super::vector::{Backend, Portable};

/// Work that is compiled once per instruction set.
///
/// Implementations mark `run` and everything below it `#[inline(always)]`, so that it is compiled inside the other methods, which
/// have the instructions, and are the trait's because their code then belongs to the module of the implementing type: the compiler
/// works on several modules at once.
pub(crate) trait Region: Sized {
    /// Does the work.
    fn run<B: Backend>(self);

    /// The same with what every processor has. Never inlined: the code would be compiled for each place that calls it.
    #[inline(never)]
    fn run_portable(self) {
        self.run::<Portable>();
    }

    /// The same with AVX2.
    ///
    /// # Safety
    /// The processor has the instructions named.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn run_avx2(self) {
        align_frame();
        self.run::<Avx2>();
    }

    /// The same with AVX-512.
    ///
    /// # Safety
    /// The processor has the instructions named.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")]
    unsafe fn run_avx512(self) {
        align_frame();
        self.run::<Avx512>();
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

/// Runs `region` on `path`, which comes from [`current_path`](super::path::current_path) or [`Backend::PATH`].
#[inline]
pub(crate) fn enter<R: Region>(path: Path, region: R) {
    match path {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: only paths whose features were detected are ever named.
        Path::Avx512 => unsafe { region.run_avx512() },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Path::Avx2 => unsafe { region.run_avx2() },
        _ => region.run_portable(),
    }
}

/// Makes a function that is inlined where the instruction set asks for it, and a call where the lanes have
/// [`CALLS`](super::vector::Vector::CALLS): its code is then there once for each type of numbers, not once for each kernel.
macro_rules! shared {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$B:ident: Backend, $A:ident: Real $(, const $N:ident: usize)?>(
        $($argument:ident: $type:ty),* $(,)?
    ) $(-> $result:ty)? $body:block) => {
        $crate::lanes::region::shared! { @make ($A::Lanes::<$B>::CALLS) ($(#[$meta])*) ($vis) $name
            (<$B: Backend, $A: Real $(, const $N: usize)?>) (<$B, $A $(, $N)?>) ($($argument: $type),*) ($(-> $result)?) $body }
    };
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$V:ident: Vector>(
        $($argument:ident: $type:ty),* $(,)?
    ) $(-> $result:ty)? $body:block) => {
        $crate::lanes::region::shared! { @make ($V::CALLS) ($(#[$meta])*) ($vis) $name
            (<$V: Vector>) (<$V>) ($($argument: $type),*) ($(-> $result)?) $body }
    };
    (@make ($calls:expr) ($($meta:tt)*) ($vis:vis) $name:ident ($($generics:tt)*) ($($parameters:tt)*)
        ($($argument:ident: $type:ty),*) ($($result:tt)*) $body:block) => {
        $($meta)*
        #[inline(always)]
        $vis fn $name $($generics)* ($($argument: $type),*) $($result)* {
            #[inline(always)]
            fn inlined $($generics)* ($($argument: $type),*) $($result)* $body
            #[inline(never)]
            fn called $($generics)* ($($argument: $type),*) $($result)* {
                inlined::$($parameters)*($($argument),*)
            }
            if $calls {
                called::$($parameters)*($($argument),*)
            } else {
                inlined::$($parameters)*($($argument),*)
            }
        }
    };
}
pub(crate) use shared;
