//! The noise of rows in a scratch row, made for several at once where rows are short.

use super::fill::{DRAWS, Noise, groups};
use super::seed::Seed;
use crate::lanes::vector::{Real, Vector};
use crate::row::input::In;
use core::ops::Range;

/// Elements of noise made together when rows are short: a Philox group is wasted only at the end.
const BATCH: usize = 1024;

/// Work per element of a kernel that makes noise, against one that does not.
pub(crate) const NOISE_WORK: usize = 4;

/// Where noise comes from.
enum Source<'a, A> {
    /// Elements from `first` on.
    Drawn {
        noise: Noise,
        seed: Seed,
        first: u64,
    },
    Given(In<'a, A>),
}

/// The noise of the draws of a task, one after the other.
pub(crate) struct Batch<'a, A> {
    source: Source<'a, A>,
    draws: usize,
    /// The draws whose noise is there.
    made: Range<usize>,
    scratch: Vec<A>,
}

impl<'a, A: Real> Batch<'a, A> {
    fn new(source: Source<'a, A>, draws: usize, n: usize) -> Self {
        let together = (BATCH / n).max(1).min(draws);
        Batch {
            source,
            draws,
            made: 0..0,
            scratch: vec![A::ZERO; together * n],
        }
    }

    /// Noise of `samples` draws of `n` elements for each row of a call.
    pub(crate) fn drawn(
        noise: Noise,
        seed: Seed,
        (rows, samples): (usize, usize),
        n: usize,
    ) -> Self {
        let first = seed.element(0, samples * n);
        Batch::new(Source::Drawn { noise, seed, first }, rows * samples, n)
    }

    /// Copies of given noise, one draw for each row.
    pub(crate) fn given(noise: In<'a, A>, rows: usize) -> Self {
        Batch::new(Source::Given(noise), rows, noise.width)
    }

    /// The noise of a draw of `n` elements; draws are asked for in their order.
    #[inline(always)]
    pub(crate) fn draw<V: Vector<Scalar = A>>(&mut self, draw: usize, n: usize) -> &mut [A] {
        if draw >= self.made.end {
            let end = self.draws.min(draw + self.scratch.len() / n);
            self.made = draw..end;
            let scratch = &mut self.scratch[..(end - draw) * n];
            match &self.source {
                Source::Given(noise) => scratch.copy_from_slice(noise.rows(draw..end)),
                &Source::Drawn { noise, seed, first } => {
                    let first = first.wrapping_add((draw * n) as u64);
                    noise_row::<V>(noise, seed, first, scratch);
                }
            }
        }
        &mut self.scratch[(draw - self.made.start) * n..][..n]
    }
}

/// Noise of elements `first ..` in a scratch row.
#[inline(always)]
pub(crate) fn noise_row<V: Vector>(kind: Noise, seed: Seed, first: u64, out: &mut [V::Scalar]) {
    groups::<V>(kind, seed, first, out.len(), |noise, part, at| {
        let out = &mut out[at..at + part.len()];
        // A copy of known length is a few stores, any other a call.
        match <&mut [V::Scalar; DRAWS]>::try_from(&mut *out) {
            Ok(whole) => *whole = *noise,
            Err(_) => out.copy_from_slice(&noise[part]),
        }
    });
}
