//! One training at a time writes to a run folder.

use crate::store::files::{CHECKPOINT, LOCK};
use anyhow::{Context, Result, bail};
use same_file::Handle;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf, absolute};

/// The right to write to a run folder, until it is dropped or the process ends, however that may be.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    out: PathBuf,
    /// Whether the folder was made for the lock.
    new: bool,
}

impl Lock {
    /// Takes the right, or says that another process has it.
    pub fn take(out: &Path) -> Result<Self> {
        let name = out.display();
        let context = || format!("cannot write to the output folder {name}");
        let out = absolute(out).with_context(context)?;
        let new = !out.exists();
        let place = out.join(CHECKPOINT).join(LOCK);
        loop {
            fs::create_dir_all(out.join(CHECKPOINT)).with_context(context)?;
            let mut options = OpenOptions::new();
            let options = options.read(true).write(true).create(true).truncate(false);
            let file = match options.open(&place) {
                // Another training ended just now, and removed the folder.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                file => file.with_context(context)?,
            };
            if !lock(&file).with_context(context)? {
                bail!(
                    "another training is writing to {name}: wait for its end, or choose another --out"
                );
            }
            // The file that is locked may be one that another training removed as it ended.
            let locked = Handle::from_file(file.try_clone().with_context(context)?);
            let same = Handle::from_path(&place).is_ok_and(|there| {
                let locked = locked.as_ref();
                locked.is_ok_and(|locked| *locked == there)
            });
            if same {
                return Ok(Self {
                    _file: file,
                    out,
                    new,
                });
            }
        }
    }
}

impl Drop for Lock {
    /// Leaves no file behind, and no folder that holds nothing.
    fn drop(&mut self) {
        let folder = self.out.join(CHECKPOINT);
        let _ = fs::remove_file(folder.join(LOCK));
        let emptied = fs::remove_dir(&folder);
        if emptied.is_ok() && self.new {
            let _ = fs::remove_dir(&self.out);
        }
    }
}

/// Whether this process has the lock now. Where a file system knows no locks, everybody has it.
pub(crate) fn lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
            tracing::warn!("the file system has no locks");
            Ok(true)
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}
