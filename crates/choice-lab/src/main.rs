//! The instrument that measures ways to train through a choice.

use std::process::ExitCode;

fn main() -> ExitCode {
    choice_lab::cli::main()
}
