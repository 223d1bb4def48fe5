//! How files and folders are written: as a whole or not at all.

pub mod draft;
pub mod files;
pub mod replace;
