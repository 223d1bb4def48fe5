//! Trainings on servers. What carries out the operators is set for the whole process, so they are in one of their own.

#[path = "../common/mod.rs"]
mod common;
mod remote;
mod traffic;
