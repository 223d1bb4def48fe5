//! What separates the fields of a table: a comma, or what its first line says.

use anyhow::{Result, bail, ensure};
use std::io::{BufRead, Read};

/// In the order in which they are preferred.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The beginning of a table.
pub struct Head {
    /// The separator of its fields.
    pub separator: u8,
    /// Bytes of a line `sep=` before the header, which only names the separator.
    pub passed_over: u64,
    /// The header line, with its end.
    pub header: Vec<u8>,
}

impl Head {
    /// Reads up to the end of the header line.
    pub fn read(input: &mut impl BufRead) -> Result<Self> {
        let mut first = line(input)?;
        while first.trim_ascii().is_empty() {
            let next = line(input)?;
            if next.is_empty() {
                break;
            }
            first.extend(next);
        }
        ensure!(
            !first.starts_with(b"\xff\xfe") && !first.starts_with(b"\xfe\xff"),
            "the file is in UTF-16: save it in UTF-8"
        );
        let Some(named) = named(&first) else {
            let separator = most_frequent(&first);
            return Ok(Self {
                separator,
                passed_over: 0,
                header: first,
            });
        };
        let [separator] = *named else {
            bail!("the line 'sep=' names no single character");
        };
        ensure!(
            separator.is_ascii() && !b"\"\r\n".contains(&separator),
            "the line 'sep=' names no separator"
        );
        let header = line(input)?;
        Ok(Self {
            separator,
            passed_over: first.len() as u64,
            header,
        })
    }
}

/// A line with its end, which may be any system's.
fn line(input: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    for byte in input.by_ref().bytes() {
        let byte = byte?;
        line.push(byte);
        if byte == b'\n' || byte == b'\r' {
            break;
        }
    }
    if line.ends_with(b"\r") && input.fill_buf().is_ok_and(|rest| rest.starts_with(b"\n")) {
        input.consume(1);
        line.push(b'\n');
    }
    Ok(line)
}

/// What a line `sep=` names, as Excel reads it; `None` for another line.
fn named(line: &[u8]) -> Option<&[u8]> {
    let mut text = line.strip_prefix(MARK).unwrap_or(line);
    while let Some((b'\r' | b'\n', rest)) = text.split_last() {
        text = rest;
    }
    if let Some(inner) = text
        .strip_prefix(b"\"")
        .and_then(|text| text.strip_suffix(b"\""))
    {
        text = inner;
    }
    let (key, value) = text.split_at_checked(4)?;
    key.eq_ignore_ascii_case(b"sep=").then_some(value)
}

/// The separator that a header has most of, outside of quotes.
fn most_frequent(header: &[u8]) -> u8 {
    let count = |separator: u8| {
        let mut quoted = false;
        let found = header.iter().filter(|byte| {
            quoted ^= **byte == b'"';
            !quoted && **byte == separator
        });
        found.count()
    };
    // Of equal ones the last is taken.
    let candidates = SEPARATORS.into_iter().rev();
    candidates
        .max_by_key(|&separator| count(separator))
        .unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Head> {
        Head::read(&mut text.as_bytes())
    }

    #[test]
    fn the_header_tells_the_separator() {
        for (text, separator) in [
            ("a,b\n", b','),
            ("a;b;c\n", b';'),
            ("a\tb\r\n", b'\t'),
            ("a|b", b'|'),
            ("alone\n", b','),
            ("\"a,b,c\";d\n", b';'),
            ("\"a;b;c\",d\n", b','),
            ("Length, cm;Width, cm;Height;y\n", b';'),
        ] {
            let found = head(text).expect("a header");
            assert_eq!(found.separator, separator, "{text}");
            assert_eq!(found.header, text.as_bytes());
        }
    }

    #[test]
    fn a_line_may_name_it() {
        for (text, separator) in [
            ("sep=;\na,b;c\n", b';'),
            ("\u{feff}\"SEP=,\"\r\na,b;c\n", b','),
            ("sep=\t\na,b\n", b'\t'),
        ] {
            let found = head(text).expect("a header");
            assert_eq!(found.separator, separator, "{text}");
            assert!(found.header.starts_with(b"a,b"), "{text}");
            assert_eq!(found.passed_over as usize + found.header.len(), text.len());
        }
        assert!(head("sep=\na,b\n").is_err());
        assert!(head("sep=;;\na,b\n").is_err());
    }
}
