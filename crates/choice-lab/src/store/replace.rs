//! Files that are there as a whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Error, ErrorKind};
use std::path::{Path, absolute};
use tempfile::{Builder, NamedTempFile};

/// How the name of a file or folder in the making begins; a kill leaves one behind.
pub(crate) fn draft_of(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".new-");
    prefix
}

/// Removes a file, if it is there.
pub(crate) fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a hidden file beside `path`, which takes its place once it is complete.
///
/// A file that is there keeps its permissions, and a link to it stays a link. What is no file, such as a device or a named
/// pipe, is written to as it is.
pub fn replace<E: From<Error>>(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let path = absolute(path)?;
    match fs::metadata(&path) {
        Ok(there) if there.is_dir() => Err(Error::from(ErrorKind::IsADirectory).into()),
        Ok(there) if there.is_file() => {
            let path = fs::canonicalize(&path)?;
            // Readable for its owner alone until it is complete.
            let draft = draft(&path, |builder, folder| builder.tempfile_in(folder))?;
            write(draft.path())?;
            keep_access(&there, draft.path())?;
            Ok(put(draft, &path)?)
        }
        Ok(_) => write(&path),
        Err(_) if path.is_symlink() => {
            let lost = "it is a symbolic link to a file that is not there";
            Err(Error::new(ErrorKind::NotFound, lost).into())
        }
        Err(_) => {
            // The file gets the permissions of any other.
            let create = |path: &Path| File::create_new(path);
            let draft = draft(&path, |builder, folder| builder.make_in(folder, create))?;
            write(draft.path())?;
            Ok(put(draft, &path)?)
        }
    }
}

fn draft(
    path: &Path,
    make: impl FnOnce(&Builder<'_, '_>, &Path) -> io::Result<NamedTempFile>,
) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(path);
    make(Builder::new().prefix(&draft_of(path)), folder)
}

fn put(draft: NamedTempFile, path: &Path) -> io::Result<()> {
    File::open(draft.path())?.sync_all()?;
    draft.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Gives a new file owner, group and permissions of the one that it is to replace. Where the group cannot be kept, the new
/// one gets no rights.
#[cfg(unix)]
pub(crate) fn keep_access(there: &Metadata, new: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let group = Some(there.gid());
    let kept = chown(new, Some(there.uid()), group).or_else(|_| chown(new, None, group));
    let bits = if kept.is_ok() { 0o777 } else { 0o707 };
    fs::set_permissions(new, fs::Permissions::from_mode(there.mode() & bits))
}

/// Elsewhere a new file has the permissions of its folder.
#[cfg(not(unix))]
pub(crate) fn keep_access(_: &Metadata, _: &Path) -> io::Result<()> {
    Ok(())
}
