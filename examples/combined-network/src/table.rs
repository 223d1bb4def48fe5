//! CSV files: inputs to read, test rows and choices to write.

use crate::data::Rows;
use crate::network::Choice;
use anyhow::{Context, Result, anyhow, bail};
use csv::{Position, ReaderBuilder, StringRecord, Writer};
use std::fs;
use std::io::Write;
use std::path::Path;

/// Reads the columns `x1`, `x2`, … of a CSV file with a header line; other columns, such as `y`, are passed over.
///
/// # Errors
///
/// With the line's number, if the file is not such a table.
pub fn read_inputs(path: &Path, features: usize) -> Result<Rows> {
    let file = path.display();
    let text = fs::read(path).with_context(|| format!("cannot read {file}"))?;
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_slice());
    let line_of = |position: Option<&Position>| position.map_or(0, |start| line(&text, start));
    let mut header: Option<(StringRecord, Vec<usize>)> = None;
    let mut rows = Rows {
        features,
        ..Rows::default()
    };
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = line_of(error.position());
            anyhow!("{file}: line {line}: {error}")
        })?;
        let line = line_of(record.position());
        match &header {
            None => {
                let columns = find_columns(&record, features)
                    .map_err(|error| anyhow!("{file}: line {line}: {error}"))?;
                header = Some((record, columns));
            }
            Some((names, columns)) => {
                if record.len() != names.len() {
                    bail!(
                        "{file}: line {line}: {} fields, the header has {}",
                        record.len(),
                        names.len()
                    );
                }
                for &column in columns {
                    let text = &record[column];
                    match text.parse::<f32>() {
                        Ok(number) if number.is_finite() => rows.inputs.push(number),
                        _ => bail!(
                            "{file}: line {line}: '{text}' in column {} is not a finite number",
                            &names[column]
                        ),
                    }
                }
            }
        }
    }
    if header.is_none() {
        bail!(
            "{file}: line 1: the file is empty; a header {} is needed",
            wanted(features)
        );
    }
    Ok(rows)
}

/// The line that a record begins in: the reader counts the blank lines before a record as part of it.
fn line(text: &[u8], start: &Position) -> u64 {
    let rest = text.get(start.byte() as usize..).unwrap_or_default();
    let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace());
    start.line() + blank.filter(|byte| **byte == b'\n').count() as u64
}

/// The places of `x1`, `x2`, … in a header.
fn find_columns(header: &StringRecord, features: usize) -> Result<Vec<usize>> {
    (1..=features)
        .map(|feature| {
            let wanted_name = format!("x{feature}");
            let name = |field: &str| {
                field
                    .trim_start_matches('\u{feff}')
                    .eq_ignore_ascii_case(&wanted_name)
            };
            header.iter().position(name).ok_or_else(|| {
                anyhow!(
                    "the header has no column {wanted_name}; the model takes {}",
                    wanted(features)
                )
            })
        })
        .collect()
}

fn wanted(features: usize) -> String {
    (1..=features)
        .map(|feature| format!("x{feature}"))
        .collect::<Vec<_>>()
        .join(",")
}

/// Writes rows with the header `x1,…,y`.
///
/// # Errors
///
/// If the file cannot be written.
pub fn write_rows(path: &Path, rows: &Rows) -> Result<()> {
    let mut writer = Writer::from_path(path)?;
    writer.write_record(
        (1..=rows.features)
            .map(|feature| format!("x{feature}"))
            .chain(["y".to_owned()]),
    )?;
    for row in 0..rows.len() {
        let numbers = rows.input(row).iter().chain([&rows.targets[row]]);
        writer.write_record(numbers.map(f32::to_string))?;
    }
    writer.flush()?;
    Ok(())
}

/// Writes choices with the header `class,probability,value`; classes count from 0.
///
/// # Errors
///
/// If `out` cannot be written.
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
