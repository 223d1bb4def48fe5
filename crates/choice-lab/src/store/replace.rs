//! Files that are there as a whole or not at all.

use std::ffi::OsString;
use std::fs::File;
use std::io::Error;
use std::path::{Path, absolute};
use tempfile::Builder;

/// How the name of a file or folder in the making begins; a kill leaves one behind.
pub(crate) fn draft_of(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".new-");
    prefix
}

/// Writes a hidden file beside `path`, which takes its place once it is complete.
pub fn replace<E: From<Error>>(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let path = absolute(path)?;
    let folder = path.parent().unwrap_or(&path);
    // The file gets the permissions of any other; those that the crate makes itself are for their owner alone.
    let draft = Builder::new()
        .prefix(&draft_of(&path))
        .make_in(folder, |path| File::create_new(path))?;
    write(draft.path())?;
    File::open(draft.path())?.sync_all()?;
    draft.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
