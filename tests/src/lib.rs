// Burn deprecates ndarray in favour of Flex; the library serves both.
#![cfg_attr(feature = "ndarray", allow(deprecated))]
//! Shared helpers of the cross-backend tests: devices, golden cases, comparison tables, finite differences, random inputs.

mod array;
mod devices;
mod finite;
mod golden;
mod leaves;
mod random;
mod table;

pub use array::Array;
pub use devices::{NamedDevice, cpu_devices, devices};
pub use finite::Difference;
pub use golden::{Case, goldens};
pub use leaves::{Leaves, flat};
pub use random::Random;
pub use table::Table;

/// Runs `$body` with the constant `$rank` set to a rank known at run time.
#[macro_export]
macro_rules! with_rank {
    ($value:expr, $rank:ident => $body:expr) => {
        match $value {
            1 => {
                const $rank: usize = 1;
                $body
            }
            2 => {
                const $rank: usize = 2;
                $body
            }
            3 => {
                const $rank: usize = 3;
                $body
            }
            4 => {
                const $rank: usize = 4;
                $body
            }
            rank => panic!("no test has rank {rank}"),
        }
    };
}
