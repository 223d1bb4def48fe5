//! Parts that operators share. On the host: `device`, `layout` and `plan` cut rows, `view` sees tensors as rows, `call`, `check` and `launch`
//! carry out a call. In kernels: `row` says where a unit is, the others what it does there.

pub(crate) mod blocks;
pub(crate) mod call;
mod check;
pub(crate) mod choice;
mod device;
pub(crate) mod lanes;
pub(crate) mod launch;
pub(crate) mod layout;
pub(crate) mod math;
pub(crate) mod noise;
pub(crate) mod number;
pub(crate) mod offset;
pub(crate) mod partials;
pub(crate) mod perturbed;
pub(crate) mod plan;
pub(crate) mod powers;
pub(crate) mod prelude;
pub(crate) mod reduce;
pub(crate) mod row;
pub(crate) mod search;
pub(crate) mod special;
pub(crate) mod stats;
pub(crate) mod threshold;
pub(crate) mod view;
pub(crate) mod walk;
pub(crate) mod weighted;
