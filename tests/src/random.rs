use crate::array::Array;

/// A small deterministic generator (SplitMix64); a failing test prints its seed.
#[derive(Debug)]
pub struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    /// Same seed, same numbers.
    pub fn new(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `low..high`, exactly representable in f32.
    pub fn number(&mut self, low: f64, high: f64) -> f64 {
        let unit = (self.next() >> 40) as f64 / (1_u64 << 24) as f64;
        f64::from((low + (high - low) * unit) as f32)
    }

    /// A whole number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Numbers in `low..high`, exactly representable in f32.
    pub fn array(&mut self, shape: impl Into<Vec<usize>>, low: f64, high: f64) -> Array {
        let shape = shape.into();
        let count: usize = shape.iter().product();
        let data: Vec<f64> = (0..count).map(|_| self.number(low, high)).collect();
        Array::new(shape, data)
    }

    /// Whole numbers below `bound`.
    pub fn indices(&mut self, shape: impl Into<Vec<usize>>, bound: usize) -> Array {
        let shape = shape.into();
        let count: usize = shape.iter().product();
        let data: Vec<f64> = (0..count).map(|_| self.below(bound) as f64).collect();
        Array::new(shape, data)
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("random inputs came from seed {}", self.seed);
        }
    }
}
