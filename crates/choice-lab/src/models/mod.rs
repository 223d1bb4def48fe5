//! Saved models: what `predict` needs of a folder, and weights from elsewhere.

pub mod finite;
pub mod folder;
pub mod model;
pub mod pytorch;
mod state_dict;
