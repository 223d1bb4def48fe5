//! Saved models: what `predict` needs of a folder, and weights from elsewhere.

pub mod folder;
pub mod model;
pub mod pytorch;
