//! What nearly every operator uses.

pub(crate) use super::{
    call::Call,
    launch::launch,
    layout::Need,
    number::{one, zero},
    plan::Phase,
    row::{Rows, place},
    view::Grid,
};
