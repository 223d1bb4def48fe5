//! Command line of the example: parses, runs, and turns every error into one line on stderr and exit code 2.

use std::process::ExitCode;

fn main() -> ExitCode {
    combined_network::main()
}
