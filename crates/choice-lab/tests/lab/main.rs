//! The whole program on the backends that are compiled in: one process, since its parts leave each other alone.

mod audit;
mod command_line;
#[path = "../common/mod.rs"]
mod common;
mod compare;
mod curves;
mod data;
mod dialects;
mod folders;
mod import;
mod interrupted;
mod numbers;
#[cfg(unix)]
mod outputs;
mod own_table;
#[cfg(feature = "flex")]
mod recorded;
mod resume;
mod strategies;
mod table_errors;
mod tampered;
mod training;
mod trials;
mod wrapped;

use choice_lab::place::backend::Backend;
use choice_lab::training::display::Display;
use choice_lab::training::run::{Run, train};
use choice_lab::training::settings::Settings;

/// The first backend that is compiled in.
fn first() -> &'static str {
    Backend::compiled()[0].name()
}

/// Trains without saying anything.
fn run(settings: Settings) -> Run {
    train(settings, Display::Silent).expect("the run ends well")
}
