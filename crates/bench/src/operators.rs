//! The operators that are timed: the registry of the tests' cases, each beside what a user of Burn would compose and a plain loop.
//!
//! A new operator is one case in `tests/src/cases`, and one function in `torch/operators.py`.

use burn::tensor::Device;
use burn_relax_tests::cases::{Case, Drawn, Traffic, cases};

use crate::{
    device::{Dtype, Pass},
    twins::{self, Twin},
};

/// A row of the table: a case and one of its functions in PyTorch.
#[derive(Clone, Copy)]
pub struct Operator {
    /// Its name, in the table and in `torch/operators.py`.
    pub name: &'static str,
    /// The case.
    pub case: &'static Case,
    /// What it is compared with, where somebody has written it.
    pub twin: Option<&'static Twin>,
}

/// All of them, family by family.
pub fn all() -> impl Iterator<Item = Operator> {
    cases().flat_map(|case| {
        let own = [case.name];
        let names = if case.torch.is_empty() {
            own.to_vec()
        } else {
            case.torch.to_vec()
        };
        names.into_iter().map(move |name| Operator {
            name,
            case,
            twin: twins::find(name),
        })
    })
}

/// Those that `only` asks for: exact names or parts of names, separated by commas; all if it is empty.
pub fn select(only: &str) -> Vec<Operator> {
    let asked = |operator: &Operator| {
        only.split(',').any(|part| {
            let exact = all().any(|other| other.name == part);
            operator.name == part || (!exact && operator.name.contains(part))
        })
    };
    all().filter(asked).collect()
}

impl Operator {
    /// The inputs of a shape.
    pub fn inputs(&self, shape: [usize; 2], dtype: Dtype, device: &Device) -> Drawn {
        Drawn::new(self.case, shape, device, dtype.float())
    }

    /// What must move in a pass: the gradient's pass also makes or reads the upstream gradient.
    pub fn traffic(&self, pass: Pass) -> Traffic {
        let [forward, gradient] = self.case.traffic;
        match pass {
            Pass::Forward => forward,
            Pass::Backward => gradient,
            Pass::ForwardBackward => Traffic {
                reads: forward.reads + gradient.reads,
                writes: forward.writes + gradient.writes,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_twin_belongs_to_an_operator() {
        for twin in twins::all() {
            let known = all().any(|operator| operator.name == twin.name);
            assert!(known, "no case of the registry is named {}", twin.name);
        }
    }
}
