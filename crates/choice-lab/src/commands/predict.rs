//! The `predict` command: the hard choice of a saved network for the rows of a CSV file.

use crate::data::choices::{Choice, choices};
use crate::data::table;
use crate::models::folder;
use crate::models::model::Model;
use crate::place::backend::Backend;
use crate::store::replace::replace;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{BufWriter, stdout};
use std::path::PathBuf;

/// Write chosen class, its probability and its value for the rows of a CSV file
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: choice-lab predict --model runs/mine --input runs/mine/test.csv")]
pub struct Args {
    /// Folder that `train` or `import` has saved
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// CSV file with a header and the columns trained on, else x1, x2, …; other columns are passed over
    #[arg(long, value_name = "FILE.csv")]
    input: PathBuf,
    /// CSV file to write [default: stdout]
    #[arg(long, value_name = "FILE.csv")]
    output: Option<PathBuf>,
    /// Replace an existing output file
    #[arg(long)]
    force: bool,
    /// Where to run [default: where the model was trained]
    #[arg(long, value_enum)]
    backend: Option<Backend>,
}

impl Args {
    /// Reads model and rows, chooses, writes the choices.
    pub fn run(&self) -> Result<()> {
        let model = Model::load(&self.model)?;
        let device = self.backend.unwrap_or(model.backend).device()?;
        let network = folder::load_network(&self.model, model.network, &device)?;
        let rows = table::read_inputs(&self.input, &model.names())?;
        if let Some(output) = &self.output
            && !self.force
            && output.exists()
        {
            bail!(
                "{} exists; pass --force to replace it, or choose another --output",
                output.display()
            );
        }
        let choices = choices(&network, &model.rescaled(&rows), model.scaling, &device)?;
        let finite = |choice: &Choice| choice.value.is_finite() && choice.probability.is_finite();
        if let Some(row) = choices.iter().position(|choice| !finite(choice)) {
            bail!(
                "{}: row {} below the header is so far from what the network has learnt that its value is not finite",
                self.input.display(),
                row + 1
            );
        }
        match &self.output {
            None => table::write_choices(BufWriter::new(stdout().lock()), &choices),
            Some(output) => replace(output, |draft| {
                table::write_choices(File::create(draft)?, &choices)
            })
            .with_context(|| format!("cannot write {}", output.display())),
        }
    }
}
