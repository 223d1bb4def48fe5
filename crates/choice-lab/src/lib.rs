//! The instrument behind the figures of this project: it trains the network of the example `combined-network` through its choice
//! with any [strategy](strategy::names::Strategy), one value of `burn_relax::Strategy` carried out by one `burn_relax::Selector`,
//! and compares, audits and draws what comes out.
//!
//! | room | what |
//! |---|---|
//! | [`cli`], [`commands`] | the command line; each command with its own options |
//! | [`training`] | a run: Burn's `SupervisedTraining`, metrics, checkpoints, resuming, the summary |
//! | [`strategy`] | the strategies by name, and their learning rates |
//! | [`data`] | tables of the user's own, scaling, the straight line, what a network chooses |
//! | [`place`] | backends, remote servers |
//! | [`store`], [`models`] | run folders; what `predict` needs of one, weights from PyTorch |
//! | [`compare`] | many runs as one table and one report |
//! | [`audit`] | the problems on which gradients are measured |
//! | [`pictures`], [`charts`] | pictures of the library's maps; how every picture is drawn |

pub mod audit;
pub mod charts;
pub mod cli;
pub mod commands;
pub mod compare;
pub mod data;
mod logging;
pub mod models;
pub mod pictures;
pub mod place;
pub mod store;
pub mod strategy;
pub mod training;
