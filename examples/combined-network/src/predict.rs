//! The `predict` command: the hard choice of a saved network for the rows of a CSV file.

use crate::cli::PredictArgs;
use crate::draft::sibling;
use crate::model::Model;
use crate::network::Choice;
use crate::{store, table};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::{BufWriter, stdout};
use std::path::Path;

/// Reads model and rows, chooses, writes the choices.
///
/// # Errors
///
/// If the model folder or the CSV file does not fit, or the output cannot be written. Nothing is written then.
pub fn predict(args: &PredictArgs) -> Result<()> {
    let model = Model::load(&args.model)?;
    let device = args.backend.unwrap_or(model.backend).device()?;
    let network = store::load_network(&args.model, model.network, &device)?;
    let rows = model.standardise(table::read_inputs(&args.input, &model.names())?);
    if let Some(output) = &args.output
        && !args.force
        && output.exists()
    {
        bail!(
            "{} exists; pass --force to replace it, or choose another --output",
            output.display()
        );
    }
    let choices = network.choose(&rows, model.scaling, &device)?;
    match &args.output {
        None => table::write_choices(BufWriter::new(stdout().lock()), &choices),
        Some(output) => write_file(output, &choices)
            .with_context(|| format!("cannot write {}", output.display())),
    }
}

/// Writes a hidden file first, which replaces `output` only when complete.
fn write_file(output: &Path, choices: &[Choice]) -> Result<()> {
    if output.is_dir() {
        bail!("it is a folder");
    }
    let draft = sibling(output, "new");
    let written = File::create(&draft)
        .map_err(Into::into)
        .and_then(|file| table::write_choices(BufWriter::new(file), choices))
        .and_then(|()| Ok(fs::rename(&draft, output)?));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}
