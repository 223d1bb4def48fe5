use burn_relax::Seed;

/// The seed of every case that draws.
pub const SEED: Seed = Seed::new(3, 0);

/// A tensor that an operator takes.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// Its name.
    pub name: &'static str,
    /// Its shape and what it holds.
    pub kind: Kind,
    /// Whether a gradient reaches it.
    pub gradient: Gradient,
}

/// Shape and content of an input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number for each class of each row.
    Classes(Domain),
    /// So many numbers for each class of each row, along a last axis.
    Features(usize),
    /// A number for each class, shared by all rows.
    Coordinates,
    /// One number for each row, which has size 1 along the axis of the classes.
    PerRow,
    /// So many classes for each row.
    Indices(usize),
}

/// What numbers mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Domain {
    /// Scores, of which `-inf` is forbidden.
    Logits,
    /// Values, costs, noise.
    Real,
    /// Numbers in `[0, 1]`.
    Unit,
    /// Positive numbers well away from 0.
    Positive,
}

/// Who asks for an input's gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gradient {
    /// Nobody: there is none.
    None,
    /// The tests of gradients, not what measures time and memory.
    Checked,
    /// Everybody.
    Learned,
}

impl Input {
    /// The scores that are chosen by.
    pub const LOGITS: Self = Self::learned("logits", Kind::Classes(Domain::Logits));
    /// A value or cost for each class.
    pub const VALUES: Self = Self::learned("values", Kind::Classes(Domain::Real));
    /// Numbers in `[0, 1]` in place of logits.
    pub const UNIT: Self = Self::learned("values", Kind::Classes(Domain::Unit));

    /// An input whose gradient everybody asks for.
    pub const fn learned(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            gradient: Gradient::Learned,
        }
    }

    /// The same input with another answer to who asks for its gradient.
    pub const fn with(self, gradient: Gradient) -> Self {
        Self { gradient, ..self }
    }

    /// Its shape beside logits of `shape` with the classes along `dim`.
    pub fn shape(&self, shape: &[usize], dim: usize) -> Vec<usize> {
        let mut own = shape.to_vec();
        match self.kind {
            Kind::Classes(_) => {}
            Kind::Features(count) => own.push(count),
            Kind::Coordinates => own = vec![shape[dim]],
            Kind::PerRow => own[dim] = 1,
            Kind::Indices(count) => own[dim] = count,
        }
        own
    }
}

/// A temperature, power, alpha or budget.
#[derive(Clone, Copy, Debug)]
pub struct Coefficient {
    /// The number of the tests.
    pub number: f64,
    /// From where to where a tensor's values lie.
    pub range: [f64; 2],
    /// The number of the benchmark and of its twin in PyTorch.
    pub timed: f64,
}

impl Coefficient {
    /// A temperature.
    pub const TEMPERATURE: Self = Self {
        number: 0.7,
        range: [0.5, 2.0],
        timed: 1.0,
    };

    /// The same with another number for the benchmark.
    pub const fn timed(self, timed: f64) -> Self {
        Self { timed, ..self }
    }
}
