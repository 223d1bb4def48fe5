//! Measures what a gradient estimator really estimates: bias with its significance, variance, direction, cost.
//!
//! A [`Problem`] is a choice whose outcomes can all be listed. It computes the expected cost and its gradient by enumeration
//! in f64 on the host, independently of the library's own operators, and compares with them what a
//! [`Strategy`](crate::Strategy) or any estimator of the caller's does over many draws.
//!
//! # Example
//!
//! ```
//! use burn_core::tensor::{Device, Tensor};
//! use burn_relax::{Strategy, argmax, audit::Problem, distribution::categorical_log_prob};
//!
//! let device = Device::flex().autodiff();
//! let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device);
//! let values = Tensor::<2>::from_floats([[1.0, 0.0, 3.0]], &device);
//!
//! let problem = Problem::new("squares", logits, values, |values| values.square()).with_draws(500);
//! problem.strategy(&Strategy::ReinMax { temperature: 1.0.into() }).assert_unbiased();
//! let greedy = problem.estimator("-log p(argmax) · cost", |logits, _| {
//!     let class = argmax(logits.clone(), 1);
//!     let cost = problem.cost(problem.values().gather(1, class.clone()));
//!     categorical_log_prob(logits, class, 1).neg() * cost
//! });
//! assert!(greedy.cosine < 0.0 && greedy.bias_z > 10.0); // assert_unbiased would panic
//! ```

mod measure;
mod moments;
mod problem;
mod report;

pub use problem::Problem;
pub use report::{Report, Table, Verdict, to_json};
