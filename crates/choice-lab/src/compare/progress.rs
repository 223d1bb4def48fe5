//! How far a comparison is, on stderr: a bar on a terminal, else a line now and then.

use anyhow::Result;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use std::io::{Write, stderr};

pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Begins with the runs that were done before, which are `kept` somewhere.
    pub(crate) fn new(total: usize, done: usize, kept: bool) -> Result<Self> {
        let style = "[{bar:30}] {pos} of {len} runs, {eta} left";
        let bar = ProgressBar::new(total as u64)
            .with_position(done as u64)
            .with_style(ProgressStyle::with_template(style)?.progress_chars("#>-"));
        // A closed stderr must not stop the runs, here and below.
        if kept && done > 0 {
            let _ = writeln!(stderr(), "{done} of {total} runs were done before");
        }
        if kept && !bar.is_hidden() {
            let _ = writeln!(
                stderr(),
                "Ctrl-C stops; the same command with --resume goes on"
            );
        }
        bar.tick();
        Ok(Self { bar })
    }

    pub(crate) fn advance(&self) {
        self.bar.inc(1);
        let (done, total) = (self.bar.position(), self.bar.length().unwrap_or(0));
        if done == total {
            self.bar.finish_and_clear();
        }
        if done == total || self.bar.is_hidden() && worth_a_line(done, total) {
            let time = match done == total {
                true => format!("in {}", HumanDuration(self.bar.elapsed())),
                false => format!("{} left", HumanDuration(self.bar.eta())),
            };
            let _ = writeln!(stderr(), "{done} of {total} runs, {time}");
        }
    }
}

/// Whether a tenth of the runs is full.
fn worth_a_line(done: u64, total: u64) -> bool {
    10 * done / total > 10 * (done - 1) / total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenth_gets_a_line() {
        assert_eq!((6..=25).filter(|&done| worth_a_line(done, 25)).count(), 8);
    }
}
