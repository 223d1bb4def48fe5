//! Pictures of how the library's maps go from their input to a choice; the numbers come from the library's own functions.

pub mod draw;
pub mod maps;
pub mod png;
