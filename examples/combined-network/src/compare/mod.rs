//! The `compare` command: strategies on tasks over seeds, as one table, and as a report with `--out`.
//!
//! | file | what |
//! |---|---|
//! | `plan` | what is compared, as jobs |
//! | `outcome` | what a job comes to |
//! | `runs` | the jobs on several threads |
//! | `journal` | finished jobs, kept at once |
//! | `progress` | how far it is |
//! | `statistics`, `tables` | figures over the seeds; printed, CSV and JSON |
//! | `report` | the page, with its `charts` and their `svg` |

mod charts;
mod journal;
mod outcome;
mod plan;
mod progress;
mod report;
mod runs;
mod statistics;
mod svg;
mod tables;

use crate::backend::Backend;
use crate::cli::CompareArgs;
use anyhow::{Context, Result};
use journal::Journal;
use plan::Plan;
use std::fs;
use std::io::{Write, stderr, stdout};
use std::num::NonZero;
use std::path::Path;
use std::thread::available_parallelism;

const CSV: &str = "results.csv";
const JSON: &str = "results.json";
const HTML: &str = "report.html";

/// Trains, prints the table, and writes the report.
///
/// # Errors
///
/// If the backend is not available or fails, the output folder is taken by something else or cannot be written, or stdout is
/// closed.
pub fn compare(args: &CompareArgs) -> Result<()> {
    args.backend.device()?;
    let plan = Plan::new(args);
    let mut journal = match &args.out {
        None => None,
        Some(out) => Some(Journal::open(out, &plan, args.resume, args.force)?),
    };
    let outcomes = runs::run(&plan, &mut journal, jobs(args))?;
    let cells = statistics::cells(&plan, &outcomes);
    if let Some(out) = &args.out {
        let write = |file: &str, content: String| replace(&out.join(file), &content);
        write(CSV, tables::csv(&plan, &outcomes)?)?;
        write(JSON, tables::json(&plan, &cells, &outcomes)?)?;
        write(HTML, report::html(&plan, &cells, &outcomes))?;
        let _ = writeln!(stderr(), "report: {}", out.join(HTML).display());
    }
    let text = if args.json {
        serde_json::to_string_pretty(&cells)? + "\n"
    } else {
        tables::markdown(&plan, &cells)
    };
    Ok(stdout().write_all(text.as_bytes())?)
}

/// Burn's GPU backends take one training at a time well; a core of the CPU takes one.
fn jobs(args: &CompareArgs) -> usize {
    let cores = || match args.backend {
        Backend::Wgpu => 1,
        Backend::Flex | Backend::Ndarray | Backend::Remote => {
            available_parallelism().map_or(1, NonZero::get)
        }
    };
    args.jobs.map_or_else(cores, usize::from)
}

/// Writes a file beside its place and renames it.
fn replace(path: &Path, content: &str) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let draft = path.with_extension("new");
    fs::write(&draft, content).with_context(context)?;
    fs::rename(&draft, path).with_context(context)
}
