//! What the public functions are made of, above the operations of a backend.

pub(crate) mod centred;
pub(crate) mod choose;
pub(crate) mod constant;
pub(crate) mod dtype;
pub(crate) mod labels;
pub(crate) mod noise;
pub(crate) mod quotient;
