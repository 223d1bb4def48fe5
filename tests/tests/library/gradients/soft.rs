use burn_core::tensor::Device;
use burn_relax::{relax::Coordinates, soft_argmax, soft_argmax_gather};
use burn_relax_tests::{Difference, Table};

use super::{at_every_axis, spread, twice};

fn soft_argmax_has_its_slope(device: &Device, table: &mut Table) {
    at_every_axis!(
        device,
        table,
        "soft_argmax of a line",
        |D, shape, dim| [("logits", spread(shape, 5))],
        |x| soft_argmax(
            x.get::<D>("logits"),
            dim,
            0.5,
            Coordinates::Index {
                base: 1.0,
                step: -0.4
            }
        )
    );
}

fn soft_argmax_gather_of_features_has_its_slope(device: &Device, table: &mut Table) {
    /// Logits and values of these shapes, along every axis of the logits.
    macro_rules! features {
        ($rank:literal $shape:expr, $with_features:literal $values:expr) => {
            for dim in 0..$rank {
                let name = format!(
                    "soft_argmax_gather of {:?} from {:?} along {dim}",
                    $values, $shape
                );
                Difference::new(name)
                    .input("logits", spread($shape, 12))
                    .input("values", spread($values, 13))
                    .check(device, table, |x| {
                        let (logits, values) =
                            (x.get::<$rank>("logits"), x.get::<$with_features>("values"));
                        soft_argmax_gather(logits, values, dim, 0.7)
                    });
            }
        };
    }
    features!(1 [5], 2 [5, 3]);
    features!(1 [5], 3 [5, 2, 2]);
    features!(2 [3, 4], 3 [3, 4, 1]);
    features!(2 [3, 4], 4 [3, 4, 2, 2]);
    features!(3 [2, 3, 2], 4 [2, 3, 2, 3]);
}

twice!(
    soft_argmax_has_its_slope,
    soft_argmax_gather_of_features_has_its_slope,
);
