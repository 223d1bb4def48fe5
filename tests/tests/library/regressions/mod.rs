//! Inputs that failed once, each under the name of what went wrong, and others of their kind.

mod audit;
mod averages;
mod density;
mod deviation;
mod formats;
mod half;
mod labels;
mod masks;
mod messages;
mod numbers;
mod ranking;
mod seeds;
mod thresholds;
mod windows;
