//! The `compare` command: every strategy on every task over many seeds, as one table.

use crate::cli::CompareArgs;
use crate::data::Task;
use crate::progress::Display;
use crate::recipe::Recipe;
use crate::report::SOLVED;
use crate::strategy::Strategy;
use crate::training::{Settings, train};
use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;
use std::io::{Write, stdout};

/// One strategy on one task.
#[derive(Serialize)]
struct Cell {
    strategy: Strategy,
    task: &'static str,
    learning_rate: f64,
    mean_test_mse: f64,
    standard_error: f64,
    solved: usize,
    seeds: u64,
    test_mse: Vec<f64>,
}

/// Trains, and prints the table row by row.
///
/// # Errors
///
/// If the backend is not available or fails, or stdout is closed.
pub fn compare(args: &CompareArgs) -> Result<()> {
    args.backend.device()?;
    let tasks = chosen(&args.task, Task::value_variants());
    let strategies = chosen(&args.strategy, Strategy::value_variants());
    if !args.json {
        let heads: Vec<_> = tasks
            .iter()
            .map(|task| task.name().to_uppercase())
            .collect();
        writeln!(stdout(), "| strategy | {} |", heads.join(" | "))?;
        writeln!(stdout(), "|---{}|", "|---".repeat(tasks.len()))?;
    }
    let mut cells = Vec::new();
    for strategy in strategies {
        let row: Vec<Cell> = tasks
            .iter()
            .map(|&task| cell(args, strategy, task))
            .collect::<Result<_>>()?;
        if !args.json {
            write!(stdout(), "| `{}` ", strategy.name())?;
            for cell in &row {
                let Cell {
                    mean_test_mse: mean,
                    standard_error: error,
                    solved,
                    learning_rate: rate,
                    ..
                } = cell;
                write!(stdout(), "| {mean:.4} ± {error:.4} · {solved} · {rate} ")?;
            }
            writeln!(stdout(), "|")?;
        }
        cells.extend(row);
    }
    if args.json {
        writeln!(stdout(), "{}", serde_json::to_string_pretty(&cells)?)?;
    }
    Ok(())
}

fn chosen<T: Copy>(asked: &[T], all: &[T]) -> Vec<T> {
    if asked.is_empty() { all } else { asked }.to_vec()
}

fn cell(args: &CompareArgs, strategy: Strategy, task: Task) -> Result<Cell> {
    let recipe = Recipe::new(strategy, task);
    let run = |seed| {
        let settings = Settings {
            backend: args.backend,
            strategy,
            task,
            seed,
            steps: args.steps,
            recipe,
        };
        Ok(train(settings, Display::Silent)?.report.test_mse)
    };
    let test_mse: Vec<f64> = (0..args.seeds).map(run).collect::<Result<_>>()?;
    let count = test_mse.len() as f64;
    let mean = test_mse.iter().sum::<f64>() / count;
    let squares: f64 = test_mse.iter().map(|mse| (mse - mean).powi(2)).sum();
    Ok(Cell {
        strategy,
        task: task.name(),
        learning_rate: recipe.learning_rate,
        mean_test_mse: mean,
        standard_error: (squares / (count - 1.0).max(1.0) / count).sqrt(),
        solved: test_mse.iter().filter(|mse| **mse < SOLVED).count(),
        seeds: args.seeds,
        test_mse,
    })
}
