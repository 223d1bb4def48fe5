use super::{Coefficient, Domain, Input, Kind};
use crate::{array::Array, random::Random, table::Table};

/// What a result's rounding is measured against where that is not the result itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Terms {
    /// Nothing else.
    Own,
    /// It is not compared: each body saves numbers of its own for its backward pass.
    Private,
    /// A sum over a row, or over rows, of terms of order 1 and either sign: little may be left of them.
    OfOrderOne,
    /// A difference of two weights in a row.
    Weights,
    /// A difference of weights times their logarithms.
    Logarithms,
}

impl Terms {
    fn scale(self, classes: usize) -> f64 {
        let n = classes as f64;
        match self {
            Self::Own | Self::Private => 0.0,
            Self::OfOrderOne => 1.0,
            // About the largest weight of standard normal logits: the largest of `n` is near `sqrt(2 ln n)`, the mean
            // exponential `sqrt(e)`.
            Self::Weights => ((2.0 * n.ln()).sqrt() - 0.5).exp().min(n) / n,
            // The logarithms of either side are rounded.
            Self::Logarithms => 2.0 * n.ln() / n,
        }
    }
}

/// Compares relative to the largest magnitude of the result or of its terms in a row of `classes`.
pub fn difference(
    table: &mut Table,
    title: &str,
    [actual, expected]: [&Array; 2],
    (terms, classes): (Terms, usize),
    tolerance: f64,
) {
    if terms == Terms::Private {
        return;
    }
    let scale = expected.largest().max(terms.scale(classes));
    table.within(title, actual, expected, tolerance * scale);
}

/// Random numbers for the inputs of cases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Numbers {
    /// From -2 to 2, or where the input lives.
    Plain,
    /// The same with every seventh logit forbidden.
    Masked,
    /// From -1.5 to 1.5, no two equal: the winner leads the runner-up by far more than a difference's step.
    Spread,
    /// The same with every fifth logit forbidden.
    SpreadMasked,
}

impl Numbers {
    /// The `place`th input of a case with `classes`, in `shape`, which is that of its storage.
    pub fn array(self, input: &Input, place: usize, shape: &[usize], classes: usize) -> Array {
        let mut random = Random::new(place as u64 + 1);
        if let Kind::Indices(_) = input.kind {
            return random.indices(shape, classes);
        }
        let (numbers, period, first) = match self {
            Self::Plain | Self::Masked => (random.array(shape, -2.0, 2.0), 7, 3),
            Self::Spread | Self::SpreadMasked => (spread(shape, &mut random), 5, 2),
        };
        let masked = matches!(self, Self::Masked | Self::SpreadMasked);
        let unit = |x: f64| match self {
            Self::Plain | Self::Masked => f64::from(((x + 2.0) / 4.0) as f32),
            // Off the ends, so that a step stays inside.
            Self::Spread | Self::SpreadMasked => (x + 1.6) / 3.2,
        };
        let mut count = 0;
        numbers.map(|x| {
            count += 1;
            match input.kind {
                Kind::Classes(Domain::Logits) if masked && count % period == first => {
                    f64::NEG_INFINITY
                }
                Kind::Classes(Domain::Unit) => unit(x),
                Kind::Classes(Domain::Positive) => unit(x) + 0.125,
                _ => x,
            }
        })
    }

    /// A coefficient's tensor.
    pub fn coefficient(coefficient: &Coefficient, shape: &[usize]) -> Array {
        let [low, high] = coefficient.range;
        Random::new(4).array(shape, low, high)
    }
}

/// Numbers of every size between -1.5 and 1.5 in random order.
fn spread(shape: &[usize], random: &mut Random) -> Array {
    let count: usize = shape.iter().product();
    let mut places: Vec<usize> = (0..count).collect();
    for i in (1..count).rev() {
        places.swap(i, random.below(i + 1));
    }
    let spacing = 3.0 / count as f64;
    let mut number = |place: usize| spacing.mul_add(place as f64 + random.number(0.0, 0.5), -1.5);
    let data: Vec<f64> = places.into_iter().map(&mut number).collect();
    Array::new(shape, data)
}
