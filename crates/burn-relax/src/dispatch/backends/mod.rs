//! One backend a file: each forwards the operations it has kernels for and inherits the default body of the rest.

/// Implements the operations for a backend: `[[impl … for …] [condition] carry context]`, then the table's rows.
///
/// Where the condition holds an operation is its default body, else
/// `carry! { context name [kind input, …] [number, …] [kind output, …] }`.
#[allow(unused_macros, reason = "a build may have no backend")]
macro_rules! implement {
    ([[$($header:tt)*] [$composed:expr] $carry:ident $context:tt] $(
        $(#[$doc:meta])*
        $name:ident $inputs:tt -> $outputs:tt { $($how:tt)* }
    )*) => {
        #[allow(unused_parens, reason = "some operations have one output")]
        $($header)* { $(
            implement! { @row [$($how)*] [$composed] $carry $context $name $inputs -> $outputs }
        )* }
    };
    (@row [composed $($how:tt)*] $($row:tt)*) => {};
    (@row $how:tt [$composed:expr] $carry:ident $context:tt
        $name:ident($($input:ident: $kind:ident),*; $($number:ident: $type:ident),*)
            -> ($($output:ident: $result:ident = $spec:expr),+)
    ) => {
        fn $name($($input: $kind<Self>,)* $($number: $type),*) -> ($($result<Self>),+) {
            if $composed {
                return $crate::dispatch::composed::$name::<Self>($($input,)* $($number),*);
            }
            $carry! { $context $name [$($kind $input),*] [$($number),*] [$($result $output),+] }
        }
    };
}

#[cfg(feature = "autodiff")]
mod autodiff;
#[cfg(feature = "cubecl-backend")]
mod cube;
#[cfg(all(
    feature = "fusion",
    any(feature = "cubecl-backend", feature = "remote")
))]
mod fusion;
#[cfg(any(feature = "remote", feature = "capture"))]
mod router;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod rows;

// LibTorch has no kernels here: every operation is its default body.
#[cfg(feature = "tch")]
impl super::RelaxOps for burn_tch::LibTorch {}
