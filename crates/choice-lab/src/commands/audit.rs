//! The `audit` command: how far each strategy's gradient is from that of the expected cost, and how noisy.

use crate::audit::{GATES, bits, one, random_gate};
use crate::commands::arguments::draw_count;
use crate::place::backend::Backend;
use crate::strategy::names::Strategy;
use crate::strategy::trainer::Method;
use anyhow::Result;
use burn_relax::audit::{Problem, Report, Table, to_json};
use clap::ValueEnum;
use std::io::{Write, stdout};

/// Measure bias and noise of every strategy's gradient against the enumerated one
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: choice-lab audit --draws 500 --json")]
pub struct Args {
    /// Print a JSON array of objects instead of a table
    #[arg(long)]
    json: bool,
    /// Draws of what is stochastic
    #[arg(long, default_value_t = 2000, value_parser = draw_count, allow_negative_numbers = true)]
    draws: usize,
    /// Seed of the problems and of the draws
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    seed: u32,
    /// Where to run
    #[arg(long, value_enum, default_value = "flex")]
    backend: Backend,
}

impl Args {
    /// Audits every strategy and prints the result.
    pub fn run(&self) -> Result<()> {
        let device = self.backend.device()?.autodiff();
        let mut reports = Vec::new();
        for gate in GATES {
            let problem = || random_gate(gate, self.seed, &device).with_seed(self.seed.into());
            every_strategy(&problem, self.draws, &mut reports);
        }
        let problem = || bits(&device).with_seed(self.seed.into());
        every_strategy(&problem, self.draws, &mut reports);
        if self.json {
            writeln!(stdout(), "{}", to_json(&reports))?;
        } else {
            write!(stdout(), "{}", Table(&reports))?;
        }
        Ok(())
    }
}

/// One report for each method, under the first name it has here. An entropy bonus changes the objective, not the estimate, so
/// the strategies with one are left out.
fn every_strategy<const D: usize>(
    problem: &dyn Fn() -> Problem<'static, D>,
    draws: usize,
    reports: &mut Vec<Report>,
) {
    // A batch of one row has no other rows to compare with.
    let alone = problem().expected_cost().len() == 1;
    let mut seen = Vec::new();
    for &strategy in Strategy::value_variants() {
        let method = match strategy.method(1) {
            Method::Library(library) => library.to_string(),
            Method::Taught => continue,
            Method::Wrong(wrong) => format!("{wrong:?}"),
        };
        let batch = matches!(
            strategy,
            Strategy::ScoreFunctionBatch | Strategy::ScoreFunctionBatchEntropy
        );
        if seen.contains(&method) || (alone && batch) {
            continue;
        }
        seen.push(method);
        reports.push(one(problem, draws, strategy));
    }
}
