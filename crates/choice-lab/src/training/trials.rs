//! A run, or one for each recipe in question, of which validation picks.

use crate::data::exact::Exact;
use crate::data::problem::Problem;
use crate::training::checkpoint::Checkpoints;
use crate::training::display::Display;
use crate::training::plan::Plan;
use crate::training::run::{Run, train_on};
use anyhow::Result;
use burn::tensor::Device;
use std::io::{Write, stderr};

/// Trains what is planned: one run, or every trial to its end, of which the run with the lowest validation error is returned.
///
/// A plan that was interrupted goes on with the trial under way. If an earlier one wins, its run is carried out again, to the same
/// bits.
///
/// # Panics
///
/// If there is no device.
pub fn train_plan(
    problem: &Problem,
    plan: &mut Plan,
    devices: &[Device],
    display: Display,
    checkpoints: Option<&Checkpoints>,
) -> Result<Run> {
    let mut best: Option<(usize, Run)> = None;
    loop {
        let run = train_on(
            problem.clone(),
            plan.settings,
            devices,
            display,
            checkpoints,
        )?;
        let Some(index) = plan.under_way() else {
            return Ok(run);
        };
        // A run that the user stopped has fewer steps than planned; it is all there will be.
        if run.config.settings.steps < plan.settings.steps {
            return Ok(run);
        }
        let error = run.report.validation_mse;
        plan.trials[index].error = Some(Exact(error));
        if display != Display::Silent {
            let (trial, of) = (plan.trials[index].trial, plan.trials.len());
            let _ = writeln!(
                stderr(),
                "trial {} of {of}, {trial}: validation MSE {error:.4}",
                index + 1
            );
        }
        if best.as_ref().is_none_or(|(_, best)| {
            let lowest = best.report.validation_mse;
            error < lowest || lowest.is_nan()
        }) {
            best = Some((index, run));
        }
        match plan.under_way() {
            Some(next) => plan.take_up(next),
            None => {
                let winner = plan.winner();
                if let Some((_, run)) = best.take_if(|(index, _)| *index == winner) {
                    return Ok(run);
                }
                plan.take_up(winner);
                plan.trials.clear();
            }
        }
        if let Some(checkpoints) = checkpoints {
            checkpoints.begin_next(plan)?;
        }
    }
}
