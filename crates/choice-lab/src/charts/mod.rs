//! How every picture is drawn: with plotters, as SVG.

pub mod axis;
pub mod plot;
pub mod text;
