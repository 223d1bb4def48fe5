/// Runs `$body` with the constant `$rank` set to a rank known at run time.
#[macro_export]
macro_rules! with_rank {
    ($value:expr, $rank:ident => $body:expr) => {
        $crate::with_rank!(@one_of [1 2 3 4 5] $value, $rank => $body)
    };
    (@one_of [$($known:literal)*] $value:expr, $rank:ident => $body:expr) => {
        match $value {
            $($known => {
                const $rank: usize = $known;
                $body
            })*
            rank => panic!("no test has rank {rank}"),
        }
    };
}
