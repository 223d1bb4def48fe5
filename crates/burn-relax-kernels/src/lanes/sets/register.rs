//! What the registers of all x86-64 instruction sets have in common: one table of instructions makes one vector.

/// Makes a vector of a register: its instructions in a fixed order, those of one shape in brackets, and what only this one has
/// in braces.
///
/// Values of these types exist only below [`enter`](crate::lanes::region::enter), inside a function compiled with the instruction
/// set and reached after it was detected (that of the portable path is part of every x86-64 processor): this is the invariant
/// behind every `unsafe` block of this folder.
macro_rules! register {
    ($name:ident($register:ty) = $lanes:literal of $scalar:ty, mask $mask:ty, wide $wide:ty;
     $splat:ident $load:ident $store:ident
     [$($trait:ident $operator:ident $operation:ident),*]
     [$($pair:ident $of_pair:ident),*]
     [$($test:ident $of_test:ident),*]
     is_nan $unordered:ident or $or:ident bits $movemask:ident select $select:ident sqrt $sqrt:ident
     $int:ty [$to_int:ident $to_float:ident $isplat:ident]
     [$($bitwise:ident $of_bits:ident),*]
     [$($shift:ident $by:literal $of_shift:ident),*]
     { $($more:tt)* }) => {
        /// One register.
        #[derive(Clone, Copy)]
        pub struct $name($register);

        $(
            impl core::ops::$trait for $name {
                type Output = Self;
                #[inline(always)]
                fn $operator(self, o: Self) -> Self {
                    // SAFETY: the folder's invariant.
                    Self(unsafe { $operation(self.0, o.0) })
                }
            }
        )*

        impl $crate::lanes::vector::Vector for $name {
            type Scalar = $scalar;
            type Mask = $mask;
            type Wide = $wide;
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(x: $scalar) -> Self {
                // SAFETY: the folder's invariant.
                Self(unsafe { $splat(x) })
            }
            #[inline(always)]
            fn load(from: &[$scalar]) -> Self {
                assert!(from.len() >= $lanes);
                // SAFETY: the folder's invariant; that many values are there, and need no alignment.
                Self(unsafe { $load(from.as_ptr()) })
            }
            #[inline(always)]
            fn store(self, to: &mut [core::mem::MaybeUninit<$scalar>]) {
                assert!(to.len() >= $lanes);
                // SAFETY: the folder's invariant; that many places are there, and need no alignment.
                unsafe { $store(to.as_mut_ptr().cast(), self.0) }
            }
            $(
                #[inline(always)]
                fn $pair(self, o: Self) -> Self {
                    // SAFETY: the folder's invariant.
                    Self(unsafe { $of_pair(self.0, o.0) })
                }
            )*
            $(
                #[inline(always)]
                fn $test(self, o: Self) -> $mask {
                    // SAFETY: the folder's invariant.
                    unsafe { $of_test(self.0, o.0) }
                }
            )*
            #[inline(always)]
            fn is_nan(self) -> $mask {
                // SAFETY: the folder's invariant.
                unsafe { $unordered(self.0, self.0) }
            }
            #[inline(always)]
            fn or(a: $mask, b: $mask) -> $mask {
                // SAFETY: the folder's invariant.
                unsafe { $or(a, b) }
            }
            #[inline(always)]
            fn bits(m: $mask) -> u64 {
                // SAFETY: the folder's invariant.
                unsafe { $movemask(m) as u64 }
            }
            #[inline(always)]
            fn select(m: $mask, a: Self, b: Self) -> Self {
                // SAFETY: the folder's invariant.
                Self(unsafe { $select(m, a.0, b.0) })
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                // SAFETY: the folder's invariant.
                Self(unsafe { $sqrt(self.0) })
            }
            $(
                #[inline(always)]
                fn $bitwise(self, c: u64) -> Self {
                    // SAFETY: the folder's invariant.
                    Self(unsafe { $to_float($of_bits($to_int(self.0), $isplat(c as $int))) })
                }
            )*
            $(
                #[inline(always)]
                fn $shift(self) -> Self {
                    // SAFETY: the folder's invariant.
                    Self(unsafe { $to_float($of_shift::<$by>($to_int(self.0))) })
                }
            )*
            $($more)*
        }
    };
}
pub(super) use register;

/// The methods that follow from a fused multiply-add.
macro_rules! fused {
    ($fma:ident) => {
        #[inline(always)]
        fn mul_add(self, b: Self, c: Self) -> Self {
            // SAFETY: the folder's invariant.
            Self(unsafe { $fma(self.0, b.0, c.0) })
        }
        #[inline(always)]
        fn exp(self) -> Self {
            $crate::lanes::math::elementary::exp(self)
        }
        #[inline(always)]
        fn ln(self) -> Self {
            $crate::lanes::math::elementary::ln(self)
        }
    };
}
pub(super) use fused;

/// Functions of fixed arguments around an instruction: comparisons, and selections in the order of [`Vector::select`].
///
/// [`Vector::select`]: crate::lanes::vector::Vector::select
macro_rules! wrapped {
    ($feature:literal; $($name:ident($($argument:ident: $type:ty),+) -> $result:ty { $body:expr })+) => {$(
        #[inline]
        #[target_feature(enable = $feature)]
        fn $name($($argument: $type),+) -> $result {
            $body
        }
    )+};
}
pub(super) use wrapped;
