//! Finished jobs, kept at once: one line of JSON for each, the plan in the first.
//!
//! A kill can tear the last line only; a torn line is cut off and its job done again.

use crate::compare::outcome::Outcome;
use crate::compare::plan::{Job, Plan};
use crate::store::lock::lock;
use crate::store::replace::{draft_of, remove};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

/// What a comparison writes when it ends.
pub(crate) const CSV: &str = "results.csv";
pub(crate) const JSON: &str = "results.json";
pub(crate) const HTML: &str = "report.html";

const JOURNAL: &str = "journal.jsonl";

/// The journal of a comparison, open to be continued.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    done: Vec<Entry>,
}

/// A line after the first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) job: Job,
    pub(crate) outcome: Outcome,
}

impl Journal {
    /// Opens the journal in an output folder, which is made where it is missing.
    pub(crate) fn open(out: &Path, plan: &Plan, resume: bool, force: bool) -> Result<Self> {
        let name = out.display();
        let context = || format!("cannot write to the output folder {name}");
        fs::create_dir_all(out).with_context(context)?;
        let used = inspect(out)?;
        if used && !resume && !force {
            bail!(
                "{name} is not empty: --resume goes on with the comparison in it, --force begins anew, or choose another \
                 --out"
            );
        }
        let path = out.join(JOURNAL);
        if resume && !path.is_file() {
            bail!("{name} holds no comparison to resume: it has no {JOURNAL}");
        }
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).with_context(context)?;
        if !lock(&file).with_context(context)? {
            bail!("another comparison is writing to {name}");
        }
        let text = if resume {
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?
        } else {
            for results in [CSV, JSON, HTML] {
                remove(&out.join(results)).with_context(context)?;
            }
            String::new()
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut journal = Self {
            file,
            done: Vec::new(),
        };
        journal.file.set_len(whole as u64).with_context(context)?;
        journal.file.seek(SeekFrom::End(0)).with_context(context)?;
        match text[..whole].lines().next() {
            None => journal.write(plan)?,
            Some(first) => {
                let theirs: Plan = serde_json::from_str(first).with_context(|| {
                    format!("{} is not the journal of a comparison", path.display())
                })?;
                if let Some(difference) = plan.difference(&theirs) {
                    bail!(
                        "cannot resume {name}: {difference}; give the same options, or choose another --out"
                    );
                }
            }
        }
        for line in text[..whole].lines().skip(1) {
            match serde_json::from_str(line) {
                Ok(entry) => journal.done.push(entry),
                Err(error) => tracing::warn!("passed over a line of the journal: {error}"),
            }
        }
        Ok(journal)
    }

    /// The outcome of a job that has been done before.
    pub(crate) fn find(&self, job: Job) -> Option<Outcome> {
        let entry = self.done.iter().find(|entry| entry.job == job)?;
        Some(entry.outcome.clone())
    }

    /// Keeps a finished job.
    pub(crate) fn add(&mut self, job: Job, outcome: &Outcome) -> Result<()> {
        self.write(&Entry {
            job,
            outcome: outcome.clone(),
        })
    }

    fn write(&mut self, content: &impl Serialize) -> Result<()> {
        let line = serde_json::to_string(content)? + "\n";
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data())
            .context("cannot write the journal")
    }
}

/// Whether there is anything in the folder; what no comparison writes is never replaced.
fn inspect(out: &Path) -> Result<bool> {
    let mut used = false;
    for entry in fs::read_dir(out).with_context(|| format!("cannot read {}", out.display()))? {
        let name = entry?.file_name();
        let begins = |prefix: &OsStr| {
            let name = name.as_encoded_bytes();
            name.starts_with(prefix.as_encoded_bytes())
        };
        let of_ours = |file: &&str| name == **file || begins(&draft_of(Path::new(file)));
        if ![CSV, JSON, HTML, JOURNAL].iter().any(of_ours) {
            bail!(
                "{} holds '{}', which no comparison writes: choose another --out",
                out.display(),
                name.to_string_lossy()
            );
        }
        used = true;
    }
    Ok(used)
}
