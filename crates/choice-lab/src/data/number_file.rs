//! CSV files of numbers, read row by row, with errors that name line and column.

use crate::data::field::Field;
use crate::data::separator::Head;
use crate::data::watch::{TOO_LONG, Watched};
use anyhow::{Context, Error, Result, anyhow, bail};
use csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord};
use std::fmt::Display;
use std::fs::File;
use std::io::{BufRead, BufReader, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

/// Bytes asked for at once.
const BUFFER: usize = 1 << 16;
/// Names of a header that an error lists.
const LISTED: usize = 12;

/// The header line, which was read before, and the rest.
type Input = Chain<Cursor<Vec<u8>>, BufReader<Watched<File>>>;

/// A CSV file with a header line, and its current row.
pub struct NumberFile {
    path: PathBuf,
    reader: Reader<Input>,
    separator: u8,
    /// Bytes before the header.
    passed_over: u64,
    names: Vec<String>,
    row: StringRecord,
    /// A row without a field in it, which is none if no other follows.
    blank: Option<StringRecord>,
}

impl NumberFile {
    /// Opens a file and reads its header; `wanted` says what must stand there.
    pub fn open(path: &Path, wanted: &str) -> Result<Self> {
        let name = path.display();
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        let bytes = file.metadata().map_or(0, |metadata| metadata.len());
        let watched = Watched::new(file, name.to_string(), bytes);
        let mut input = BufReader::with_capacity(BUFFER, watched);
        let Head {
            separator,
            passed_over,
            header,
        } = Head::read(&mut input).with_context(|| format!("cannot read {name}: line 1"))?;
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .trim(csv::Trim::All)
            .buffer_capacity(BUFFER)
            .from_reader(Cursor::new(header).chain(input));
        let mut file = Self {
            path: path.to_owned(),
            reader,
            separator,
            passed_over,
            names: Vec::new(),
            row: StringRecord::new(),
            blank: None,
        };
        let blank = |row: &StringRecord| row.iter().all(str::is_empty);
        let mut found = file.read()?;
        while found && blank(&file.row) {
            found = file.read()?;
        }
        if !found {
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
            [] => {
                let mut names: Vec<_> = self.names.iter().map(String::as_str).collect();
                if names.len() > LISTED {
                    names.truncate(LISTED);
                    names.push("…");
                }
                let names = names.join(", ");
                Err(self.failed(format!("the header has no column {name}: it has {names}")))
            }
            [column] => Ok(column),
            [..] => Err(self.failed(format!("the header names {name} twice"))),
        }
    }

    /// Goes to the next row; `false` if there is none. Rows without anything in them may follow the last.
    pub fn advance(&mut self) -> Result<bool> {
        while self.read()? {
            let names = self.names.len();
            if self.row.iter().all(str::is_empty) {
                // A line of blanks is no row, but one of commas is, and a blank may be the only field.
                if self.blank.is_none() && (self.row.len() > 1 || names == 1) {
                    self.blank = Some(self.row.clone());
                }
                continue;
            }
            if let Some(blank) = self.blank.take() {
                self.row = blank;
                return Err(self.failed("a row without any number or text".to_owned()));
            }
            let fields = self.row.len();
            if fields != names {
                return Err(self.failed(format!("{fields} fields, the header has {names}")));
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// A field of the current row.
    pub fn text(&self, column: usize) -> &str {
        &self.row[column]
    }

    /// What a field of the current row says.
    pub fn field(&self, column: usize) -> Field {
        Field::read(self.text(column), self.separator)
    }

    /// A field of the current row as a number.
    pub fn number(&self, column: usize) -> Result<f64> {
        match self.field(column) {
            Field::Number(number) => Ok(number),
            _ => Err(self.no_number(self.place(), column, self.text(column))),
        }
    }

    /// Where the current row is.
    pub fn place(&self) -> Option<&Position> {
        self.row.position()
    }

    /// The error that a field at a place is no number.
    pub fn no_number(&self, place: Option<&Position>, column: usize, text: &str) -> Error {
        let name = &self.names[column];
        let hint = match Field::read(text, self.separator) {
            Field::Missing => ": leave such rows out, or fill them in",
            Field::Doubtful if text.contains(',') => {
                ": write it with a decimal point and without separators"
            }
            Field::Doubtful | Field::Text | Field::Number(_) => "",
        };
        let problem = format!("'{text}' in column {name} is not a finite number{hint}");
        self.error(place, &problem)
    }

    /// An error about the current row.
    pub fn failed(&self, problem: String) -> Error {
        self.error(self.row.position(), &problem)
    }

    /// The fingerprint of the file, all of which has been read.
    pub fn fingerprint(self) -> String {
        let (_, rest) = self.reader.into_inner().into_inner();
        rest.into_inner().fingerprint()
    }

    /// An error about a place in the file.
    pub fn error(&self, place: Option<&Position>, problem: &dyn Display) -> Error {
        let file = self.path.display();
        match place {
            Some(start) => anyhow!("{file}: line {}: {problem}", self.line(start)),
            None => anyhow!("cannot read {file}: {problem}"),
        }
    }

    fn read(&mut self) -> Result<bool> {
        let (_, rest) = self.reader.get_mut().get_mut();
        rest.get_mut().begin_line();
        let place = self.reader.position().clone();
        self.reader.read_record(&mut self.row).map_err(|error| {
            let unending = |error: &csv::Error| {
                matches!(error.kind(), ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::InvalidData)
            };
            match unending(&error) {
                true => self.error(Some(&place), &TOO_LONG),
                false => self.error(error.position(), &error),
            }
        })
    }

    /// The line that a record begins in. The reader counts the blank lines before a record as part of it, so the file is
    /// read again up to there, which only an error costs; a pipe cannot be.
    fn line(&self, start: &Position) -> u64 {
        let estimate = start.line() + u64::from(self.passed_over > 0);
        if !self.path.is_file() {
            return estimate;
        }
        File::open(&self.path)
            .and_then(|file| count(BufReader::new(file), start.byte() + self.passed_over))
            .unwrap_or(estimate)
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
