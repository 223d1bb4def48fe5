//! Trains a classifier that picks which regression output to return.
fn main() {}
