//! What a file holds, as a short text, by which a change is noticed.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, copy};
use std::path::Path;

/// The SHA-256 of a file's bytes, in hexadecimal digits.
pub fn of_file(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    copy(&mut File::open(path)?, &mut hash)?;
    Ok(text(hash))
}

/// The SHA-256 of bytes, in hexadecimal digits.
pub fn of_bytes(bytes: &[u8]) -> String {
    text(Sha256::new_with_prefix(bytes))
}

/// The hexadecimal digits of a hash.
pub(crate) fn text(hash: Sha256) -> String {
    format!("{:x}", hash.finalize())
}
