//! CSV files: inputs to read, test rows and choices to write.

use crate::data::choices::Choice;
use crate::data::number_file::NumberFile;
use crate::data::samples::Samples;
use anyhow::{Result, anyhow};
use csv::Writer;
use std::io::Write;
use std::path::Path;

/// Reads these columns of a CSV file with a header line, whichever their order; other columns are passed over.
pub fn read_inputs(path: &Path, names: &[String]) -> Result<Samples> {
    let wanted = names.join(",");
    let mut file = NumberFile::open(path, &wanted)?;
    let columns: Vec<usize> = names
        .iter()
        .map(|name| file.column(name))
        .collect::<Result<_>>()
        .map_err(|error| anyhow!("{error}; the model takes {wanted}"))?;
    let mut rows = Samples {
        features: names.len(),
        ..Samples::default()
    };
    while file.advance()? {
        for &column in &columns {
            rows.inputs.push(file.number(column)?);
        }
    }
    Ok(rows)
}

/// The names of inputs that have none: `x1`, `x2`, …
pub fn numbered(features: usize) -> Vec<String> {
    (1..=features)
        .map(|feature| format!("x{feature}"))
        .collect()
}

/// Writes rows under the names of their inputs and of their target.
pub fn write_rows(path: &Path, inputs: &[String], target: &str, rows: &Samples) -> Result<()> {
    let mut writer = Writer::from_path(path)?;
    writer.write_record(inputs.iter().map(String::as_str).chain([target]))?;
    for (inputs, target) in rows.inputs.chunks(rows.features).zip(&rows.targets) {
        let numbers = inputs.iter().chain([target]);
        writer.write_record(numbers.map(f64::to_string))?;
    }
    writer.flush()?;
    Ok(())
}

/// Writes choices with the header `class,probability,value`; classes count from 0.
pub fn write_choices(out: impl Write, choices: &[Choice]) -> Result<()> {
    let mut writer = Writer::from_writer(out);
    writer
        .write_record(["class", "probability", "value"])
        .map_err(unwrap_io)?;
    for choice in choices {
        let row = [
            choice.class.to_string(),
            choice.probability.to_string(),
            choice.value.to_string(),
        ];
        writer.write_record(row).map_err(unwrap_io)?;
    }
    writer.flush()?;
    Ok(())
}

/// The I/O error inside a CSV error, so that a closed pipe is recognised as one.
fn unwrap_io(error: csv::Error) -> anyhow::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        kind => anyhow!("{kind:?}"),
    }
}
