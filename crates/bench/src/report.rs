//! The tables of `docs/benchmarks.md`, from a file of measurements. What misses its target is set in bold.

use std::{collections::BTreeSet, path::PathBuf};

use anyhow::Result;
use clap::Args;

use crate::{
    device::{Backend, Pass, name},
    operators,
    record::{self, Ratios, Record},
    timing::Spread,
};

/// Classes from which an operator should run at the speed of memory.
const LONG_ROWS: usize = 128;
/// Elements from which a tensor of f32 is beyond the last-level cache of the machines at hand (32 MiB).
const BIG: usize = 1 << 23;

/// Prints tables.
#[derive(Args)]
pub struct Options {
    /// What `--json` wrote
    file: PathBuf,
    /// The backend
    #[arg(long, value_enum, default_value_t = Backend::Flex)]
    device: Backend,
}

/// A column: a heading, the pass, the ratio, and the target that it should reach.
struct Column {
    heading: &'static str,
    pass: Pass,
    ratio: fn(&Ratios) -> Option<Spread>,
    is_met: fn(&Record, f64) -> bool,
}

const OVER_COPY: [Column; 2] = [
    Column {
        heading: "forward",
        pass: Pass::Forward,
        ratio: |ratios| ratios.over_copy,
        is_met: |record, ratio| !is_bound_by_memory(record) || ratio <= copies(&record.op),
    },
    Column {
        heading: "backward",
        pass: Pass::Backward,
        ratio: |ratios| ratios.over_copy,
        is_met: |record, ratio| !is_bound_by_memory(record) || ratio <= 1.6,
    },
];

const COMPOSED: [Column; 2] = [
    Column {
        heading: "forward",
        pass: Pass::Forward,
        ratio: |ratios| ratios.composed,
        is_met: |record, ratio| ratio >= times_composed(record).0,
    },
    Column {
        heading: "forward and backward",
        pass: Pass::ForwardBackward,
        ratio: |ratios| ratios.composed,
        is_met: |record, ratio| ratio >= times_composed(record).1,
    },
];

const TORCH: [Column; 4] = [
    Column {
        heading: "forward, eager",
        pass: Pass::Forward,
        ratio: |ratios| ratios.torch_eager,
        is_met: |record, ratio| record.shape[1] < LONG_ROWS || ratio >= times_eager(&record.op),
    },
    Column {
        heading: "forward, compiled",
        pass: Pass::Forward,
        ratio: |ratios| ratios.torch_compile,
        is_met: |record, ratio| record.shape[1] < LONG_ROWS || ratio >= 1.0,
    },
    Column {
        heading: "forward and backward, eager",
        pass: Pass::ForwardBackward,
        ratio: |ratios| ratios.torch_eager,
        is_met: |record, ratio| {
            let least = if record.shape[1] < LONG_ROWS {
                1.0
            } else {
                times_eager(&record.op)
            };
            ratio >= least
        },
    },
    Column {
        heading: "forward and backward, compiled",
        pass: Pass::ForwardBackward,
        ratio: |ratios| ratios.torch_compile,
        is_met: |record, ratio| record.shape[1] < LONG_ROWS || ratio >= 2.0,
    },
];

/// Whether the target in copies counts for a cell.
fn is_bound_by_memory(record: &Record) -> bool {
    let [rows, n] = record.shape;
    n >= LONG_ROWS && rows * n >= BIG
}

/// Copies that a forward pass may take.
fn copies(op: &str) -> f64 {
    match op {
        "gumbel_softmax" | "gumbel_softmax_hard" | "sample_log_prob_cost" => 4.0,
        "softmax"
        | "log_softmax"
        | "power_softmax"
        | "straight_through_argmax"
        | "gumbel_softmax_with_noise"
        | "gumbel_softmax_hard_with_noise" => 2.0,
        _ => 1.6,
    }
}

/// Times that the composed form should be slower, forward and with backward.
fn times_composed(record: &Record) -> (f64, f64) {
    let gather = record.op == "soft_argmax_gather";
    let both = if record.device == Backend::Ndarray {
        50.0
    } else {
        25.0
    };
    match record.shape {
        [16384, 1024] | [1024, 32000] if gather => (10.0, both),
        [4096, 128] if gather => (5.0, 10.0),
        [256, 10] if gather => (1.0, 1.0),
        [16384, 1024] => (5.0, 10.0),
        _ => (0.0, 0.0),
    }
}

/// Times that PyTorch's eager mode should be slower.
fn times_eager(op: &str) -> f64 {
    match op {
        "soft_argmax_gather" | "soft_argmax_gather_hard" => 4.0,
        "gumbel_softmax_hard" | "sample_log_prob_cost" => 8.0,
        _ => 0.0,
    }
}

/// Prints.
pub fn run(options: &Options) -> Result<()> {
    let mut records = record::read(&options.file)?;
    records.retain(|record| record.device == options.device);
    let pages: BTreeSet<String> = records.iter().map(|record| name(&record.pages)).collect();
    for pages in pages {
        let of_pages = |record: &&Record| name(&record.pages) == pages;
        let records: Vec<&Record> = records.iter().filter(of_pages).collect();
        println!("\n## {}, freed memory {pages}", name(&options.device));
        table("This library over the copy", &records, &OVER_COPY);
        table("Burn composed over this library", &records, &COMPOSED);
        table("PyTorch over this library", &records, &TORCH);
    }
    Ok(())
}

fn table(title: &str, records: &[&Record], columns: &[Column]) {
    let threads: BTreeSet<usize> = records.iter().map(|record| record.threads).collect();
    let threads: Vec<String> = threads.iter().map(usize::to_string).collect();
    println!("\n{title}, {} threads\n", threads.join(" / "));
    let headings: Vec<&str> = columns.iter().map(|column| column.heading).collect();
    println!("| operator | shape | {} |", headings.join(" | "));
    println!("|---|---|{}", "---|".repeat(columns.len()));
    let shapes: BTreeSet<(usize, [usize; 2])> = records
        .iter()
        .map(|record| (record.shape[0] * record.shape[1], record.shape))
        .collect();
    for operator in operators::all() {
        for (_, shape) in &shapes {
            let row: Vec<&&Record> = records
                .iter()
                .filter(|record| record.op == operator.name && record.shape == *shape)
                .collect();
            let cells: Vec<String> = columns.iter().map(|column| cell(&row, column)).collect();
            if cells.iter().any(|cell| cell != "–") {
                let [rows, n] = shape;
                println!("| {} | {rows}×{n} | {} |", operator.name, cells.join(" | "));
            }
        }
    }
}

/// The ratios of all thread counts.
fn cell(row: &[&&Record], column: &Column) -> String {
    let mut parts: Vec<(usize, String)> = row
        .iter()
        .filter(|record| record.pass == column.pass)
        .filter_map(|record| {
            let ratio = (column.ratio)(&record.ratios)?.median;
            let text = if ratio >= 20.0 {
                format!("{ratio:.0}")
            } else {
                format!("{ratio:.2}")
            };
            let met = (column.is_met)(record, ratio);
            Some((
                record.threads,
                if met { text } else { format!("**{text}**") },
            ))
        })
        .collect();
    if parts.is_empty() {
        return "–".to_owned();
    }
    parts.sort();
    let parts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
    parts.join(" / ")
}
