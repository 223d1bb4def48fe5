//! Numbers that survive JSON bit for bit.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number that is written as text, such as `"0.1"`.
///
/// The standard library's parser is exact and knows NaN and infinities; `serde_json`'s is exact only with a feature that
/// would change it for every crate of a build.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Exact(pub f64);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_comes_back() {
        for number in [0.1 + 0.2, f64::MIN_POSITIVE, -1.0 / 3.0, f64::INFINITY] {
            let text = serde_json::to_string(&Exact(number)).expect("a number");
            let back: Exact = serde_json::from_str(&text).expect("a number");
            assert_eq!(back.0.to_bits(), number.to_bits(), "{text}");
        }
        let nan: Exact = serde_json::from_str("\"NaN\"").expect("a number");
        assert!(nan.0.is_nan());
        assert!(serde_json::from_str::<Exact>("\"one\"").is_err());
    }
}
