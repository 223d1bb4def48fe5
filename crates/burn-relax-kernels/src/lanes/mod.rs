//! The lanes the row kernels are written in, and the choice of instruction set at run time.
//!
//! A kernel is generic over a [`Backend`](vector::Backend) and is compiled once per instruction set. All backends offer
//! vectors of the *same* logical width (16 lanes of `f32`, 8 of `f64`) and only operations that IEEE 754
//! defines to the last bit, with one fixed reduction tree: no approximate reciprocal, no contraction by the compiler. The
//! fused multiply-add is one of them; where the processor has none, it is a slow but exact library call. This is what makes the
//! results of all paths equal bit for bit.
//!
//! A register is a [`Vector`](vector::Vector) of a few lanes; a [`Pack`](pack::Pack) of several makes up the common width, and a
//! pack of such packs the unrolled steps of the loops. `math` is algorithms, `sets` instruction sets.

pub(crate) mod math;
pub(crate) mod pack;
pub(crate) mod path;
#[cfg(feature = "operators")]
pub(crate) mod reduce;
pub(crate) mod region;
pub(crate) mod sets;
pub(crate) mod vector;
