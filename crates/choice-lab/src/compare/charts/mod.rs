//! The pictures of the report.

mod figure;
pub(crate) mod gradients;
pub(crate) mod learning;
pub(crate) mod regions;
