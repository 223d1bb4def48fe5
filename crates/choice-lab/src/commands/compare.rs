//! The `compare` command: strategies on tasks over seeds, as one table, and as a report with `--out`.

use crate::commands::arguments::{job_count, seed_count, step_count};
use crate::compare::journal::{CSV, HTML, JSON, Journal};
use crate::compare::plan::{Plan, chosen};
use crate::compare::{report, runs, statistics, tables};
use crate::place::backend::Backend;
use crate::store::replace::replace;
use crate::strategy::names::Strategy;
use anyhow::{Context, Result};
use combined_network::task::Task;
use std::fs;
use std::io::{Write, stderr, stdout};
use std::num::NonZero;
use std::path::PathBuf;
use std::thread::available_parallelism;

/// Train every strategy on every task over many seeds, and print one table
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: choice-lab compare --tasks a,b --strategies auto,reinmax --seeds 10 --out comparison"
)]
pub struct Args {
    /// Strategies to train with, comma-separated [default: all]
    #[arg(long, visible_alias = "strategy", value_enum, value_delimiter = ',')]
    strategies: Vec<Strategy>,
    /// Tasks to train on, comma-separated
    #[arg(
        long,
        visible_alias = "task",
        value_enum,
        value_delimiter = ',',
        default_value = "a,b,c,d"
    )]
    tasks: Vec<Task>,
    /// Runs of each, with as many seeds one after the other
    #[arg(long, default_value_t = 20, value_parser = seed_count, allow_negative_numbers = true)]
    seeds: u64,
    /// The first seed
    #[arg(
        long,
        default_value_t = 0,
        value_name = "SEED",
        allow_negative_numbers = true
    )]
    first_seed: u64,
    /// Optimiser steps of a run, of 128 rows each
    #[arg(long, default_value_t = 4000, value_parser = step_count, allow_negative_numbers = true)]
    steps: usize,
    /// Folder for results.csv, results.json, report.html and the journal of finished runs [default: only print]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with the interrupted comparison in that folder
    #[arg(long, requires = "out", conflicts_with = "force")]
    resume: bool,
    /// Replace an earlier comparison in that folder
    #[arg(long, requires = "out")]
    force: bool,
    /// Runs at a time; the results do not depend on it [default: one for each core, one on wgpu]
    #[arg(long, value_parser = job_count, allow_negative_numbers = true)]
    jobs: Option<usize>,
    /// Print a JSON array of objects instead of a table
    #[arg(long)]
    json: bool,
    /// Where to run
    #[arg(long, value_enum, default_value = "flex")]
    backend: Backend,
}

impl Args {
    /// Trains, prints the table, and writes the report.
    pub fn run(&self) -> Result<()> {
        self.backend.device()?;
        let plan = Plan {
            format: Plan::FORMAT.to_owned(),
            backend: self.backend,
            strategies: chosen(&self.strategies),
            tasks: chosen(&self.tasks),
            seeds: self.seeds,
            first_seed: self.first_seed,
            steps: self.steps,
            audit_draws: self.out.is_some().then_some(Plan::AUDIT_DRAWS),
        };
        let mut journal = match &self.out {
            None => None,
            Some(out) => Some(Journal::open(out, &plan, self.resume, self.force)?),
        };
        let outcomes = runs::run(&plan, &mut journal, self.jobs())?;
        let cells = statistics::cells(&plan, &outcomes);
        if let Some(out) = &self.out {
            let write = |file: &str, content: String| {
                let path = out.join(file);
                replace(&path, |draft| fs::write(draft, content))
                    .with_context(|| format!("cannot write {}", path.display()))
            };
            write(CSV, tables::csv(&plan, &outcomes)?)?;
            write(JSON, tables::json(&plan, &cells, &outcomes)?)?;
            write(HTML, report::html(&plan, &cells, &outcomes)?)?;
            let _ = writeln!(stderr(), "report: {}", out.join(HTML).display());
        }
        let text = if self.json {
            serde_json::to_string_pretty(&cells)? + "\n"
        } else {
            tables::markdown(&plan, &cells)
        };
        Ok(stdout().write_all(text.as_bytes())?)
    }

    /// Burn's GPU backends take one training at a time well; a core of the CPU takes one.
    fn jobs(&self) -> usize {
        let cores = || match self.backend {
            Backend::Wgpu => 1,
            Backend::Flex | Backend::Ndarray | Backend::Remote => {
                available_parallelism().map_or(1, NonZero::get)
            }
        };
        self.jobs.unwrap_or_else(cores)
    }
}
