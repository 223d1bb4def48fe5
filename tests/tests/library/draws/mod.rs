//! The same seed gives the same draws everywhere, and parts of a batch draw what the whole does.

mod noise;
mod part;
