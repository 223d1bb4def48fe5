//! The instruction sets: one file each. What is computed with them is the business of the other folders.

#[cfg(any(test, not(target_arch = "x86_64")))]
pub(crate) mod arrays;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "x86_64")]
mod register;
#[cfg(target_arch = "x86_64")]
mod sse2;
