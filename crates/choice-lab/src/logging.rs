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

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::OFF,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
        }
    }
}

/// Logs this program's spans as they end; other crates' are left out.
pub fn start(level: Level) {
    if level != Level::Off {
        log(Targets::new().with_target(env!("CARGO_CRATE_NAME"), level));
    }
}

/// Logs what a server does with its sessions, and at least why it ended one.
pub fn start_server(level: Level) {
    let level = LevelFilter::from(level).max(LevelFilter::ERROR);
    log(Targets::new()
        .with_target("burn_remote", level)
        .with_target("burn_communication", level));
}

fn log(targets: Targets) {
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(stderr)
        .with_ansi(false)
        .with_target(false)
        .with_span_events(FmtSpan::CLOSE);
    tracing_subscriber::registry()
        .with(layer)
        .with(targets)
        .init();
}
