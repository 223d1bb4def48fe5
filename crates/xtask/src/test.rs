//! The tests, whole or in part, with one summary over all of them.

use anyhow::{Result, bail};

use crate::{
    cargo::{PROGRAM_BACKENDS, cargo, observe, workspace},
    cli::Part,
    setup,
};

/// Runs the tests; ends with the summary line.
pub fn run(only: Option<Part>, install: bool) -> Result<()> {
    if install && let Err(error) = setup::run() {
        println!("{error}");
    }
    if matches!(only, None | Some(Part::Wgpu | Part::Example)) {
        setup::require_vulkan()?;
    }
    if matches!(only, None | Some(Part::Example)) {
        setup::mention_browser();
    }
    let (mut passed, mut failed) = (0, 0);
    let mut finished = true;
    for line in commands(only) {
        finished &= observe(&mut cargo(&line), |line| {
            if let Some(counts) = result(line) {
                passed += counts.0;
                failed += counts.1;
            }
        })?;
    }
    println!("\n{passed} passed, {failed} failed");
    if !finished || failed > 0 {
        bail!("the tests failed; the lines above say which");
    }
    Ok(())
}

/// The words after `cargo` of each command.
fn commands(only: Option<Part>) -> Vec<String> {
    let test = |packages: &str| format!("test --no-fail-fast {packages}");
    let library = |backend| {
        let packages = "-p burn-relax -p burn-relax-tests";
        test(&format!("{packages} -p burn-relax-{backend}"))
    };
    // This feature changes what the library does, so its tests are a build of their own.
    let validation = |packages: &str| {
        format!("test {packages} --features burn-relax-tests/debug-validation --test validation")
    };
    match only {
        None => vec![test(&workspace()), validation(&workspace())],
        Some(Part::Kernels) => vec![test("-p burn-relax-kernels")],
        Some(Part::Flex) => vec![library("flex"), validation("-p burn-relax-tests")],
        Some(Part::Ndarray) => vec![library("ndarray --features burn-relax-tests/ndarray")],
        Some(Part::Wgpu) => vec![library("wgpu --features burn-relax-tests/wgpu")],
        Some(Part::Doc) => vec![test(&format!("{} --doc", workspace())), test("-p xtask")],
        Some(Part::Example) => {
            let programs = "-p combined-network -p choice-lab";
            vec![test(&format!("{programs} --features {PROGRAM_BACKENDS}"))]
        }
    }
}

/// How many tests passed and failed, from a line such as `test result: ok. 3 passed; 0 failed; …`.
fn result(line: &str) -> Option<(usize, usize)> {
    let result = line.trim_start().strip_prefix("test result: ")?;
    let (_, counts) = result.split_once(". ")?;
    let (passed, rest) = counts.split_once(" passed; ")?;
    let (failed, _) = rest.split_once(" failed;")?;
    Some((passed.parse().ok()?, failed.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::{cargo::metadata, pages::check};

    #[test]
    fn what_the_commands_select_exists() {
        let packages = metadata().unwrap().packages;
        let parts = Part::value_variants().iter().copied().map(Some);
        for line in parts.chain([None]).flat_map(commands) {
            check(&line.split(' ').collect::<Vec<_>>(), &packages).unwrap();
        }
    }

    #[test]
    fn only_result_lines_count() {
        let line = "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s";
        assert_eq!(result(line), Some((10, 2)));
        assert_eq!(result("test a ... ok"), None);
        assert_eq!(result("12 passed, 1 failed"), None);
    }
}
