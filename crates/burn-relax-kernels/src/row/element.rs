//! The element types of the slices.

use crate::lanes::vector::Real;
use core::fmt::Debug;
use core::mem::MaybeUninit;
use half::{bf16, f16};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for half::f16 {}
    impl Sealed for half::bf16 {}
}

/// An element type of the kernels: `f32`, `f64`, `f16`, `bf16`.
///
/// The 16-bit types are computed and accumulated in `f32` and rounded once, at the end: some rows at a time are widened
/// into a buffer that stays in cache, go through the `f32` kernel, and are rounded into the output.
pub trait Element: sealed::Sealed + Copy + Debug + PartialEq + Send + Sync + 'static {
    /// The type of arithmetic and of row statistics: `f64` for `f64`, else `f32`.
    type Acc: Real;
    /// The largest value below 1.
    #[doc(hidden)]
    const BELOW_ONE: Self::Acc;

    /// Widens to the type of arithmetic.
    fn to_acc(self) -> Self::Acc;
    /// Rounds to nearest, ties to even.
    fn from_acc(x: Self::Acc) -> Self;

    /// Runs a call in the type of arithmetic.
    #[doc(hidden)]
    fn run<K: Kernel>(call: K::Call<'_, Self>);
}

/// An element type that is widened before and rounded after the arithmetic.
pub trait Narrow: Element<Acc = f32> {
    /// Appends the widened values.
    fn widen(from: &[Self], to: &mut Vec<f32>);
    /// Writes the rounded values.
    fn round(from: &[f32], to: &mut [MaybeUninit<Self>]);
}

/// A kernel for all element types. Its code is compiled in [`single`](Self::single) and [`double`](Self::double), which are not
/// generic: once, in this crate, however many crates call it.
pub trait Kernel {
    /// The slices and numbers of one call.
    type Call<'a, F: Element>;

    /// Runs a call in `f32`.
    fn single(call: Self::Call<'_, f32>);
    /// Runs a call in `f64`.
    fn double(call: Self::Call<'_, f64>);
    /// Runs a call in `f32`, some rows at a time, through buffers.
    fn staged<F: Narrow>(call: Self::Call<'_, F>);
}

macro_rules! wide {
    ($t:ty, $run:ident) => {
        impl Element for $t {
            type Acc = $t;
            const BELOW_ONE: $t = 1.0 - <$t>::EPSILON / 2.0;

            #[inline(always)]
            fn to_acc(self) -> $t {
                self
            }
            #[inline(always)]
            fn from_acc(x: $t) -> $t {
                x
            }
            #[inline(always)]
            fn run<K: Kernel>(call: K::Call<'_, $t>) {
                K::$run(call);
            }
        }
    };
}

wide!(f32, single);
wide!(f64, double);

macro_rules! narrow {
    ($t:ty, $below_one:expr, $widen:expr, $round:expr) => {
        impl Element for $t {
            type Acc = f32;
            const BELOW_ONE: f32 = $below_one;

            #[inline(always)]
            fn to_acc(self) -> f32 {
                self.to_f32_const()
            }
            #[inline(always)]
            fn from_acc(x: f32) -> $t {
                <$t>::from_f32_const(x)
            }
            #[inline(always)]
            fn run<K: Kernel>(call: K::Call<'_, $t>) {
                K::staged(call);
            }
        }

        impl Narrow for $t {
            fn widen(from: &[$t], to: &mut Vec<f32>) {
                $widen(from, to);
            }
            fn round(from: &[f32], to: &mut [MaybeUninit<$t>]) {
                $round(from, to);
            }
        }
    };
}

narrow!(f16, 1.0 - 1.0 / 2048.0, widen_f16, round_f16);
narrow!(bf16, 1.0 - 1.0 / 256.0, widen_bf16, round_bf16);

/// Values converted together.
const GROUP: usize = 256;

fn widen_f16(from: &[f16], to: &mut Vec<f32>) {
    use half::slice::HalfFloatSliceExt;
    let mut buffer = [0.0; GROUP];
    for from in from.chunks(GROUP) {
        let buffer = &mut buffer[..from.len()];
        from.convert_to_f32_slice(buffer);
        to.extend_from_slice(buffer);
    }
}

fn round_f16(from: &[f32], to: &mut [MaybeUninit<f16>]) {
    use half::slice::HalfFloatSliceExt;
    let mut buffer = [f16::ZERO; GROUP];
    for (from, to) in from.chunks(GROUP).zip(to.chunks_mut(GROUP)) {
        let buffer = &mut buffer[..from.len()];
        buffer.convert_from_f32_slice(from);
        to.write_copy_of_slice(buffer);
    }
}

fn widen_bf16(from: &[bf16], to: &mut Vec<f32>) {
    to.extend(
        from.iter()
            .map(|x| f32::from_bits((x.to_bits() as u32) << 16)),
    );
}

fn round_bf16(from: &[f32], to: &mut [MaybeUninit<bf16>]) {
    for (x, to) in from.iter().zip(to) {
        let bits = x.to_bits();
        let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
        // A NaN stays one: the rounding above could carry its mantissa away.
        let nan = bits & 0x7fff_ffff > 0x7f80_0000;
        to.write(bf16::from_bits(if nan { 0x7fc0 } else { rounded as u16 }));
    }
}
