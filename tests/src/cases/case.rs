use super::{
    Call, Coefficient, Contract, Domain, Form, Gradient, Input, Kind, Primitive, Row, Terms,
};

/// An operator and everything that the tests and the benchmark know of it.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its name in reports, in the benchmark's table and for `--only`.
    pub name: &'static str,
    /// Its tensors; the classes of the first are chosen among.
    pub inputs: &'static [Input],
    /// Its temperature, power, alpha or budget: a number, or a tensor with one value for each row.
    pub coefficient: Option<Coefficient>,
    /// The public function.
    pub call: Call,
    /// The function whose slope the gradient is.
    pub slope: Slope,
    /// The operations of the table behind it, forward and backward; the benchmark times the first one's backward operation.
    pub primitives: &'static [Primitive],
    /// A row's output in f64, in plain Rust.
    pub reference: fn(&Row) -> Vec<f64>,
    /// What the output is for hard inputs.
    pub contract: Contract,
    /// Names of results and what their rounding is measured against, where that is not the result itself.
    pub terms: &'static [(&'static str, Terms)],
    /// How many times the common tolerance of a comparison between devices is allowed; each has its reason beside it.
    pub room: f64,
    /// Rows of noise that belong to each row of logits: 0 where nothing is drawn.
    pub draws: usize,
    /// Numbers that must move in a forward pass, and in a backward pass.
    pub traffic: [Traffic; 2],
    /// Tensors of the logits' size that a forward and backward pass holds at its peak; nothing where it is composed of several.
    pub memory: Option<usize>,
    /// Kernels that a GPU launches forward and backward, for rows that fit a cube, with the one that fills in a number which a kernel
    /// reads as a tensor; nothing where others of Burn's take part.
    pub launches: Option<[usize; 2]>,
    /// Whether a GPU also takes a batch of no rows: not where one of Burn's own operations meets it, which panics there.
    pub empty_on_gpu: bool,
    /// Requests that a forward and backward pass sends to a server; nothing where Burn's own take part.
    pub requests: Option<usize>,
    /// Its functions in `torch/operators.py`, each of which the benchmark times beside it.
    pub torch: &'static [&'static str],
}

/// The function whose slope a gradient is.
#[derive(Clone, Copy)]
pub enum Slope {
    /// The operator itself.
    Own,
    /// Another one, by design.
    Of(Call),
    /// None that a difference could find; the test that knows the gradient is named.
    Elsewhere(&'static str),
}

/// Numbers that must be read and written once, in units of the logits' count; what is one number a row does not count.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    /// Inputs.
    pub reads: usize,
    /// Outputs.
    pub writes: usize,
}

pub(super) const fn traffic(reads: usize, writes: usize) -> Traffic {
    Traffic { reads, writes }
}

impl Case {
    /// A map from logits to weights, with a kernel of its own in each direction.
    pub(super) const fn weights(
        name: &'static str,
        call: Call,
        reference: fn(&Row) -> Vec<f64>,
    ) -> Self {
        Self {
            name,
            inputs: &[Input::LOGITS],
            coefficient: None,
            call,
            slope: Slope::Own,
            primitives: &[],
            reference,
            contract: Contract::WEIGHTS,
            terms: &[],
            room: 1.0,
            draws: 0,
            traffic: [traffic(1, 1), traffic(2, 1)],
            // Output, upstream gradient, gradient.
            memory: Some(3),
            launches: Some([1, 1]),
            empty_on_gpu: true,
            requests: Some(2),
            torch: &[],
        }
    }

    /// A number read out of each row of logits and of the values beside them, with a kernel of its own in each direction.
    pub(super) const fn read_out(
        name: &'static str,
        call: Call,
        reference: fn(&Row) -> Vec<f64>,
    ) -> Self {
        Self {
            inputs: &[Input::LOGITS, Input::VALUES],
            contract: Contract::READ_OUT,
            terms: &[("output", Terms::OfOrderOne)],
            traffic: [traffic(2, 0), traffic(2, 2)],
            // The gradients of both.
            memory: Some(2),
            ..Self::weights(name, call, reference)
        }
    }

    /// The same, composed of other operators and of Burn's.
    pub(super) const fn composed(self) -> Self {
        Self {
            memory: None,
            launches: None,
            empty_on_gpu: false,
            requests: None,
            ..self
        }
    }

    /// Its coefficient as a number.
    pub fn number(&self) -> f64 {
        self.coefficient.map_or(1.0, |c| c.number)
    }

    /// The forms that its coefficient takes.
    pub fn forms(&self) -> &'static [Form] {
        match self.coefficient {
            None => &[Form::Number],
            Some(_) => &[Form::Number, Form::PerRow, Form::Shared],
        }
    }

    /// What the rounding of a result is measured against.
    pub fn terms_of(&self, result: &str) -> Terms {
        let own = self.terms.iter().find(|(name, _)| *name == result);
        match (own, result) {
            (Some((_, terms)), _) => *terms,
            // Sums over a row, or over all rows.
            (None, "coefficient" | "coordinates" | "stats" | "soft") => Terms::OfOrderOne,
            (None, _) => Terms::Own,
        }
    }

    /// Whether its first input are logits, which may be forbidden.
    pub fn takes_logits(&self) -> bool {
        matches!(self.inputs[0].kind, Kind::Classes(Domain::Logits))
    }

    /// Whether a gradient reaches any input.
    pub fn learns(&self) -> bool {
        self.inputs
            .iter()
            .any(|input| input.gradient != Gradient::None)
    }
}
