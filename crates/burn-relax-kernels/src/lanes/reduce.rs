//! Vectors to one vector, and lanes to one number.

use super::pack::Pack;
use super::vector::{Real, Vector};

impl<V: Vector, const U: usize> Pack<V, U> {
    /// Combines the vectors by halves into one; `U` is a power of two.
    #[inline(always)]
    pub(crate) fn fold(mut self, combine: impl Fn(V, V) -> V) -> V {
        let mut half = U / 2;
        while half > 0 {
            for u in 0..half {
                self.0[u] = combine(self.0[u], self.0[u + half]);
            }
            half /= 2;
        }
        self.0[0]
    }
}

/// Largest lane; lanes that are NaN may be passed over.
#[inline(always)]
pub(crate) fn max_lanes<V: Vector>(v: V) -> V::Scalar {
    let mut a = v.lanes();
    let mut half = V::LANES / 2;
    while half > 0 {
        for j in 0..half {
            a[j] = if a[j] > a[j + half] {
                a[j]
            } else {
                a[j + half]
            };
        }
        half /= 2;
    }
    a[0]
}

/// Smallest lane; lanes that are NaN may be passed over.
#[inline(always)]
pub(crate) fn min_lanes<V: Vector>(v: V) -> V::Scalar {
    let zero = V::splat(V::Scalar::ZERO);
    V::Scalar::ZERO - max_lanes(zero - v)
}
