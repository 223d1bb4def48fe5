//! An output folder is written beside its place first, then moved there.

use crate::store::files::{CHECKPOINT, CONFIG, METRICS, MODEL, PREDICTIONS, TEST};
use crate::store::replace::draft_of;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::fs;
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdin};
use std::path::{Path, PathBuf};
use tempfile::{Builder, TempDir};

/// What lies where a run wants to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing, or an empty folder.
    Free,
    /// An earlier run, and nothing else.
    Run,
    /// The checkpoints of a run that has not ended.
    Interrupted,
}

/// Looks where a run wants to be saved.
pub fn inspect(out: &Path) -> Result<Place> {
    let entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Place::Free),
        Err(error) => {
            return Err(error)
                .with_context(|| format!("cannot use {} as output folder", out.display()));
        }
    };
    let ours = [MODEL, CONFIG, METRICS, TEST, PREDICTIONS, CHECKPOINT];
    let (mut empty, mut ended) = (true, false);
    for entry in entries {
        let name = entry?.file_name();
        if !ours.iter().any(|file| name == *file) {
            bail!(
                "{} holds '{}', which no training run writes: choose another --out",
                out.display(),
                name.to_string_lossy()
            );
        }
        empty = false;
        ended |= name == CONFIG;
    }
    Ok(match (empty, ended || !out.join(CHECKPOINT).exists()) {
        (true, _) => Place::Free,
        (false, true) => Place::Run,
        (false, false) => Place::Interrupted,
    })
}

/// Asks before an earlier run is replaced.
pub fn may_replace(out: &Path, force: bool) -> Result<()> {
    let place = inspect(out)?;
    if place == Place::Free || force {
        return Ok(());
    }
    let out = out.display();
    if place == Place::Interrupted {
        bail!(
            "{out} holds an interrupted run: --resume {out} goes on with it, --force begins anew"
        );
    }
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
    folder: TempDir,
    out: PathBuf,
}

impl Draft {
    /// Makes a hidden folder beside `out`.
    pub fn create(out: &Path) -> Result<Self> {
        let context = || format!("cannot write the output folder {}", out.display());
        let out = std::path::absolute(out).with_context(context)?;
        let (Some(parent), Some(_)) = (out.parent(), out.file_name()) else {
            bail!("{} cannot be an output folder", out.display());
        };
        fs::create_dir_all(parent).with_context(context)?;
        let folder = Builder::new().prefix(&draft_of(&out)).tempdir_in(parent);
        let folder = folder.with_context(context)?;
        Ok(Self { folder, out })
    }

    /// Where to write a file.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Writes a JSON file.
    pub fn write_json(&self, file: &str, content: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(content)?;
        fs::write(self.path(file), text + "\n").with_context(|| format!("cannot write {file}"))
    }

    /// Moves the files to their place, over those of an earlier run, and removes the checkpoints.
    ///
    /// The configuration, without which a folder is no model, goes first and comes last: a kill leaves the checkpoints, and
    /// with them a run to resume.
    pub fn commit(self) -> Result<()> {
        let context = || format!("cannot write the output folder {}", self.out.display());
        inspect(&self.out)?;
        fs::create_dir_all(&self.out).with_context(context)?;
        let config = self.out.join(CONFIG);
        if config.exists() {
            fs::remove_file(config).with_context(context)?;
        }
        for file in [MODEL, METRICS, TEST, PREDICTIONS, CONFIG] {
            let (new, place) = (self.path(file), self.out.join(file));
            if new.exists() {
                fs::rename(new, place).with_context(context)?;
            } else if place.exists() {
                fs::remove_file(place).with_context(context)?;
            }
        }
        let checkpoints = self.out.join(CHECKPOINT);
        if checkpoints.exists() {
            fs::remove_dir_all(checkpoints).with_context(context)?;
        }
        Ok(())
    }
}
