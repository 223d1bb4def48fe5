//! The one declaration of an operator: inputs, numbers and outputs with their widths. From it come the kernel's struct, the operator
//! over slices with its checks, and the operator over tensors.

/// Declares the operators of a file:
///
/// ```text
/// kernels! {
///     /// What it computes.
///     name(logits: F[n], values: F[n, features]; temperature: f64) -> (output: F[1, features], stats: Acc[2]), features of values
///         => struct Kernel {}, work n;
/// }
/// ```
///
/// - The first input is `F[n]`: rows of `n` entries, whose element type is `F`. Kinds of inputs: `F[…]` so many values per row,
///   `One[1]` one value for all rows or for each, `Shared[…]` the same values for all rows, `Acc[…]` statistics in the type of
///   arithmetic, `Class[…]` indices below `n`. Kinds of outputs: `F`, `Acc`, and `I64` for indices.
/// - A second width is a number of features: trailing axes of the tensor. `features of values` says whose, `samples along indices`
///   reads a width from the size of an input along the rows' axis.
/// - `struct Kernel { name: type = value }` declares the struct of the kernel, with fields that are not arguments;
///   `as Kernel { name: value }` fills the struct of another operator, naming what is not an input or output of this one.
/// - `work` is the number of elements of work in a row.
///
/// The function over slices takes inputs, `n`, the width that is read, numbers, and the outputs; that over tensors takes inputs, the axis,
/// and numbers, and returns the outputs.
macro_rules! kernels {
    ($(
        $(#[$doc:meta])*
        $name:ident($first:ident: F[$n:ident] $(, $input:ident: $in:ident[$($in_width:expr),+])*; $($number:ident: $type:ty),*)
            -> ($($output:ident: $out:ident[$($out_width:expr),+]),+) $(, $dim:ident $of:ident $source:ident)?
            => $how:tt $kernel:ident $fields:tt, work $work:expr;
    )+) => {
        /// Names of the operators declared here.
        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),+];

        $($crate::operators::kernels::kernel! {
            @declare $how $kernel [$first: F $(, $input: $in)*] [$($number: $type),*] $fields [$($output: $out),+]
        })+

        /// Over slices.
        pub mod slices {
            #[allow(unused_imports)] // constants of the widths, where there are some
            use super::*;

            $(
                $(#[$doc])*
                ///
                /// # Panics
                /// When a slice has the wrong length.
                #[track_caller]
                #[allow(clippy::too_many_arguments)]
                pub fn $name<F: $crate::row::element::Element>(
                    $first: &[F],
                    $($input: &[$crate::operators::kernels::kernel!(@slice $in F)],)*
                    $n: usize,
                    $($dim: usize,)?
                    $($number: $type,)*
                    $($output: &mut [core::mem::MaybeUninit<$crate::operators::kernels::kernel!(@slice $out F)>],)+
                ) {
                    use $crate::operators::check;
                    const KERNEL: &str = stringify!($name);
                    let rows = check::count_rows(KERNEL, stringify!($first), $first.len(), $n);
                    let $first = $crate::row::input::In::each($first, $n);
                    $(let $input = $crate::operators::kernels::kernel!(
                        @check $in (KERNEL, $input, rows, $n, 1 $(* $in_width)+)
                    );)*
                    $(let $output = check::output(
                        KERNEL, stringify!($output), $output, rows, 1 $(* $out_width)+
                    );)+
                    let shape = $crate::row::frame::Shape::new(rows, $work);
                    F::run::<super::$kernel<'static, f32>>($crate::operators::kernels::kernel!(
                        @call $how $kernel shape [$first $($input)*] [$($number)*] $fields [$($output)+]
                    ));
                }
            )+
        }

        /// Over tensors.
        pub mod tensors {
            #[allow(unused_imports)] // as above
            use super::*;
            use $crate::tensor::row_tensor::{RowTensor, with_element};
            use $crate::tensor::rows::{Extent, Rows};

            $(
                $(#[$doc])*
                #[allow(unused_parens, clippy::too_many_arguments)]
                pub fn $name<T: RowTensor>(
                    $first: T, $($input: T,)* dim: usize, $($number: $type),*
                ) -> ($($crate::operators::kernels::kernel!(@tensor $output T)),+) {
                    let rows = Rows::new(&$first, dim);
                    let $n = rows.n;
                    let trailing: Vec<usize> = $crate::operators::kernels::kernel!(@trailing rows $($of $source)?);
                    $(let $dim: usize = $crate::operators::kernels::kernel!(@read $of $source trailing dim);)?
                    let dtype = $first.dtype();
                    let $first = rows.load($first);
                    $(let $input = rows.load($input);)*
                    with_element!(dtype, F => {
                        let $first = rows.operand::<T, F>(&$first, Extent::from([$n]));
                        $(let $input = rows.operand::<T, $crate::operators::kernels::kernel!(@slice $in F)>(
                            &$input, $crate::operators::kernels::kernel!(@extent $in [$($in_width),+])
                        );)*
                        $(let mut $output = rows.target::<$crate::operators::kernels::kernel!(@slice $out F)>(
                            Extent::from([$($out_width),+])
                        );)+
                        if rows.are_apart() {
                            $(let $output = $output.shared();)+
                            rows.tiles($n, |tile| {
                                let $first = $first.gather(&rows, &tile);
                                $(let $input = $input.gather(&rows, &tile);)*
                                $(let $number = $crate::row::frame::Number::at_row($number, tile.start());)*
                                $(let mut $output = ($output.buffer(&tile), &$output);)+
                                super::slices::$name(
                                    &$first, $(&$input,)* $n, $($dim,)? $($number,)* $($output.0.spare()),+
                                );
                                $($output.1.scatter($output.0, &rows, &tile);)+
                            });
                        } else {
                            super::slices::$name(
                                $first.elements, $($input.elements,)* $n, $($dim,)? $($number,)* $($output.spare()),+
                            );
                        }
                        ($(rows.store::<T, _>($output, &trailing)),+)
                    })
                }
            )+
        }
    };
}
pub(crate) use kernels;

/// The parts of [`kernels!`] that depend on a kind.
macro_rules! kernel {
    (@declare struct $kernel:ident [$($input:ident: $in:ident),+] [$($number:ident: $type:ty),*]
        { $($field:ident: $field_type:ty = $value:expr),* } [$($output:ident: $out:ident),+]) => {
        $crate::row::frame::region! {
            $kernel { $($input: $in),+ } { $($number: $type,)* $($field: $field_type),* } { $($output: $out),+ }
        }
    };
    (@declare as $($more:tt)*) => {};

    (@call struct $kernel:ident $shape:ident [$($input:ident)+] [$($number:ident)*]
        { $($field:ident: $type:ty = $value:expr),* } [$($output:ident)+]) => {
        super::$kernel { shape: $shape, $($input,)+ $($number,)* $($field: $value,)* $($output,)+ }
    };
    (@call as $kernel:ident $shape:ident [$($input:ident)+] [$($number:ident)*]
        { $($field:ident: $value:expr),* } [$($output:ident)+]) => {
        super::$kernel { shape: $shape, $($input,)+ $($field: $value,)* $($output,)+ }
    };

    (@slice F $element:ident) => { $element };
    (@slice One $element:ident) => { $element };
    (@slice Shared $element:ident) => { $element };
    (@slice Acc $element:ident) => { <$element as $crate::row::element::Element>::Acc };
    (@slice $integer:ident $element:ident) => { i64 };

    (@check One ($kernel:ident, $input:ident, $rows:ident, $n:ident, $width:expr)) => {
        $crate::operators::check::one($kernel, stringify!($input), $input, $rows, $width)
    };
    (@check Shared ($kernel:ident, $input:ident, $rows:ident, $n:ident, $width:expr)) => {
        $crate::operators::check::shared($kernel, stringify!($input), $input, $width)
    };
    (@check Class ($kernel:ident, $input:ident, $rows:ident, $n:ident, $width:expr)) => {
        $crate::operators::check::classes($kernel, stringify!($input), $input, ($rows, $n), $width)
    };
    (@check $each:ident ($kernel:ident, $input:ident, $rows:ident, $n:ident, $width:expr)) => {
        $crate::operators::check::each($kernel, stringify!($input), $input, $rows, $width)
    };

    (@tensor $output:ident $tensor:ident) => { $tensor };
    (@trailing $rows:ident) => { Vec::new() };
    (@trailing $rows:ident of $source:ident) => { $rows.features(&$source) };
    (@trailing $rows:ident along $source:ident) => { Vec::new() };
    (@read of $source:ident $trailing:ident $dim:ident) => { $trailing.iter().product() };
    (@read along $source:ident $trailing:ident $dim:ident) => { $source.dims()[$dim] };
    (@extent Shared $widths:tt) => { Extent::from([]) };
    (@extent $each:ident $widths:tt) => { Extent::from($widths) };
}
pub(crate) use kernel;
