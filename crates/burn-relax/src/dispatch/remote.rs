//! Operators on Burn's remote devices: one request each, where the server knows them.
//!
//! A remote device runs this crate's operators like any other device does, forward and backward. By default each is one custom
//! operation of Burn's protocol, run by the server's own kernels: the server calls [`register_relax_ops`] first. A server that
//! has not, or knows another [`VERSION`], ends the session at the first of them; [`check_server`] asks beforehand. Such a server
//! still serves [`Operators::Composed`](crate::execution::Operators::Composed), which sends Burn's own operations only, some thirty for each
//! operator.
//!
//! # Example
//!
//! ```no_run
//! # #[cfg(feature = "flex")] {
//! use burn_core::backend::Flex;
//! use burn_relax::remote::register_relax_ops;
//! use burn_router::CustomOpRegistry;
//!
//! // The server, with Burn's feature `remote-server`:
//! // RemoteServer::new([Device::flex()]).with_custom_ops(registry).serve(transport)
//! let mut registry = CustomOpRegistry::<Flex>::new();
//! register_relax_ops(&mut registry);
//! # }
//! ```

use burn_core::backend::ir::BackendIr;
use burn_router::CustomOpRegistry;

use crate::dispatch::{ops::RelaxOps, table::operations, wire};

/// The version of the operations that cross the wire. Client and server need the same.
pub const VERSION: u32 = wire::VERSION;

macro_rules! register {
    ([] $( $(#[$doc:meta])* $name:ident $inputs:tt -> $outputs:tt $how:tt )*) => {
        /// Makes a server run this crate's operators, with the kernels of its backend.
        ///
        /// The registry then goes to the server's `with_custom_ops`.
        pub fn register_relax_ops<B: BackendIr + RelaxOps>(registry: &mut CustomOpRegistry<B>) {
            $(registry.register(wire::$name::ID, |handles, call, _device| {
                wire::$name::execute::<B>(handles, call)
            });)*
        }
    };
}
operations!(register []);

#[cfg(all(feature = "remote", feature = "fusion"))]
pub(crate) use client::is_remote;
#[cfg(feature = "remote")]
pub(crate) use client::sends_custom;
#[cfg(feature = "remote")]
pub use client::{UnknownOperators, check_server};

/// Captured graphs are of Burn's own operations.
#[cfg(all(feature = "capture", not(feature = "remote")))]
pub(crate) fn sends_custom<B: burn_core::backend::Backend>() -> bool {
    false
}

#[cfg(feature = "remote")]
mod client {
    use core::{any::TypeId, error::Error, fmt};

    use burn_core::backend::{Backend, BackendTypes, Dispatch, Remote};
    use burn_core::tensor::{Device, Tensor};

    use super::VERSION;
    use crate::dispatch::{execution::is_composed, ops::RelaxOps};

    /// Whether this is the backend of remote devices, or the one that fusion wraps for them.
    pub(crate) fn is_remote<B: Backend>() -> bool {
        TypeId::of::<B::Device>() == TypeId::of::<<Remote as BackendTypes>::Device>()
    }

    pub(crate) fn sends_custom<B: Backend>() -> bool {
        is_remote::<B>() && !is_composed()
    }

    /// A server that does not run this crate's operators.
    #[derive(Debug)]
    pub struct UnknownOperators {
        reason: String,
    }

    impl fmt::Display for UnknownOperators {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(
                f,
                "the remote server does not run version {VERSION} of burn-relax's operators: call register_relax_ops \
                 where it is started, or set_operators(Operators::Composed) here before connecting ({})",
                self.reason
            )
        }
    }

    impl Error for UnknownOperators {}

    /// Asks a remote device for an operator, so that a server without them is found before anything is lost on it.
    ///
    /// # Errors
    ///
    /// If the server has not registered the operators, or those of another [`VERSION`]. Its session has ended then, and this
    /// process has no other way to the device: go on in another process.
    pub fn check_server(device: &Device) -> Result<(), UnknownOperators> {
        let device = device.clone().inner();
        let zeros = Tensor::<1>::zeros([2], &device).into_dispatch();
        let (weights, _) = <Dispatch as RelaxOps>::softmax(zeros, 0, 1.0);
        let weights = Tensor::<1>::from_dispatch(weights);
        let reason = match weights.try_into_data() {
            Ok(weights) if weights.iter::<f32>().all(|weight| weight == 0.5) => return Ok(()),
            Ok(weights) => format!("its softmax of zeros is {weights}"),
            Err(error) => error.to_string(),
        };
        let reason = reason.lines().next().unwrap_or_default().to_owned();
        Err(UnknownOperators { reason })
    }
}
