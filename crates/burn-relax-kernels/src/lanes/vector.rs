//! Vectors of lanes, the numbers in their lanes, and what an instruction set consists of.
//!
//! The three traits name each other, hence one file.

use super::path::Path;
use core::fmt::Debug;
use core::mem::MaybeUninit;
use core::ops::{Add, Div, Mul, Sub};

/// What every processor of the target has: SSE2 on x86-64, NEON on aarch64.
pub struct Portable;

/// One instruction set.
pub trait Backend: Sized + 'static {
    /// Sixteen lanes of `f32`.
    type F32: Vector<Scalar = f32>;
    /// Eight lanes of `f64`.
    type F64: Vector<Scalar = f64>;
    /// The path that has it.
    const PATH: Path;
}

/// `f32` or `f64`: what a row is computed and accumulated in.
pub trait Real:
    Copy
    + Debug
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + 'static
{
    /// The lanes of an instruction set.
    #[doc(hidden)]
    type Lanes<B: Backend>: Vector<Scalar = Self>;
    /// Which of the two this is.
    #[doc(hidden)]
    const DOUBLE: bool;

    /// 0
    const ZERO: Self;
    /// -0
    #[doc(hidden)]
    const NEG_ZERO: Self;
    /// 1
    const ONE: Self;
    /// The largest finite number.
    const MAX: Self;
    /// The smallest finite number.
    const MIN: Self;
    /// The smallest positive normal number.
    const TINY: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// Negative infinity.
    const NEG_INFINITY: Self;
    /// Not a number.
    const NAN: Self;

    /// Square root of the largest number, about: a limit for factors whose product must stay finite.
    #[doc(hidden)]
    const EXCESS_LIMIT: Self;
    /// Its logarithm.
    #[doc(hidden)]
    const LOG_LIMIT: Self;
    /// `-(e^-w - 1 + w) / w^2` for `|w| <= CHANGE_NEAR`, highest power first.
    #[doc(hidden)]
    const CHANGE_POLYNOMIAL: &'static [Self];
    /// Beyond this the formula itself loses no more than two bits.
    #[doc(hidden)]
    const CHANGE_NEAR: Self;
    /// A relative step after which Newton's method has the last digit, since the error left is of the order of its square.
    #[doc(hidden)]
    const LAST_STEP: Self;
    /// A relative step that rounding alone explains.
    #[doc(hidden)]
    const NO_STEP: Self;

    /// Bits of 1.
    #[doc(hidden)]
    const ONE_BITS: u64;
    /// log2(e)
    #[doc(hidden)]
    const LOG2_E: Self;
    /// `1.5 * 2^mantissa`: adding it rounds to an integer that then stands in the low bits.
    #[doc(hidden)]
    const ROUNDER: Self;
    /// ln 2, with enough trailing zeros for an exact product with every exponent.
    #[doc(hidden)]
    const LN2_HIGH: Self;
    /// `ln 2 - LN2_HIGH`
    #[doc(hidden)]
    const LN2_LOW: Self;
    /// Below this `exp` is 0: the results would be subnormal.
    #[doc(hidden)]
    const EXP_LOWEST: Self;
    /// `(e^r - 1 - r) / r^2` on `|r| <= ln 2 / 2`, highest power first.
    #[doc(hidden)]
    const EXP_POLYNOMIAL: &'static [Self];
    /// Above this `exp` needs no reduction of its argument, which is negative.
    #[doc(hidden)]
    const EXP_M1_NEAR: Self;
    /// Bits of sqrt(1/2).
    #[doc(hidden)]
    const SQRT_HALF_BITS: u64;
    /// Mask of the mantissa.
    #[doc(hidden)]
    const MANTISSA_BITS: u64;
    /// Bits of `2^mantissa`.
    #[doc(hidden)]
    const INTEGER_BITS: u64;
    /// `2^mantissa` plus the exponent bias.
    #[doc(hidden)]
    const INTEGER_OFFSET: Self;
    /// A power of two that makes subnormal numbers normal.
    #[doc(hidden)]
    const LIFT: Self;
    /// Its exponent.
    #[doc(hidden)]
    const LIFT_EXPONENT: Self;
    /// `ln(1 + f)` for `sqrt(1/2) <= 1 + f < sqrt 2`, as `f - half_square + rest`: returns `rest - half_square`.
    #[doc(hidden)]
    fn ln_rest<V: Vector<Scalar = Self>>(f: V) -> V;

    /// The 23 upper bits of a draw as the middle of one of 2^23 equal parts of (0, 1): never 0, never 1, exact in both types.
    #[doc(hidden)]
    fn uniform(bits: u32) -> Self;
    /// A uniform number `u` for Gumbel noise, with all bits where the large Gumbel numbers come from: [`uniform`](Real::uniform), or
    /// where its nine upper bits are ones, the negative number `u - 1`, the middle of one of 2^32 equal parts.
    #[doc(hidden)]
    fn draw(bits: u32) -> Self;
    /// `-ln(-ln u)` of such a draw.
    #[doc(hidden)]
    fn gumbel<V: Vector<Scalar = Self>>(draw: V) -> V;

    /// Rounds an `f64`.
    fn from_f64(x: f64) -> Self;
    /// Widens to `f64`.
    fn to_f64(self) -> f64;

    /// Whether the value is NaN.
    #[inline(always)]
    fn is_nan(self) -> bool {
        self.partial_cmp(&self).is_none()
    }
    /// Natural logarithm of one number, taken in `f64`.
    #[inline(always)]
    fn ln(self) -> Self {
        Self::from_f64(self.to_f64().ln())
    }
}

/// A fixed number of lanes.
///
/// `max`, `min` return the *second* operand when one operand is NaN or both are equal, as the x86 instructions do.
/// Shifts and `i…` methods act on the bit patterns.
pub trait Vector:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// The type of a lane.
    type Scalar: Real;
    /// One truth value per lane.
    type Mask: Copy;
    /// As many lanes of `f64`.
    type Wide: Vector<Scalar = f64>;
    /// Whether `exp` and `ln` are calls, and the loops over a row take one vector at a time: on the portable path, which is there to
    /// be right rather than fast, their code would otherwise make up most of the library.
    const CALLS: bool = false;
    /// Number of lanes, a power of two, at most [`MAX_LANES`].
    const LANES: usize;

    /// All lanes equal to `x`.
    fn splat(x: Self::Scalar) -> Self;
    /// Reads the first `LANES` values.
    ///
    /// # Panics
    /// When there are fewer.
    fn load(from: &[Self::Scalar]) -> Self;
    /// Writes all lanes to the first `LANES` places, and nothing but numbers.
    ///
    /// # Panics
    /// When there are fewer.
    fn store(self, to: &mut [MaybeUninit<Self::Scalar>]);
    /// Reads fewer than `LANES` values into the first lanes and sets the others to `fill`.
    #[inline(always)]
    fn load_partial(from: &[Self::Scalar], fill: Self::Scalar) -> Self {
        let mut lanes = [fill; MAX_LANES];
        lanes[..from.len()].copy_from_slice(from);
        Self::load(&lanes)
    }
    /// Writes the first lanes to fewer than `LANES` places.
    #[inline(always)]
    fn store_partial(self, to: &mut [MaybeUninit<Self::Scalar>]) {
        to.write_copy_of_slice(&self.lanes()[..to.len()]);
    }
    /// As [`store`](Self::store), over numbers.
    #[inline(always)]
    fn overwrite(self, to: &mut [Self::Scalar]) {
        self.store(as_uninit(to));
    }
    /// As [`store_partial`](Self::store_partial), over numbers.
    #[inline(always)]
    fn overwrite_partial(self, to: &mut [Self::Scalar]) {
        self.store_partial(as_uninit(to));
    }
    /// The lanes, and any numbers behind them.
    #[inline(always)]
    fn lanes(self) -> [Self::Scalar; MAX_LANES] {
        const { assert!(Self::LANES <= MAX_LANES) }
        let mut lanes = [Self::Scalar::ZERO; MAX_LANES];
        self.overwrite(&mut lanes);
        lanes
    }

    /// `self * b + c` with one rounding.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `if self > o { self } else { o }` per lane.
    fn max(self, o: Self) -> Self;
    /// `if self < o { self } else { o }` per lane.
    fn min(self, o: Self) -> Self;
    /// Ordered `<`.
    fn lt(self, o: Self) -> Self::Mask;
    /// Whether not `<`: true for NaN.
    fn not_lt(self, o: Self) -> Self::Mask;
    /// Ordered `==`.
    fn eq(self, o: Self) -> Self::Mask;
    /// Whether not `==`: true for NaN.
    fn ne(self, o: Self) -> Self::Mask;
    /// NaN lanes.
    fn is_nan(self) -> Self::Mask;
    /// Union of two masks.
    fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Lane `j` in bit `j`.
    fn bits(m: Self::Mask) -> u64;
    /// `if m { a } else { b }` per lane.
    fn select(m: Self::Mask, a: Self, b: Self) -> Self;

    /// Every lane in `f64`.
    #[inline(always)]
    fn widen(self) -> Self::Wide {
        Self::Wide::load(&self.lanes().map(Real::to_f64))
    }

    /// Sum of the lanes in `f64`, by halves: the same tree on every path.
    #[inline(always)]
    fn wide_sum(self) -> f64 {
        let mut lanes = self.lanes().map(Real::to_f64);
        let mut half = Self::LANES / 2;
        while half > 0 {
            for j in 0..half {
                lanes[j] += lanes[j + half];
            }
            half /= 2;
        }
        lanes[0]
    }

    /// Reads `max(LANES >> shift, 1)` values, each into `1 << shift` lanes side by side, which are at most [`MAX_LANES`].
    #[inline(always)]
    fn load_repeated(from: &[Self::Scalar], shift: u32) -> Self {
        let mut lanes = [Self::Scalar::ZERO; MAX_LANES];
        for (l, lane) in lanes.iter_mut().enumerate().take(Self::LANES) {
            *lane = from[l >> shift];
        }
        Self::load(&lanes)
    }
    /// The sums of neighbours: those of this vector, then those of `o`.
    #[inline(always)]
    fn add_pairs(self, o: Self) -> Self {
        let (a, b) = (self.lanes(), o.lanes());
        let mut lanes = [Self::Scalar::ZERO; MAX_LANES];
        for l in 0..Self::LANES / 2 {
            lanes[l] = a[2 * l] + a[2 * l + 1];
            lanes[Self::LANES / 2 + l] = b[2 * l] + b[2 * l + 1];
        }
        Self::load(&lanes)
    }

    /// The square root of every lane, rounded correctly.
    fn sqrt(self) -> Self;
    /// Writes the lanes of `m` side by side, in their order, and returns their number. The other values among the first `LANES`
    /// may be anything afterwards.
    ///
    /// # Panics
    /// When there are fewer places than `LANES`.
    #[inline(always)]
    fn compress(self, m: Self::Mask, to: &mut [Self::Scalar]) -> usize {
        let to = &mut to[..Self::LANES];
        let mut bits = Self::bits(m);
        let count = bits.count_ones() as usize;
        let lanes = self.lanes();
        for to in &mut to[..count] {
            *to = lanes[bits.trailing_zeros() as usize];
            bits &= bits - 1;
        }
        count
    }

    /// Reads as many values as `m` has lanes into those lanes, in their order, and sets the others to 0.
    ///
    /// # Panics
    /// When there are fewer values than `LANES`.
    #[inline(always)]
    fn expand(m: Self::Mask, from: &[Self::Scalar]) -> Self {
        let from = &from[..Self::LANES];
        let mut bits = Self::bits(m);
        let mut lanes = [Self::Scalar::ZERO; MAX_LANES];
        for from in &from[..bits.count_ones() as usize] {
            lanes[bits.trailing_zeros() as usize] = *from;
            bits &= bits - 1;
        }
        Self::load(&lanes)
    }

    /// `e^x` of every lane: see [`elementary`](super::math::elementary).
    fn exp(self) -> Self;
    /// `ln x` of every lane: see [`elementary`](super::math::elementary).
    fn ln(self) -> Self;

    /// Adds `c` to the bit patterns.
    fn iadd(self, c: u64) -> Self;
    /// Intersects the bit patterns with `c`.
    fn iand(self, c: u64) -> Self;
    /// Unites the bit patterns with `c`.
    fn ior(self, c: u64) -> Self;
    /// Shifts the bit patterns left by the width of the mantissa.
    fn shl_mantissa(self) -> Self;
    /// Shifts the bit patterns right by the width of the mantissa, zeros coming in.
    fn shr_mantissa(self) -> Self;
}

/// The widest vector, for buffers on the stack.
pub(crate) const MAX_LANES: usize = 16;

/// Places for the lanes of a vector over numbers.
#[inline(always)]
fn as_uninit<T>(numbers: &mut [T]) -> &mut [MaybeUninit<T>] {
    // SAFETY: `MaybeUninit<T>` has the layout of `T`; vectors, which alone get these places, write nothing but numbers.
    unsafe { &mut *(core::ptr::from_mut(numbers) as *mut [MaybeUninit<T>]) }
}
