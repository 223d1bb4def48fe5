//! What the fields of a column are, by all of its rows.

use crate::data::field::Field;
use crate::data::number_file::NumberFile;
use csv::Position;
use std::collections::HashSet;

/// What pandas calls a column without a name.
const UNNAMED: &str = "Unnamed: ";

/// What is known of a column by the rows so far.
pub struct Column {
    numbers: usize,
    texts: usize,
    /// The first field that is no number.
    pub wrong: Option<Wrong>,
    /// The numbers so far, of a column that may count the rows and does so far.
    index: Option<HashSet<u64>>,
}

/// A field that is no number.
pub struct Wrong {
    /// Where its row is.
    pub place: Option<Position>,
    /// What it says.
    pub text: String,
}

impl Wrong {
    /// The place in the file.
    pub fn byte(&self) -> u64 {
        self.place.as_ref().map_or(0, Position::byte)
    }
}

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Numbers, or what is meant as numbers.
    Numbers,
    /// Text; so many fields of so many are numbers.
    Text {
        /// Numbers among them.
        numbers: usize,
        /// All fields that are not empty.
        fields: usize,
    },
    /// The numbers of the rows, which a data frame writes as its first column.
    Index,
    /// Nothing in any row.
    Empty,
}

impl Kind {
    /// Whether there is anything in it to learn from, or to pass over by its name.
    pub fn is_data(self) -> bool {
        matches!(self, Self::Numbers | Self::Text { .. })
    }

    /// What is said of a column that is passed over; nothing of one with neither name nor data.
    pub fn passed_over(self, place: usize, name: &str) -> Option<String> {
        let reason = match self {
            Self::Text { numbers: 0, .. } => return Some(name.to_owned()),
            Self::Text { numbers, fields } => format!("text, but for {numbers} of {fields} fields"),
            Self::Index => "it numbers the rows".to_owned(),
            Self::Empty => "empty".to_owned(),
            Self::Numbers => return None,
        };
        match (name, self) {
            ("", Self::Empty) => None,
            ("", _) => Some(format!("column {} ({reason})", place + 1)),
            _ => Some(format!("{name} ({reason})")),
        }
    }
}

impl Column {
    /// A column of this name, at this place.
    pub fn new(place: usize, name: &str) -> Self {
        let may_count = (place == 0 && name.is_empty()) || name.starts_with(UNNAMED);
        Self {
            numbers: 0,
            texts: 0,
            wrong: None,
            index: may_count.then(HashSet::new),
        }
    }

    /// Takes the field of a file's current row; `NaN` where it is no number.
    pub fn add(&mut self, file: &NumberFile, place: usize) -> f64 {
        let number = match file.field(place) {
            Field::Number(number) => {
                self.numbers += 1;
                number
            }
            other => {
                self.numbers += usize::from(other == Field::Doubtful);
                self.texts += usize::from(other == Field::Text);
                self.wrong.get_or_insert_with(|| Wrong {
                    place: file.place().cloned(),
                    text: file.text(place).to_owned(),
                });
                f64::NAN
            }
        };
        let seen = self.index.as_mut();
        if seen.is_some_and(|seen| number.fract() != 0.0 || !seen.insert(number.to_bits())) {
            self.index = None;
        }
        number
    }

    /// What the column is: numbers, if most of what is in it is meant as such.
    pub fn kind(&self) -> Kind {
        let Self { numbers, texts, .. } = *self;
        if self.index.is_some() {
            Kind::Index
        } else if numbers + texts == 0 {
            Kind::Empty
        } else if numbers > texts {
            Kind::Numbers
        } else {
            Kind::Text {
                numbers,
                fields: numbers + texts,
            }
        }
    }
}
