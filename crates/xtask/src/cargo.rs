//! Cargo as a child process, and what it says about the workspace.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

const LIBRARY_BACKENDS: &str =
    "burn-relax-tests/ndarray,burn-relax-tests/wgpu,burn-relax-tests/remote";

/// Features that compile every backend of the programs that is tested here.
pub const PROGRAM_BACKENDS: &str = "combined-network/ndarray,combined-network/wgpu,choice-lab/ndarray,choice-lab/wgpu,choice-lab/remote";

/// The words that select all packages with every backend that is tested here. One selection for lints, documentation and
/// tests: with another one Cargo would compile the dependencies again.
pub fn workspace() -> String {
    format!("--workspace --features {LIBRARY_BACKENDS},{PROGRAM_BACKENDS}")
}

/// `cargo` with the words of a line, from the toolchain that runs this program.
pub fn cargo(line: &str) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(line.split_whitespace());
    // What `cargo run` says of this package to this program: build scripts that look at it would run again, and compile what
    // stands on them again, whenever a command is typed by hand between two of ours.
    for (name, _) in std::env::vars_os() {
        let of_this_package =
            |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        if name.to_str().is_some_and(of_this_package) {
            command.env_remove(name);
        }
    }
    command
}

/// Shows the command and runs it to the end; a failure is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let line = show(command);
    let status = command.status().with_context(|| line.clone())?;
    if !status.success() {
        bail!("{line} failed ({status})");
    }
    Ok(())
}

/// Likewise, and shows each line of standard output and hands it to `observe`; returns whether the command succeeded.
pub fn observe(command: &mut Command, mut observe: impl FnMut(&str)) -> Result<bool> {
    let line = show(command);
    let mut child = command.stdout(Stdio::piped()).spawn().context(line)?;
    let output = child.stdout.take().context("cargo's standard output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        observe(&line);
    }
    Ok(child.wait()?.success())
}

fn show(command: &Command) -> String {
    let mut line = String::from("cargo");
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    println!("$ {line}");
    line
}

/// What Cargo says about the workspace.
#[derive(Deserialize)]
pub struct Metadata {
    pub packages: Vec<Package>,
    /// Where Cargo builds.
    pub target_directory: PathBuf,
}

/// A package of the workspace.
#[derive(Deserialize)]
pub struct Package {
    pub name: String,
    pub manifest_path: PathBuf,
    pub features: BTreeMap<String, Vec<String>>,
    pub targets: Vec<Target>,
}

/// A crate of a package.
#[derive(Deserialize)]
pub struct Target {
    pub name: String,
    /// `lib`, `bin`, `example`, `test` or `bench`.
    pub kind: Vec<String>,
    /// Its root file.
    pub src_path: PathBuf,
}

/// The root folder of the repository.
pub fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.ancestors().nth(2).unwrap_or(xtask)
}

/// Asks Cargo.
pub fn metadata() -> Result<Metadata> {
    let output = cargo("metadata --no-deps --offline --format-version=1")
        .current_dir(root())
        .output()
        .context("cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("what cargo metadata says")
}
