use burn_core::tensor::Tensor;

use super::Args;
use crate::leaves;

/// A public function of named tensors and the axis of the classes, at each rank.
#[derive(Clone, Copy)]
pub struct Call {
    /// Logits of rank 1.
    pub one: fn(&Args, isize) -> Tensor<1>,
    /// Logits of rank 2.
    pub two: fn(&Args, isize) -> Tensor<2>,
    /// Logits of rank 3.
    pub three: fn(&Args, isize) -> Tensor<3>,
    /// Logits of rank 4.
    pub four: fn(&Args, isize) -> Tensor<4>,
}

impl Call {
    /// The shape of the output for logits of `rank`, and its numbers in one dimension.
    pub fn run(&self, rank: usize, x: &Args, dim: isize) -> (Vec<usize>, Tensor<1>) {
        fn flat<const D: usize>(y: Tensor<D>) -> (Vec<usize>, Tensor<1>) {
            (y.dims().to_vec(), leaves::flat(y))
        }
        match rank {
            1 => flat((self.one)(x, dim)),
            2 => flat((self.two)(x, dim)),
            3 => flat((self.three)(x, dim)),
            4 => flat((self.four)(x, dim)),
            rank => panic!("no case has rank {rank}"),
        }
    }
}

/// `call!(|x, dim| …)` is a [`Call`]; `|x, dim, D|` and `|x, dim, D, E|` also name the logits' rank and the next one.
macro_rules! call {
    (|$x:ident, $dim:ident $(, $d:ident $(, $e:ident)?)?| $body:expr) => {
        $crate::cases::Call {
            one: { $(const $d: usize = 1; $(const $e: usize = 2;)?)? |$x, $dim| $body },
            two: { $(const $d: usize = 2; $(const $e: usize = 3;)?)? |$x, $dim| $body },
            three: { $(const $d: usize = 3; $(const $e: usize = 4;)?)? |$x, $dim| $body },
            four: { $(const $d: usize = 4; $(const $e: usize = 5;)?)? |$x, $dim| $body },
        }
    };
}

pub(super) use call;
