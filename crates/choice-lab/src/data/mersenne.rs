//! The normal random numbers of PyTorch's `torch.randn` in f64 on the CPU, so that figures measured there and here on random
//! problems are figures of the same problems.
//!
//! MT19937 (Matsumoto, Nishimura 1998), two words to a uniform number of 53 bits, and the Box–Muller transform over blocks
//! of 16.

const WORDS: usize = 624;
const BLOCK: usize = 16;

/// A seeded stream of normal numbers.
pub struct Mersenne {
    state: [u32; WORDS],
    next: usize,
}

impl Mersenne {
    /// The stream after `torch.manual_seed(seed)`.
    pub fn new(seed: u32) -> Self {
        let mut state = [seed; WORDS];
        for i in 1..WORDS {
            let last = state[i - 1];
            state[i] = 1_812_433_253_u32
                .wrapping_mul(last ^ (last >> 30))
                .wrapping_add(i as u32);
        }
        Self { state, next: WORDS }
    }

    /// What `torch.randn(count, dtype=torch.float64)` returns; `count` is a multiple of 16.
    pub fn normal(&mut self, count: usize) -> Vec<f64> {
        assert_eq!(count % BLOCK, 0, "numbers come in blocks of {BLOCK}");
        let mut numbers: Vec<f64> = (0..count).map(|_| self.uniform()).collect();
        for block in numbers.chunks_mut(BLOCK) {
            let (first, second) = block.split_at_mut(BLOCK / 2);
            for (a, b) in first.iter_mut().zip(second) {
                let radius = (-2.0 * (1.0 - *a).ln()).sqrt();
                let (sin, cos) = (core::f64::consts::TAU * *b).sin_cos();
                (*a, *b) = (radius * cos, radius * sin);
            }
        }
        numbers
    }

    fn uniform(&mut self) -> f64 {
        let (high, low) = (u64::from(self.word()), u64::from(self.word()));
        let bits = ((high << 32) | low) & ((1 << 53) - 1);
        bits as f64 / (1_u64 << 53) as f64
    }

    fn word(&mut self) -> u32 {
        if self.next == WORDS {
            for i in 0..WORDS {
                let (this, following) = (self.state[i], self.state[(i + 1) % WORDS]);
                let mixed = (this & 0x8000_0000) | (following & 0x7fff_ffff);
                let twist = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[i] = self.state[(i + 397) % WORDS] ^ (mixed >> 1) ^ twist;
            }
            self.next = 0;
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first output of MT19937 for its authors' seed, 5489.
    #[test]
    fn words_are_those_of_the_reference() {
        let mut mersenne = Mersenne::new(5489);
        assert_eq!(
            [mersenne.word(), mersenne.word()],
            [3_499_211_612, 581_869_302]
        );
    }
}
