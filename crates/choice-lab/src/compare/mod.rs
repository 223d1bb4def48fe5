//! Strategies on tasks over seeds, as one table and as a report.
//!
//! | file | what |
//! |---|---|
//! | `plan` | what is compared, as jobs |
//! | `outcome` | what a job comes to |
//! | `runs` | the jobs on several threads |
//! | `journal` | finished jobs, kept at once |
//! | `progress` | how far it is |
//! | `statistics`, `tables` | figures over the seeds; printed, CSV and JSON |
//! | `report` | the page, with its `charts` |

mod charts;
pub(crate) mod journal;
mod outcome;
pub(crate) mod plan;
mod progress;
pub(crate) mod report;
pub(crate) mod runs;
pub(crate) mod statistics;
pub(crate) mod tables;
