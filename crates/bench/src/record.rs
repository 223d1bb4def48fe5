//! The measurements as JSON: an array of objects, one for each cell.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::{
    device::{Backend, Dtype, Pass},
    pages::Pages,
    timing::Spread,
};

/// One cell of the table. Seconds are medians, `null` where a side was not measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The operator.
    pub op: String,
    /// The backend of the fused and the composed side.
    pub device: Backend,
    /// Rows and classes.
    pub shape: [usize; 2],
    /// The numbers.
    pub dtype: Dtype,
    /// Threads of every side.
    pub threads: usize,
    /// The part of the operator.
    pub pass: Pass,
    /// What became of freed memory.
    pub pages: Pages,
    /// This library.
    pub fused_s: Option<f64>,
    /// Burn's operations.
    pub composed_s: Option<f64>,
    /// A copy of the bytes that must move.
    pub copy_s: Option<f64>,
    /// A plain loop.
    pub naive_s: Option<f64>,
    /// PyTorch, eager.
    pub torch_eager_s: Option<f64>,
    /// PyTorch, compiled.
    pub torch_compile_s: Option<f64>,
    /// Kernels that a run launches, fused and composed; on a GPU only.
    #[serde(default)]
    pub launches: [Option<usize>; 2],
    /// Bytes that must move, over the fused side's time.
    #[serde(default)]
    pub bytes_per_s: Option<f64>,
    /// Ratios taken within each round, over the fused side; `over_copy` is the fused side over the copy.
    pub ratios: Ratios,
}

/// Quartiles of ratios.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Ratios {
    /// Fused over copy.
    pub over_copy: Option<Spread>,
    /// Composed over fused.
    pub composed: Option<Spread>,
    /// Naive over fused.
    pub naive: Option<Spread>,
    /// Eager over fused.
    pub torch_eager: Option<Spread>,
    /// Compiled over fused.
    pub torch_compile: Option<Spread>,
}

impl Record {
    fn is_same_cell(&self, other: &Self) -> bool {
        let key = |record: &Self| {
            let Self {
                device,
                shape,
                dtype,
                threads,
                pass,
                pages,
                ..
            } = *record;
            (device, shape, dtype, threads, pass, pages)
        };
        self.op == other.op && key(self) == key(other)
    }
}

/// Reads a file of measurements; one that is not there holds none.
pub fn read(path: &Path) -> Result<Vec<Record>> {
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| path.display().to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// Adds cells to a file; a cell that was there is replaced.
pub fn merge(path: &Path, cells: &[Record]) -> Result<()> {
    let mut all = read(path)?;
    all.retain(|old| !cells.iter().any(|cell| cell.is_same_cell(old)));
    all.extend_from_slice(cells);
    let text = serde_json::to_string_pretty(&all)?;
    fs::write(path, text + "\n").with_context(|| path.display().to_string())
}
