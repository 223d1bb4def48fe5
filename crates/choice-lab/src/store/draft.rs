//! An output folder is written beside its place first, then moved there.

use crate::store::files::{
    CHECKPOINT, CONFIG, LOCK, METRICS, MODEL, PLAN, PREDICTIONS, TEST, is_of_checkpoints,
    is_of_step,
};
use crate::store::replace::{draft_of, keep_access, replace};
use anyhow::{Context, Error, Result, anyhow, bail};
use serde::Serialize;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, IsTerminal, Write, stderr, stdin};
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
    let ours = [MODEL, CONFIG, METRICS, TEST, PREDICTIONS];
    let checkpoint = out.join(CHECKPOINT);
    let mut used = false;
    for entry in list(out)? {
        let name = entry.file_name();
        if name == CHECKPOINT && checkpoint.is_dir() {
            continue;
        }
        if !ours.iter().any(|file| name == *file) {
            return Err(foreign(out, &name));
        }
        if !entry.file_type()?.is_file() {
            bail!(
                "{} is no file of its own, and no training run replaces it: choose another --out",
                entry.path().display()
            );
        }
        used = true;
    }
    let saved = |entry: &fs::DirEntry| is_of_step(&entry.file_name());
    let ended = out.join(CONFIG).exists();
    Ok(if checkpoint.join(PLAN).is_file() && !ended {
        Place::Interrupted
    } else if used || list(&checkpoint)?.iter().any(saved) {
        Place::Run
    } else {
        // A run that was killed before it had written its plan has nothing to go on with.
        Place::Free
    })
}

/// What a folder holds: nothing where there is none.
fn list(folder: &Path) -> Result<Vec<fs::DirEntry>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect),
    };
    entries.with_context(|| format!("cannot use {} as output folder", folder.display()))
}

fn foreign(folder: &Path, name: &OsStr) -> Error {
    anyhow!(
        "{} holds '{}', which no training run writes: choose another --out",
        folder.display(),
        name.to_string_lossy()
    )
}

/// Asks before an earlier run is replaced.
pub fn may_replace(out: &Path, force: bool) -> Result<()> {
    let place = inspect(out)?;
    let checkpoints = out.join(CHECKPOINT);
    for entry in list(&checkpoints)? {
        if !is_of_checkpoints(&entry.file_name()) {
            return Err(foreign(&checkpoints, &entry.file_name()));
        }
    }
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
                if let Ok(there) = fs::metadata(&place) {
                    keep_access(&there, &new).with_context(context)?;
                }
                put(&new, &place).with_context(context)?;
            } else if place.exists() {
                fs::remove_file(place).with_context(context)?;
            }
        }
        remove_checkpoints(&self.out).with_context(context)
    }
}

/// Moves a file to its place, which may lie on another file system than the folder beside it.
fn put(new: &Path, place: &Path) -> io::Result<()> {
    match fs::rename(new, place) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            replace(place, |draft| fs::copy(new, draft).map(drop))
        }
        moved => moved,
    }
}

/// Removes the checkpoints in an output folder, and no file that is not of them.
///
/// The plan goes first: after a kill nothing is resumed from half of them.
pub(crate) fn remove_checkpoints(out: &Path) -> Result<()> {
    let folder = out.join(CHECKPOINT);
    let plan = folder.join(PLAN);
    if plan.exists() {
        fs::remove_file(plan)?;
    }
    for entry in list(&folder)? {
        let name = entry.file_name();
        if name != LOCK && is_of_checkpoints(&name) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
