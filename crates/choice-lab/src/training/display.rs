//! What a run shows while it trains: Burn's dashboard on a terminal, plain lines elsewhere.

use crate::training::metrics::{ClassesUsed, Cost, HardError, Reading};
use crate::training::report::figure;
use burn::train::Interrupter;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricId, MetricName, NumericEntry};
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use std::collections::HashMap;
use std::io::{IsTerminal, Write, stderr, stdout};

/// Where progress goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// Burn's dashboard.
    Dashboard,
    /// One line per validation on stdout.
    Lines,
    /// One line per validation on stderr, so that stdout stays free for the result.
    LinesOnStderr,
    /// Nothing.
    Silent,
}

impl Display {
    /// The dashboard where stdout is a terminal and nothing else was asked for.
    pub fn choose(plain: bool, json: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match (json, plain || dumb || !stdout().is_terminal()) {
            (true, _) => Self::LinesOnStderr,
            (false, true) => Self::Lines,
            (false, false) => Self::Dashboard,
        }
    }

    pub(crate) fn renderer(
        self,
        interrupter: Interrupter,
        devices: usize,
        first_step: usize,
    ) -> Box<dyn MetricsRenderer> {
        match self {
            Self::Dashboard => Box::new(TuiMetricsRendererWrapper::new(interrupter, None)),
            _ => Box::new(Lines {
                display: self,
                names: HashMap::new(),
                latest: HashMap::new(),
                devices,
                reports: first_step * devices,
            }),
        }
    }
}

/// One line per validation.
struct Lines {
    display: Display,
    names: HashMap<MetricId, MetricName>,
    latest: HashMap<String, f64>,
    /// Devices that report a share of each step's cost.
    devices: usize,
    reports: usize,
}

impl Lines {
    fn keep(&mut self, state: MetricState) {
        if let MetricState::Numeric(entry, Some(value)) = state
            && let Some(name) = self.names.get(&entry.metric_id)
        {
            self.reports += usize::from(
                name.as_str() == Cost::NAME && !matches!(value, NumericEntry::Final(_)),
            );
            self.latest.insert(name.to_string(), value.current());
        }
    }

    fn print(&self) {
        let value = |name| self.latest.get(name).copied().unwrap_or(f64::NAN);
        let line = format!(
            "step {:>6}   cost {:>8.4}   validation MSE {:>7}   classes used {}",
            self.reports / self.devices,
            value(Cost::NAME) * self.devices as f64,
            figure(value(HardError::NAME)),
            value(ClassesUsed::NAME),
        );
        // A closed pipe must not stop the training.
        let _ = match self.display {
            Display::LinesOnStderr => writeln!(stderr(), "{line}"),
            Display::Lines => writeln!(stdout(), "{line}"),
            Display::Dashboard | Display::Silent => Ok(()),
        };
    }
}

impl MetricsRendererTraining for Lines {
    fn update_train(&mut self, state: MetricState) {
        self.keep(state);
    }

    fn update_valid(&mut self, state: MetricState) {
        self.keep(state);
    }
}

impl TrainingProgressLogger for Lines {
    fn start(&mut self, _: usize, _: usize, _: Option<usize>, _: Option<&str>) {}

    fn update_epoch(&mut self, _: usize) {
        self.print();
    }

    fn start_split(&mut self, _: &str, _: usize) {}

    fn update_split(&mut self, _: usize) {}

    fn end_split(&mut self) {}

    fn end(&mut self) {}

    fn log_event_training(&mut self, _: String) {}
}

impl MetricsRenderer for Lines {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.names.insert(definition.metric_id, definition.name);
    }
}

impl MetricsRendererEvaluation for Lines {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl EvaluationProgressLogger for Lines {
    fn start_global_progress(&mut self, _: usize) {}

    fn start_test(&mut self, _: &str, _: usize) {}

    fn update_test_progress(&mut self, _: usize) {}

    fn end_test(&mut self) {}

    fn end_global_progress(&mut self) {}

    fn log_event_evaluation(&mut self, _: String) {}
}
