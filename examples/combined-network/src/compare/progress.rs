//! How far a comparison is, on stderr: a bar on a terminal, else a line now and then.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

const WIDTH: usize = 30;

pub(super) struct Progress {
    total: usize,
    /// Done before this process.
    before: usize,
    done: usize,
    start: Instant,
    bar: bool,
}

impl Progress {
    pub(super) fn new(total: usize, done: usize, kept: bool) -> Self {
        let bar = stderr().is_terminal();
        if kept && done > 0 {
            let _ = writeln!(stderr(), "{done} of {total} runs were done before");
        }
        if kept && bar {
            let _ = writeln!(
                stderr(),
                "Ctrl-C stops; the same command with --resume goes on"
            );
        }
        let progress = Self {
            total,
            before: done,
            done,
            start: Instant::now(),
            bar,
        };
        progress.show();
        progress
    }

    pub(super) fn advance(&mut self) {
        self.done += 1;
        self.show();
    }

    fn show(&self) {
        let text = self.text();
        // A closed stderr must not stop the runs.
        let _ = if self.bar {
            let filled = WIDTH * self.done / self.total.max(1);
            let bar = "#".repeat(filled) + &"-".repeat(WIDTH - filled);
            let end = if self.done == self.total { "\n" } else { "" };
            write!(stderr(), "\r\x1b[2K[{bar}] {text}{end}")
        } else if self.worth_a_line() {
            writeln!(stderr(), "{text}")
        } else {
            Ok(())
        };
    }

    /// At every tenth of the runs.
    fn worth_a_line(&self) -> bool {
        let tenth = |done: usize| 10 * done / self.total.max(1);
        self.done > self.before && tenth(self.done) > tenth(self.done - 1)
    }

    fn text(&self) -> String {
        let now = self.done - self.before;
        let left = match (now, self.total - self.done) {
            (_, 0) => format!("in {}", short(self.start.elapsed())),
            (0, _) => "time left unknown".to_owned(),
            (now, left) => {
                let each = self.start.elapsed().div_f64(now as f64);
                format!("{} left", short(each.mul_f64(left as f64)))
            }
        };
        format!("{} of {} runs, {left}", self.done, self.total)
    }
}

fn short(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let text = |seconds| short(Duration::from_secs(seconds));
        assert_eq!(text(59), "59 s");
        assert_eq!(text(61), "1 min 1 s");
        assert_eq!(text(7320), "2 h 2 min");
    }

    #[test]
    fn every_tenth_gets_a_line() {
        let mut progress = Progress {
            total: 25,
            before: 5,
            done: 5,
            start: Instant::now(),
            bar: false,
        };
        let mut lines = 0;
        for done in 6..=25 {
            progress.done = done;
            lines += usize::from(progress.worth_a_line());
        }
        assert_eq!(lines, 8);
        assert!(progress.text().starts_with("25 of 25 runs, in "));
    }
}
