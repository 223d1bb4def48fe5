/// What an output is for hard inputs; the numbers are those of `docs/numerics.md`, worked out by hand.
///
/// The rows of logits that it speaks of stand beside values 10, 20, 30, 40, noise 0, coordinates 0, 1, 2, 3 and index 0.
#[derive(Clone, Copy)]
pub struct Contract {
    /// The output at a forbidden class, where there is one for each class.
    pub forbidden: f64,
    /// Each output of a row that is all `-inf`.
    pub empty: f64,
    /// The row `[1, inf, inf, -inf]`.
    pub infinite: Expect,
    /// The row `[-inf, 3, 3]`.
    pub ties: Expect,
    /// Rows of one class, `[3]` and `[-10000]`.
    pub single: Expect,
    /// What the outputs of a row add up to.
    pub sum: Sum,
    /// Whether NaN among the logits makes every output of its row NaN.
    pub shows_nan: bool,
    /// Whether NaN among the values does.
    pub shows_nan_values: bool,
    /// Whether classes may be forbidden, and logits infinite.
    pub forbids: bool,
    /// Whether a masked row is the shorter row: not where a class' number counts.
    pub shorter: bool,
    /// Whether classes may change places: likewise.
    pub symmetric: bool,
    /// Whether a larger logit never weighs less.
    pub ordered: bool,
    /// Whether a constant may be added to all logits of a row.
    pub shifts: bool,
    /// Whether `+inf` takes all gradient from its row.
    pub infinite_is_constant: bool,
}

/// The output of a row.
#[derive(Clone, Copy)]
pub enum Expect {
    /// These numbers.
    Row(&'static [f64]),
    /// These numbers for a coefficient.
    Of(fn(f64) -> Vec<f64>),
    /// What the reference says: where draws decide.
    Reference,
}

/// What weights of a row add up to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sum {
    /// They are no weights.
    None,
    /// To 1.
    One,
    /// To the coefficient, as far as there are classes.
    Coefficient,
}

impl Contract {
    /// Weights on the simplex.
    pub const WEIGHTS: Self = Self {
        forbidden: 0.0,
        empty: 0.0,
        infinite: Expect::Row(&[0.0, 0.5, 0.5, 0.0]),
        ties: Expect::Row(&[0.0, 0.5, 0.5]),
        single: Expect::Row(&[1.0]),
        sum: Sum::One,
        shows_nan: true,
        shows_nan_values: false,
        forbids: true,
        shorter: true,
        symmetric: true,
        ordered: true,
        shifts: true,
        infinite_is_constant: true,
    };

    /// The one-hot of the first argmax.
    pub const ONE_HOT: Self = Self {
        infinite: Expect::Row(&[0.0, 1.0, 0.0, 0.0]),
        ties: Expect::Row(&[0.0, 1.0, 0.0]),
        ..Self::WEIGHTS
    };

    /// The one-hot or weights of a draw, which belongs to the places of the classes.
    pub const DRAWN: Self = Self {
        infinite: Expect::Reference,
        ties: Expect::Reference,
        shorter: false,
        symmetric: false,
        ordered: false,
        ..Self::WEIGHTS
    };

    /// The mean of the values.
    pub const READ_OUT: Self = Self {
        infinite: Expect::Row(&[25.0]),
        ties: Expect::Row(&[25.0]),
        single: Expect::Row(&[10.0]),
        sum: Sum::None,
        shows_nan_values: true,
        ordered: false,
        ..Self::WEIGHTS
    };

    /// The mean of the coordinates.
    pub const COORDINATE: Self = Self {
        infinite: Expect::Row(&[1.5]),
        ties: Expect::Row(&[1.5]),
        single: Expect::Row(&[0.0]),
        shows_nan_values: false,
        ..Self::READ_OUT
    };

    /// Functions of numbers in `[0, 1]`, which have no forbidden class.
    pub const UNIT: Self = Self {
        infinite: Expect::Reference,
        ties: Expect::Reference,
        single: Expect::Reference,
        sum: Sum::None,
        shows_nan_values: true,
        forbids: false,
        shifts: false,
        ..Self::WEIGHTS
    };
}
