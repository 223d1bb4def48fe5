//! How files and folders are written: as a whole or not at all, by one training at a time.

pub mod draft;
pub mod files;
pub mod fingerprint;
pub mod lock;
pub mod replace;
