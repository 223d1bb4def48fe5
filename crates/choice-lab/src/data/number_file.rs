//! CSV files of numbers, read row by row, with errors that name line and column.

use crate::data::watch::Watched;
use anyhow::{Context, Error, Result, anyhow, bail};
use csv::{Position, Reader, ReaderBuilder, StringRecord};
use std::fmt::Display;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Bytes asked for at once.
const BUFFER: usize = 1 << 16;

/// A CSV file with a header line, and its current row.
pub struct NumberFile {
    path: PathBuf,
    reader: Reader<Watched<File>>,
    names: Vec<String>,
    row: StringRecord,
}

impl NumberFile {
    /// Opens a file and reads its header; `wanted` says what must stand there.
    pub fn open(path: &Path, wanted: &str) -> Result<Self> {
        let name = path.display();
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        let bytes = file.metadata().map_or(0, |metadata| metadata.len());
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .buffer_capacity(BUFFER)
            .from_reader(Watched::new(file, name.to_string(), bytes));
        let mut file = Self {
            path: path.to_owned(),
            reader,
            names: Vec::new(),
            row: StringRecord::new(),
        };
        if !file.read()? {
            bail!("{name}: line 1: the file is empty; a header {wanted} is needed");
        }
        let header = file.row.iter().enumerate();
        file.names = header
            .map(|(column, field)| match column {
                0 => field.trim_start_matches('\u{feff}').to_owned(),
                _ => field.to_owned(),
            })
            .collect();
        Ok(file)
    }

    /// The header's fields.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of a column: under exactly this name, else under one that differs in case only.
    pub fn column(&self, name: &str) -> Result<usize> {
        let places = |same: &dyn Fn(&str) -> bool| -> Vec<usize> {
            let names = self.names.iter().enumerate();
            names
                .filter_map(|(place, name)| same(name).then_some(place))
                .collect()
        };
        let mut found = places(&|other| other == name);
        if found.is_empty() {
            found = places(&|other| other.eq_ignore_ascii_case(name));
        }
        match found[..] {
            [] => Err(self.failed(format!("the header has no column {name}"))),
            [column] => Ok(column),
            [..] => Err(self.failed(format!("the header names {name} twice"))),
        }
    }

    /// Goes to the next row; `false` if there is none.
    pub fn advance(&mut self) -> Result<bool> {
        let more = self.read()?;
        let (fields, names) = (self.row.len(), self.names.len());
        if more && fields != names {
            return Err(self.failed(format!("{fields} fields, the header has {names}")));
        }
        Ok(more)
    }

    /// A field of the current row.
    pub fn text(&self, column: usize) -> &str {
        &self.row[column]
    }

    /// A field of the current row as a number.
    pub fn number(&self, column: usize) -> Result<f32> {
        let text = self.text(column);
        match text.parse::<f32>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => {
                let name = &self.names[column];
                Err(self.failed(format!("'{text}' in column {name} is not a finite number")))
            }
        }
    }

    /// An error about the current row.
    pub fn failed(&self, problem: String) -> Error {
        self.error(self.row.position(), &problem)
    }

    fn error(&self, place: Option<&Position>, problem: &dyn Display) -> Error {
        let file = self.path.display();
        match place {
            Some(start) => anyhow!("{file}: line {}: {problem}", self.line(start)),
            None => anyhow!("cannot read {file}: {problem}"),
        }
    }

    fn read(&mut self) -> Result<bool> {
        self.reader
            .read_record(&mut self.row)
            .map_err(|error| self.error(error.position(), &error))
    }

    /// The line that a record begins in. The reader counts the blank lines before a record as part of it, so the file is
    /// read again up to there, which only an error costs; a pipe cannot be.
    fn line(&self, start: &Position) -> u64 {
        if !self.path.is_file() {
            return start.line();
        }
        File::open(&self.path)
            .and_then(|file| count(BufReader::new(file), start.byte()))
            .unwrap_or(start.line())
    }
}

/// The line of the first byte that is not white space, from a place in the text on.
fn count(text: impl BufRead, start: u64) -> std::io::Result<u64> {
    let mut line = 1;
    for (place, byte) in (0_u64..).zip(text.bytes()) {
        let byte = byte?;
        if place >= start && !byte.is_ascii_whitespace() {
            break;
        }
        line += u64::from(byte == b'\n');
    }
    Ok(line)
}
