//! Fingerprints beside the files of a checkpoint, by which damage is noticed: Burn's own format has none.

use crate::store::files::{SEAL, of_step};
use crate::store::fingerprint;
use crate::store::replace::replace;
use anyhow::{Context, Result, ensure};
use burn::train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError, FileCheckpointer};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Burn's checkpointer, which writes the fingerprint of each record beside it.
pub(crate) struct Sealed {
    files: FileCheckpointer,
    folder: PathBuf,
    name: &'static str,
}

impl Sealed {
    /// Saves the records of this name in a folder.
    pub(crate) fn new(folder: &Path, name: &'static str) -> Self {
        Self {
            files: FileCheckpointer::new(folder, name),
            folder: folder.to_owned(),
            name,
        }
    }
}

impl<R: Checkpoint> Checkpointer<R> for Sealed {
    fn save(&self, step: usize, record: R) -> Result<(), CheckpointerError> {
        self.files.save(step, record)?;
        let path = self.folder.join(of_step(self.name, step));
        fingerprint::of_file(&path)
            .and_then(|print| write_seal(&path, &print))
            .map_err(CheckpointerError::IOError)
    }

    fn delete(&self, step: usize) -> Result<(), CheckpointerError> {
        Checkpointer::<R>::delete(&self.files, step)?;
        let seal = self.folder.join(seal_of(&of_step(self.name, step)));
        if seal.exists() {
            fs::remove_file(seal).map_err(CheckpointerError::IOError)?;
        }
        Ok(())
    }

    fn restore(&self, step: usize) -> Result<R, CheckpointerError> {
        self.files.restore(step)
    }
}

/// The name of the file with the fingerprint of another.
pub(crate) fn seal_of(name: &str) -> String {
    format!("{name}{SEAL}")
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    path.with_file_name(seal_of(&name.to_string_lossy()))
}

/// Writes the fingerprint of a file.
pub(crate) fn write_seal(path: &Path, print: &str) -> io::Result<()> {
    replace(&beside(path), |draft| fs::write(draft, print))
}

/// Whether a file is what was written.
pub(crate) fn check(path: &Path) -> Result<()> {
    let unreadable = || format!("cannot read the checkpoint {}", path.display());
    let expected = fs::read(beside(path)).with_context(unreadable)?;
    let found = fingerprint::of_file(path).with_context(unreadable)?;
    ensure!(
        expected == found.as_bytes(),
        "{} is not what was written",
        path.display()
    );
    Ok(())
}
