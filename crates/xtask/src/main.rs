//! Developer commands of burn-relax.
fn main() {}
