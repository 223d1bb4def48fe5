//! The jobs on several threads.

use crate::compare::journal::Journal;
use crate::compare::outcome::{Outcome, carry_out};
use crate::compare::plan::{Job, Plan};
use crate::compare::progress::Progress;
use anyhow::Result;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use tracing::info_span;

/// Does what the journal does not have yet, `threads` jobs at a time; the outcomes in the order of the plan's jobs.
///
/// The threads are not of rayon's pool, which Burn computes on: a job that waits there for a part of its own would be handed
/// another job to do meanwhile. A job's numbers depend on its own seed only, and Burn's on the size of its pool, not on who
/// else uses it.
pub(crate) fn run(
    plan: &Plan,
    journal: &mut Option<Journal>,
    threads: usize,
) -> Result<Vec<(Job, Outcome)>> {
    let jobs = plan.jobs();
    let known = |job: &Job| journal.as_ref().and_then(|journal| journal.find(*job));
    let mut outcomes: Vec<Option<Outcome>> = jobs.iter().map(known).collect();
    let open: Vec<usize> = (0..jobs.len())
        .filter(|&index| outcomes[index].is_none())
        .collect();
    let progress = Progress::new(jobs.len(), jobs.len() - open.len(), journal.is_some())?;
    let next = AtomicUsize::new(0);
    let (sender, finished) = channel();
    thread::scope(|scope| {
        for _ in 0..threads.min(open.len()) {
            let sender = sender.clone();
            scope.spawn(|| {
                let sender = sender;
                while let Some(&index) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let span = info_span!("run", job = ?jobs[index]).entered();
                    let outcome = carry_out(plan, jobs[index]);
                    drop(span);
                    if sender.send((index, outcome)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut keep = || -> Result<()> {
            for (index, outcome) in &finished {
                let outcome = outcome?;
                if let Some(journal) = journal {
                    journal.add(jobs[index], &outcome)?;
                }
                outcomes[index] = Some(outcome);
                progress.advance();
            }
            Ok(())
        };
        let kept = keep();
        // Nobody begins another job after an error.
        next.store(open.len(), Ordering::Relaxed);
        kept
    })?;
    let done = jobs.into_iter().zip(outcomes);
    Ok(done
        .filter_map(|(job, outcome)| Some((job, outcome?)))
        .collect())
}
