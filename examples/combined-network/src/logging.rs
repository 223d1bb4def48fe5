//! What runs and how long it takes, on stderr.

use clap::ValueEnum;
use std::io::stderr;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Nothing
    Off,
    /// What was passed over
    Warn,
    /// Trainings, groups of steps, validations, checkpoints, evaluations and runs, with the time each took
    Info,
    /// Every step too
    Debug,
}

/// Logs this program's spans as they end; other crates' are left out.
pub fn start(level: Level) {
    let level = match level {
        Level::Off => return,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(stderr)
        .with_ansi(false)
        .with_target(false)
        .with_span_events(FmtSpan::CLOSE);
    tracing_subscriber::registry()
        .with(layer)
        .with(Targets::new().with_target(env!("CARGO_CRATE_NAME"), level))
        .init();
}
