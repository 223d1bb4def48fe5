//! Every argument check of the library, and the one form of its messages:
//! `<op>: <argument> must <condition>, got <value>`.

mod device;
mod inputs;
mod numbers;
mod shapes;

pub(crate) use inputs::*;
pub(crate) use numbers::*;
pub(crate) use shapes::*;
