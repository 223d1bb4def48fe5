//! An output folder is written beside its place first, then moved there in one go.

use crate::store::{CONFIG, METRICS, MODEL, PREDICTIONS, TEST};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::fs;
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdin};
use std::path::{Path, PathBuf};

/// What lies where a run wants to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing, or an empty folder.
    Free,
    /// An earlier run, and nothing else.
    Run,
}

/// Looks where a run wants to be saved.
///
/// # Errors
///
/// If there is something that this program has not written: that is never replaced.
pub fn inspect(out: &Path) -> Result<Place> {
    let entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Place::Free),
        Err(error) => {
            return Err(error)
                .with_context(|| format!("cannot use {} as output folder", out.display()));
        }
    };
    let ours = [MODEL, CONFIG, METRICS, TEST, PREDICTIONS];
    let mut place = Place::Free;
    for entry in entries {
        let name = entry?.file_name();
        if !ours.iter().any(|file| name == *file) {
            bail!(
                "{} holds '{}', which no training run writes: choose another --out",
                out.display(),
                name.to_string_lossy()
            );
        }
        place = Place::Run;
    }
    Ok(place)
}

/// Asks before an earlier run is replaced.
///
/// # Errors
///
/// If it must not be, or if what lies there is no run.
pub fn may_replace(out: &Path, force: bool) -> Result<()> {
    if inspect(out)? == Place::Free || force {
        return Ok(());
    }
    let out = out.display();
    if stdin().is_terminal() && stderr().is_terminal() {
        write!(stderr(), "{out} holds an earlier run. Replace it? [y/N] ")?;
        let mut answer = String::new();
        stdin().read_line(&mut answer)?;
        if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
            return Ok(());
        }
    }
    bail!("{out} holds an earlier run: pass --force to replace it, or choose another --out")
}

/// A run folder in the making; removed again unless it is committed.
#[derive(Debug)]
pub struct Draft {
    folder: PathBuf,
    out: PathBuf,
}

impl Draft {
    /// Makes a hidden folder beside `out`.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made.
    pub fn create(out: &Path) -> Result<Self> {
        let context = || format!("cannot write the output folder {}", out.display());
        let out = std::path::absolute(out).with_context(context)?;
        let (Some(parent), Some(_)) = (out.parent(), out.file_name()) else {
            bail!("{} cannot be an output folder", out.display());
        };
        fs::create_dir_all(parent).with_context(context)?;
        let folder = sibling(&out, "new");
        fs::create_dir(&folder).with_context(context)?;
        Ok(Self { folder, out })
    }

    /// Where to write a file.
    #[must_use]
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// Writes a JSON file.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_json(&self, file: &str, content: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(content)?;
        fs::write(self.path(file), text + "\n").with_context(|| format!("cannot write {file}"))
    }

    /// Moves the folder to its place; an earlier run there goes only once the new one stands.
    ///
    /// # Errors
    ///
    /// If the place has been filled with something else meanwhile, or cannot be written.
    pub fn commit(self) -> Result<()> {
        let context = || format!("cannot write the output folder {}", self.out.display());
        let old = sibling(&self.out, "old");
        let replaced = inspect(&self.out)? == Place::Run || self.out.exists();
        if replaced {
            fs::rename(&self.out, &old).with_context(context)?;
        }
        if let Err(error) = fs::rename(&self.folder, &self.out) {
            if replaced {
                let _ = fs::rename(&old, &self.out);
            }
            return Err(error).with_context(context);
        }
        if replaced {
            fs::remove_dir_all(&old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a commit there is nothing left here.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A hidden name beside `out`, on the same file system.
pub(crate) fn sibling(out: &Path, suffix: &str) -> PathBuf {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!(".{name}.{suffix}-{}", std::process::id()))
}
