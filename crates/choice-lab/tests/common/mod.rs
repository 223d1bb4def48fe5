//! What the tests share.

use choice_lab::place::backend::Backend;
use choice_lab::strategy::names::Strategy;
use choice_lab::strategy::recipe::Trial;
use choice_lab::training::settings::Settings;
use combined_network::task::Task;
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
        recipe: Trial::all(strategy, Some(Task::A))[0].recipe,
    }
}

/// The program, about to run in a folder with the words of a line.
pub fn program(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_choice-lab"));
    command.current_dir(folder).args(line.split_whitespace());
    command
}

/// Runs the program in a folder.
pub fn call(folder: &Path, line: &str) -> Output {
    let output = program(folder, line).output();
    output.expect("the program starts")
}

/// Runs the program, which must end well, and returns its stdout.
pub fn succeed(folder: &Path, line: &str) -> String {
    let output = call(folder, line);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {stderr}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs the program, which must refuse with exit code 2 and one line, and returns that line.
pub fn refuse(folder: &Path, line: &str) -> String {
    refused(line, call(folder, line))
}

/// The one line of a refusal.
pub fn refused(line: &str, output: Output) -> String {
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{line}: {stderr}");
    assert!(output.stdout.is_empty(), "{line} printed to stdout");
    assert!(!stderr.contains("panicked"), "{line}: {stderr}");
    // Graphics drivers may add lines of their own.
    let ours: Vec<_> = stderr
        .lines()
        .filter(|text| text.starts_with("error: "))
        .collect();
    let last = stderr.lines().last().unwrap_or_default();
    assert!(!ours.is_empty(), "{line}: {stderr}");
    last.to_owned()
}
