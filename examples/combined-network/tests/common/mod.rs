//! What the tests share.
#![allow(dead_code, reason = "not every test file uses all of it")]

use combined_network::backend::Backend;
use combined_network::data::Task;
use combined_network::progress::Display;
use combined_network::recipe::Recipe;
use combined_network::strategy::Strategy;
use combined_network::training::{Run, Settings, train};
use std::path::Path;
use std::process::{Command, Output};

/// Settings of a short run.
pub fn settings(backend: Backend, strategy: Strategy, steps: usize) -> Settings {
    Settings {
        backend,
        strategy,
        task: Some(Task::A),
        seed: 3,
        steps,
        recipe: Recipe::new(strategy, Task::A),
    }
}

/// Trains without saying anything.
pub fn run(settings: Settings) -> Run {
    train(settings, Display::Silent).expect("the run ends well")
}

/// The program, about to run in a folder.
pub fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_combined-network"));
    command.current_dir(folder).args(arguments);
    command
}

/// Runs the program in a folder.
pub fn call(folder: &Path, arguments: &[&str]) -> Output {
    program(folder, arguments)
        .output()
        .expect("the program starts")
}

/// Runs the program, which must end well, and returns its stdout.
pub fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = call(folder, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs the program, which must refuse with exit code 2 and one line, and returns that line.
pub fn refuse(folder: &Path, arguments: &[&str]) -> String {
    refused(arguments, call(folder, arguments))
}

/// The one line of a refusal.
pub fn refused(arguments: &[&str], output: Output) -> String {
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{arguments:?} printed to stdout");
    assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    // Graphics drivers may add lines of their own.
    let ours: Vec<_> = stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    let last = stderr.lines().last().unwrap_or_default();
    assert!(!ours.is_empty(), "{arguments:?}: {stderr}");
    last.to_owned()
}
