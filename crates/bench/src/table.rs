//! The table: operator × shape × threads × pass, every side in turn.

use anyhow::{Context, Result};
use burn::tensor::Device;
use burn_relax_tests::cases::{Domain, Drawn, Gradient, Kind};
use clap::{Args, ValueEnum};
use rayon::ThreadPool;
use serde_json::json;

use crate::{
    device::{Backend, Dtype, Pass, name},
    operators::{self, Operator},
    pages::Pages,
    record::{self, Ratios, Record},
    sides, threads,
    timing::interleave,
    torch::Torch,
};

/// Rows and classes.
const SHAPES: [[usize; 2]; 5] = [
    [256, 10],
    [4096, 128],
    [16384, 1024],
    [1024, 32000],
    [64, 128_000],
];
/// Seconds of rounds in each cell.
const BUDGET: f64 = 1.0;
const QUICK_BUDGET: f64 = 0.2;

/// Times the operators.
#[derive(Args)]
pub struct Options {
    /// The two smallest shapes and short runs
    #[arg(long)]
    quick: bool,
    /// Where to run
    #[arg(long, value_enum, default_value_t = Backend::Flex)]
    device: Backend,
    /// Adds the cells to a JSON array, in place of the same cells measured before
    #[arg(long, value_name = "FILE")]
    json: Option<std::path::PathBuf>,
    /// Measures PyTorch too, eager and compiled
    #[arg(long)]
    torch: bool,
    /// Measures PyTorch eager only, which needs no C++ compiler
    #[arg(long)]
    torch_eager: bool,
    /// The Python interpreter that has PyTorch
    #[arg(long, default_value = "python3")]
    python: String,
    /// Only these operators: names or parts of names, separated by commas
    #[arg(long, default_value = "", value_name = "NAMES")]
    only: String,
    /// Only these shapes, as in 4096x128, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "SHAPES", value_parser = shape)]
    shapes: Vec<[usize; 2]>,
    /// Only these passes
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PASSES")]
    passes: Vec<Pass>,
    /// Numbers of threads
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1,2",
        value_name = "COUNTS"
    )]
    threads: Vec<usize>,
    /// The numbers that tensors hold
    #[arg(long, value_enum, default_value_t = Dtype::F32)]
    dtype: Dtype,
    /// What becomes of freed memory
    #[arg(long, value_enum, default_value_t = Pages::Kept)]
    pub pages: Pages,
    /// Leaves out the composed side and the plain loop
    #[arg(long)]
    fused_only: bool,
}

fn shape(text: &str) -> Result<[usize; 2]> {
    let (rows, n) = text
        .split_once(['x', '×'])
        .context("a shape is ROWSxCLASSES")?;
    Ok([rows.parse()?, n.parse()?])
}

/// Measures and prints, and writes each cell as soon as it is known.
pub fn run(options: &Options) -> Result<()> {
    let device = options.device.open()?;
    #[cfg(feature = "wgpu")]
    if let Some(adapter) = crate::gpu::adapter(&device) {
        println!("adapter: {adapter}");
    }
    println!(
        "{} · {} · freed memory {} · medians; ratios are medians of the rounds' own, quartiles in brackets",
        name(&options.device),
        name(&options.dtype),
        name(&options.pages)
    );
    for &threads in &options.threads {
        let pool = threads::pool(threads, options.device)?;
        let torch = (options.torch || options.torch_eager)
            .then(|| Torch::start(&options.python, threads, options.pages))
            .transpose()?;
        print_head(threads, torch.as_ref());
        for operator in operators::select(&options.only) {
            for shape in options.shapes() {
                let cell = Cell {
                    options,
                    operator,
                    shape,
                    device: &device,
                    pool: &pool,
                    torch: torch.as_ref(),
                };
                cell.measure()?;
            }
        }
    }
    Ok(())
}

fn print_head(threads: usize, torch: Option<&Torch>) {
    let torch = torch.map_or("no PyTorch", |torch| &torch.version);
    println!("\n{threads} threads · {torch}\n");
    println!(
        "| operator | shape | pass | fused ms | copy ms | composed ms | naive ms | eager ms | compiled ms | fused / copy | composed / fused \
         | eager / fused | compiled / fused | GB/s | launches |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
}

impl Options {
    fn shapes(&self) -> Vec<[usize; 2]> {
        match (&self.shapes[..], self.quick) {
            ([], true) => SHAPES[..2].to_vec(),
            ([], false) => SHAPES.to_vec(),
            (chosen, _) => chosen.to_vec(),
        }
    }

    fn passes(&self) -> &[Pass] {
        if self.passes.is_empty() {
            Pass::value_variants()
        } else {
            &self.passes
        }
    }
}

/// What a group of measurements shares.
struct Cell<'a> {
    options: &'a Options,
    operator: Operator,
    shape: [usize; 2],
    device: &'a Device,
    pool: &'a ThreadPool,
    torch: Option<&'a Torch>,
}

impl Cell<'_> {
    /// All passes.
    fn measure(&self) -> Result<()> {
        let inputs = self
            .operator
            .inputs(self.shape, self.options.dtype, self.device);
        for &pass in self.options.passes() {
            let backward = || inputs.learns() && inputs.backward().is_some();
            let there_is = match pass {
                Pass::Forward => true,
                Pass::Backward => backward(),
                Pass::ForwardBackward => inputs.learns(),
            };
            if !there_is {
                continue;
            }
            let record = self.measure_pass(&inputs, pass)?;
            println!("{}", line(&record));
            if let Some(path) = &self.options.json {
                record::merge(path, &[record])?;
            }
        }
        Ok(())
    }

    fn measure_pass(&self, inputs: &Drawn, pass: Pass) -> Result<Record> {
        let (options, operator, pool) = (self.options, &self.operator, self.pool);
        let others = !options.fused_only;
        let mut sides = [
            sides::fused(operator, inputs, pass, pool),
            Some(sides::copy(operator, self.shape, options.dtype, pass, pool)),
            others
                .then(|| sides::composed(operator, inputs, pass, pool))
                .flatten(),
            others
                .then(|| sides::naive(operator, inputs, pass, pool))
                .flatten(),
            self.torch_side(pass, false)?,
            self.torch_side(pass, true)?,
        ];
        #[cfg(feature = "wgpu")]
        if options.device == Backend::Wgpu {
            let numbers = self.numbers(pass);
            sides[1] = Some(crate::gpu::copy(self.device, numbers, pool));
        }
        let budget = if options.quick { QUICK_BUDGET } else { BUDGET };
        let times = interleave(&mut sides, budget)?;
        let launches = self.launches(&mut sides)?;
        drop(sides);
        if let Some(torch) = self.torch {
            torch.clear()?;
        }
        let median = |side| times.of(side).map(|spread| spread.median);
        Ok(Record {
            op: operator.name.to_owned(),
            device: options.device,
            shape: self.shape,
            dtype: options.dtype,
            threads: pool.current_num_threads(),
            pass,
            pages: options.pages,
            fused_s: median(0),
            copy_s: median(1),
            composed_s: median(2),
            naive_s: median(3),
            torch_eager_s: median(4),
            torch_compile_s: median(5),
            launches,
            bytes_per_s: median(0).map(|s| (self.numbers(pass) * options.dtype.size()) as f64 / s),
            ratios: Ratios {
                over_copy: times.ratio(0, 1),
                composed: times.ratio(2, 0),
                naive: times.ratio(3, 0),
                torch_eager: times.ratio(4, 0),
                torch_compile: times.ratio(5, 0),
            },
        })
    }

    /// Numbers that must move in a pass.
    fn numbers(&self, pass: Pass) -> usize {
        let traffic = self.operator.traffic(pass);
        (traffic.reads + traffic.writes) * self.shape[0] * self.shape[1]
    }

    /// Kernels that a run of the fused and of the composed side launches.
    #[cfg(feature = "wgpu")]
    fn launches(&self, sides: &mut [Option<crate::timing::Side>; 6]) -> Result<[Option<usize>; 2]> {
        if self.options.device != Backend::Wgpu {
            return Ok([None; 2]);
        }
        let [fused, _, composed, ..] = sides;
        Ok([
            crate::gpu::launches(fused)?,
            crate::gpu::launches(composed)?,
        ])
    }

    /// There is no GPU.
    #[cfg(not(feature = "wgpu"))]
    fn launches(&self, _: &mut [Option<crate::timing::Side>; 6]) -> Result<[Option<usize>; 2]> {
        Ok([None; 2])
    }

    fn torch_side(
        &self,
        pass: Pass,
        compile: bool,
    ) -> Result<Option<crate::timing::Side<'static>>> {
        let wanted = pass != Pass::Backward && !(compile && self.options.torch_eager);
        let Some(torch) = self.torch.filter(|_| wanted) else {
            return Ok(None);
        };
        let Operator { name, case, .. } = self.operator;
        // What stands beside the logits: nothing, so many numbers for each logit, or one for each row.
        let beside = case.inputs.get(1).map_or(0, |input| match input.kind {
            Kind::Classes(_) => self.shape[1],
            Kind::Features(count) => self.shape[1] * count,
            Kind::PerRow => 1,
            Kind::Coordinates | Kind::Indices(_) => 0,
        });
        let learns = |i: usize| {
            let input = case.inputs.get(i);
            input.is_some_and(|input| input.gradient == Gradient::Learned)
        };
        torch.side(&json!({
            "op": name,
            "pass": pass,
            "shape": self.shape,
            "dtype": self.options.dtype,
            "compile": compile,
            "unit": case.inputs[0].kind == Kind::Classes(Domain::Unit),
            "beside": beside,
            "learns": [learns(0), learns(1)],
        }))
    }
}

fn line(record: &Record) -> String {
    let time =
        |seconds: Option<f64>| seconds.map_or("–".to_owned(), |s| format!("{:.4}", s * 1e3));
    let ratio = |ratio: Option<crate::timing::Spread>| {
        ratio.map_or("–".to_owned(), |ratio| ratio.to_string())
    };
    let launches = match record.launches {
        [None, None] => "–".to_owned(),
        launches => launches
            .map(|n| n.map_or("–".to_owned(), |n| n.to_string()))
            .join(" / "),
    };
    let speed = record
        .bytes_per_s
        .map_or("–".to_owned(), |b| format!("{:.2}", b / 1e9));
    format!(
        "| {} | {}×{} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {speed} | {launches} |",
        record.op,
        record.shape[0],
        record.shape[1],
        name(&record.pass).replace('_', " + "),
        time(record.fused_s),
        time(record.copy_s),
        time(record.composed_s),
        time(record.naive_s),
        time(record.torch_eager_s),
        time(record.torch_compile_s),
        ratio(record.ratios.over_copy),
        ratio(record.ratios.composed),
        ratio(record.ratios.torch_eager),
        ratio(record.ratios.torch_compile)
    )
}
