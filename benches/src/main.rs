//! Times the fused operators against the same thing composed of Burn operations, and against a memory copy.
//!
//! The sides of a comparison take turns inside one process, so a machine whose speed drifts slows both; a cell is the
//! median over the rounds, and a ratio is the median of the rounds' own ratios, with its quartiles.

mod device;
mod operators;
mod timing;

use clap::Parser;
use serde::Serialize;

use crate::{
    device::{Backend, Pass},
    operators::OPERATORS,
    timing::{Spread, interleave},
};

/// Rows and classes.
const SHAPES: [[usize; 2]; 5] = [
    [256, 10],
    [4096, 128],
    [16384, 1024],
    [1024, 32000],
    [64, 128_000],
];

#[derive(Parser)]
#[command(about = "Times the fused operators against composed ones and a memory copy")]
struct Cli {
    /// Where to run
    #[arg(long, value_enum, default_value_t = Backend::Flex)]
    device: Backend,
    /// The two smallest shapes and fewer rounds
    #[arg(long)]
    quick: bool,
    /// Only operators whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Writes the table as a JSON array
    #[arg(long)]
    json: Option<std::path::PathBuf>,
}

#[derive(Serialize)]
struct Cell {
    op: &'static str,
    device: Backend,
    shape: [usize; 2],
    dtype: &'static str,
    threads: usize,
    pass: Pass,
    fused_s: f64,
    composed_s: f64,
    copy_s: f64,
    /// Composed over fused.
    speedup: Spread,
    /// Fused over a copy of the bytes that must move.
    over_copy: Spread,
}

fn main() -> std::io::Result<()> {
    let cli = Cli::parse();
    let device = cli.device.open();
    let threads = rayon::current_num_threads();
    let shapes = if cli.quick { &SHAPES[..2] } else { &SHAPES[..] };
    println!(
        "{} · f32 · {threads} threads · medians, quartiles in brackets",
        cli.device.describe()
    );
    println!(
        "| operator | shape | pass | fused ms | composed ms | copy ms | composed / fused | fused / copy |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut cells = Vec::new();
    for operator in OPERATORS {
        if !operator.name.contains(&cli.only) {
            continue;
        }
        for &shape in shapes {
            for pass in [Pass::Forward, Pass::ForwardBackward] {
                let sides = operator.sides(shape, pass, &device);
                let times = interleave(sides, if cli.quick { 0.3 } else { 1.5 });
                let cell = Cell {
                    op: operator.name,
                    device: cli.device,
                    shape,
                    dtype: "f32",
                    threads,
                    pass,
                    fused_s: times.median(0),
                    composed_s: times.median(1),
                    copy_s: times.median(2),
                    speedup: times.ratio(1, 0),
                    over_copy: times.ratio(0, 2),
                };
                println!(
                    "| {} | {}×{} | {} | {:.3} | {:.3} | {:.3} | {} | {} |",
                    cell.op,
                    shape[0],
                    shape[1],
                    pass.name(),
                    cell.fused_s * 1e3,
                    cell.composed_s * 1e3,
                    cell.copy_s * 1e3,
                    cell.speedup,
                    cell.over_copy
                );
                cells.push(cell);
            }
        }
    }
    if let Some(path) = cli.json {
        std::fs::write(path, serde_json::to_string_pretty(&cells)?)?;
    }
    Ok(())
}
