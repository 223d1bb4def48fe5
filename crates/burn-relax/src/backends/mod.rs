//! One backend a file: each forwards the operations it has kernels for and inherits the default body of the rest.

#[cfg(any(feature = "flex", feature = "ndarray"))]
#[macro_use]
mod rows;

#[cfg(feature = "autodiff")]
mod autodiff;
#[cfg(feature = "cubecl-backend")]
mod cube;
#[cfg(feature = "flex")]
mod flex;
#[cfg(all(
    feature = "fusion",
    any(feature = "cubecl-backend", feature = "remote")
))]
mod fusion;
#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(any(feature = "remote", feature = "capture"))]
mod router;
#[cfg(feature = "tch")]
mod tch;
