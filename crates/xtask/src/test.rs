//! The tests, whole or in part, with one summary over all of them.

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::{cargo::Cargo, driver};

/// A part of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The CPU row kernels, which compile in a minute
    Kernels,
    /// The library on Flex
    Flex,
    /// The library on Flex and ndarray
    Ndarray,
    /// The library on Flex and wgpu, on a GPU or a software Vulkan driver
    Wgpu,
    /// The examples in the documentation
    Doc,
    /// The example program on every backend
    Example,
}

/// Sums of the test runner's own result lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Summary {
    passed: usize,
    failed: usize,
}

impl Summary {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; …`; other lines count nothing.
    fn add(&mut self, line: &str) {
        let Some(result) = line.trim_start().strip_prefix("test result: ") else {
            return;
        };
        for part in result.split([';', '.']) {
            match part.trim().split_once(' ') {
                Some((count, "passed")) => self.passed += count.parse().unwrap_or(0),
                Some((count, "failed")) => self.failed += count.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
}

/// Runs the tests; ends with the summary line.
pub fn run(only: Option<Part>) -> Result<()> {
    if matches!(only, None | Some(Part::Wgpu | Part::Example)) {
        driver::ensure_vulkan();
    }
    if matches!(only, None | Some(Part::Example)) {
        driver::ensure_browser();
    }
    let mut summary = Summary::default();
    let mut finished = select(only)
        .args(["--no-fail-fast"])
        .observe(|line| summary.add(line))?;
    if matches!(only, None | Some(Part::Flex)) {
        finished &= validation(only).observe(|line| summary.add(line))?;
    }
    println!();
    println!("{} passed, {} failed", summary.passed, summary.failed);
    if !finished || summary.failed > 0 {
        bail!("the tests failed; the lines above say which");
    }
    Ok(())
}

fn select(only: Option<Part>) -> Cargo {
    let test = Cargo::new("test");
    let library = ["-p", "burn-relax", "-p", "burn-relax-tests"];
    match only {
        None => test.whole_workspace(),
        Some(Part::Kernels) => test.args(["-p", "burn-relax-kernels"]),
        Some(Part::Flex) => test.args(library).args(["-p", "burn-relax-flex"]),
        Some(Part::Ndarray) => test
            .args(library)
            .args(["-p", "burn-relax-ndarray"])
            .args(["--features", "burn-relax-tests/ndarray"]),
        Some(Part::Wgpu) => test
            .args(library)
            .args(["-p", "burn-relax-wgpu"])
            .args(["--features", "burn-relax-tests/wgpu"]),
        Some(Part::Doc) => test.whole_workspace().args(["--doc"]),
        Some(Part::Example) => test.args([
            "-p",
            "combined-network",
            "--features",
            "combined-network/ndarray,combined-network/wgpu,combined-network/remote",
        ]),
    }
}

/// The feature `debug-validation` changes what the library does, so its tests are a build of their own.
fn validation(only: Option<Part>) -> Cargo {
    let test = if only.is_none() {
        Cargo::new("test").whole_workspace()
    } else {
        Cargo::new("test").args(["-p", "burn-relax-tests"])
    };
    test.args(["--features", "burn-relax-tests/debug-validation"])
        .args(["--test", "validation"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_add_up_and_other_lines_do_not() {
        let mut summary = Summary::default();
        for line in [
            "running 3 tests",
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "12 passed, 1 failed",
            "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
        ] {
            summary.add(line);
        }
        assert_eq!(
            summary,
            Summary {
                passed: 13,
                failed: 2
            }
        );
    }
}
