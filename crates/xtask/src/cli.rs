//! The command line of `cargo xtask`.

use clap::{Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands of burn-relax")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Format, circles, public names, the documentation's commands, lints and rustdoc, all without warnings
    Check,
    /// Every crate's files and which uses which, without a circle
    Circles,
    /// The library's public names against the list in docs/api.txt
    Api {
        /// Write the list anew instead
        #[arg(long)]
        write: bool,
    },
    /// The documentation's command lines and excerpts against the repository
    Pages,
    /// Installs the Vulkan driver and the browser that the tests need, where they are missing
    Setup,
    /// Every test on every backend; ends with `N passed, N failed`
    Test {
        /// One part instead of all
        #[arg(long, value_enum)]
        only: Option<Part>,
        /// First install what is missing, as `cargo xtask setup` does
        #[arg(long)]
        setup: bool,
    },
    /// Times the operators; what it can do: `cargo xtask bench --help`
    #[command(disable_help_flag = true)]
    Bench {
        /// Arguments of the benchmark
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// The API documentation of the library crates, opened in a browser with --open
    Docs {
        /// Open it when it is built
        #[arg(long)]
        open: bool,
    },
}

/// A part of the tests.
#[derive(Clone, Copy, ValueEnum)]
pub enum Part {
    /// The CPU row kernels, which compile in a minute
    Kernels,
    /// The library on Flex
    Flex,
    /// The library on Flex and ndarray
    Ndarray,
    /// The library on Flex and wgpu, on a GPU or a software Vulkan driver
    Wgpu,
    /// What the documentation shows: examples, command lines, excerpts, public names
    Doc,
    /// The programs on every backend
    Example,
}

/// Whether `cargo xtask` takes these words.
pub fn is_command(words: &[&str]) -> Result<(), String> {
    match Cli::try_parse_from(["cargo xtask"].iter().chain(words)) {
        // A request for help is one, too.
        Err(error) if error.use_stderr() => Err(error.to_string()),
        _ => Ok(()),
    }
}
