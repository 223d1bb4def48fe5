//! A reader that says how far it is when a file takes long, knows what it has read, and stops at a line without end.

use crate::store::fingerprint;
use sha2::{Digest, Sha256};
use std::io::{Error, ErrorKind, Read, Result, Write, stderr};
use std::time::{Duration, Instant};

/// Time between two lines.
const EVERY: Duration = Duration::from_secs(1);
/// Bytes of the longest line.
pub const LONGEST: u64 = 1 << 20;
/// What is said of a longer one.
pub const TOO_LONG: &str =
    "the line is longer than 1 MiB; is a quote not closed, or is this no table?";

/// Passes bytes on, and writes one line a second about them, the first after a second.
pub struct Watched<R, W = std::io::Stderr> {
    input: R,
    name: String,
    total: u64,
    read: u64,
    /// Bytes read when the line began, the buffered ones included.
    line: u64,
    hash: Sha256,
    every: Duration,
    last: Instant,
    out: W,
}

impl<R: Read> Watched<R> {
    /// Reports on stderr. `total` is the number of bytes that are expected, 0 if that is not known.
    pub fn new(input: R, name: String, total: u64) -> Self {
        Self {
            input,
            name,
            total,
            read: 0,
            line: 0,
            hash: Sha256::new(),
            every: EVERY,
            last: Instant::now(),
            out: stderr(),
        }
    }

    /// Another line begins.
    pub fn begin_line(&mut self) {
        self.line = self.read;
    }

    /// The fingerprint of all that was read.
    pub fn fingerprint(self) -> String {
        fingerprint::text(self.hash)
    }
}

impl<R: Read, W: Write> Read for Watched<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.read - self.line > LONGEST {
            return Err(Error::new(ErrorKind::InvalidData, TOO_LONG));
        }
        let count = self.input.read(buffer)?;
        self.read += count as u64;
        self.hash.update(&buffer[..count]);
        if self.last.elapsed() >= self.every {
            self.last = Instant::now();
            let mebibytes = self.read as f64 / f64::from(1 << 20);
            let share = match self.total {
                0 => String::new(),
                total => format!(", {:.0} %", 100.0 * self.read as f64 / total as f64),
            };
            // A closed pipe must not stop the reading.
            let _ = writeln!(self.out, "reading {}: {mebibytes:.0} MiB{share}", self.name);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_say_how_far_it_is() {
        let bytes = vec![b'x'; 3 << 20];
        let mut lines = Vec::new();
        let mut watched = Watched {
            input: bytes.as_slice(),
            name: "rows.csv".to_owned(),
            total: 4 << 20,
            read: 0,
            line: 0,
            hash: Sha256::new(),
            every: Duration::ZERO,
            last: Instant::now(),
            out: &mut lines,
        };
        let mut buffer = vec![0; 1 << 20];
        for _ in 0..2 {
            watched.line = watched.read;
            watched.read_exact(&mut buffer).expect("bytes");
        }
        assert_eq!(
            String::from_utf8(lines).expect("UTF-8"),
            "reading rows.csv: 1 MiB, 25 %\nreading rows.csv: 2 MiB, 50 %\n"
        );
    }
}
