//! The registry of operator cases: one place for each operator, which every layer of the tests and the benchmark iterate.
//!
//! A new operator is one `Case` in the file of its family. What a case says is checked: its reference against its contract,
//! its primitives against the table of operations, its launches, memory and requests against what is measured.

mod arguments;
mod call;
mod case;
mod categorical;
mod choice;
mod contract;
mod costs;
mod drawn;
mod expected;
mod gather;
mod gumbel;
mod input;
mod place;
mod power;
mod primitive;
mod reference;
mod rounding;
mod soft_argmax;
mod softmax;
mod sparse;
mod trial;

pub use arguments::{Args, Form};
pub use call::Call;
pub use case::{Case, Slope, Traffic};
pub use contract::{Contract, Expect, Sum};
pub use drawn::Drawn;
pub use input::{Coefficient, Domain, Gradient, Input, Kind, SEED};
pub use place::{Layout, Place};
pub use primitive::{Backward, Operands, Primitive, Run, called};
pub use reference::Row;
pub use rounding::{Numbers, Terms, difference};
pub use trial::Trial;

use case::traffic;

/// Every case, family by family.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    [
        softmax::CASES,
        sparse::CASES,
        power::CASES,
        soft_argmax::CASES,
        gather::CASES,
        choice::CASES,
        gumbel::CASES,
        categorical::CASES,
        costs::CASES,
    ]
    .into_iter()
    .flatten()
}
