//! One operator a file; `math`, `row` and `view` are what they share.

mod math;
mod reduce;
mod row;
mod view;

pub(crate) mod soft_argmax_gather;
pub(crate) mod soft_argmax_gather_backward;
pub(crate) mod softmax;
