//! Time against the number of elements, from a thousand to a hundred million: growing rows, and growing classes.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::{
    device::{Backend, Dtype, Pass, name},
    operators, plot, sides, threads,
    timing::interleave,
};

/// Elements of the logits, two in each decade.
const ELEMENTS: [usize; 11] = [
    1_000,
    3_000,
    10_000,
    30_000,
    100_000,
    300_000,
    1_000_000,
    3_000_000,
    10_000_000,
    30_000_000,
    100_000_000,
];
/// Classes where the rows grow, and rows where the classes grow.
const FIXED: usize = 100;
/// Seconds of rounds at each point.
const BUDGET: f64 = 0.3;

/// Plots how time grows.
#[derive(Args)]
pub struct Options {
    /// Where to run
    #[arg(long, value_enum, default_value_t = Backend::Flex)]
    device: Backend,
    /// The operators
    #[arg(
        long,
        default_value = "soft_argmax_gather,softmax,gumbel_softmax_hard",
        value_name = "NAMES"
    )]
    only: String,
    /// Threads
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Where the plot goes
    #[arg(long, default_value = "docs/figures/growth.svg", value_name = "FILE")]
    svg: PathBuf,
}

/// Measures, prints and plots.
pub fn run(options: &Options) -> Result<()> {
    let device = options.device.open()?;
    let pool = threads::pool(options.threads, options.device)?;
    let mut lines = Vec::new();
    println!("| operator | growing | elements | ns per element |");
    println!("|---|---|---|---|");
    for operator in operators::select(&options.only) {
        for growing in ["rows", "classes"] {
            let mut points = Vec::new();
            for elements in ELEMENTS {
                let other = elements / FIXED;
                let shape = match growing {
                    "rows" => [other, FIXED],
                    _ => [FIXED, other],
                };
                let inputs = operator.inputs(shape, Dtype::F32, &device);
                let pass = Pass::ForwardBackward;
                let side = sides::fused(&operator, &inputs, pass, &pool);
                let times = interleave(&mut [side], BUDGET)?;
                if let Some(spread) = times.of(0) {
                    let each = spread.median * 1e9 / elements as f64;
                    println!("| {} | {growing} | {elements} | {each:.3} |", operator.name);
                    points.push((elements as f64, each));
                }
            }
            lines.push(plot::Line {
                name: format!("{}, {growing}", operator.name.replace('_', " ")),
                points,
            });
        }
    }
    let title = format!(
        "Forward and backward, {}, f32, {} thread{}",
        name(&options.device),
        options.threads,
        if options.threads == 1 { "" } else { "s" }
    );
    let svg = plot::svg(&title, "elements", "nanoseconds per element", &lines);
    std::fs::write(&options.svg, svg)?;
    Ok(())
}
