//! What the operators are compared with: the same as a user of Burn would compose it, and as a plain loop over a row.
//!
//! An operator that has no entry here is compared with the library's default bodies, and with no plain loop.

mod choice;
mod costs;
mod gather;
mod gumbel;
mod softmax;
mod sparse;
mod twin;

pub use twin::{Function, Twin};

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Twin> {
    [
        softmax::TWINS,
        gather::TWINS,
        choice::TWINS,
        gumbel::TWINS,
        costs::TWINS,
        sparse::TWINS,
    ]
    .into_iter()
    .flatten()
}

/// The one of an operator.
pub fn find(name: &str) -> Option<&'static Twin> {
    all().find(|twin| twin.name == name)
}
