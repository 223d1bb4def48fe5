use burn_core::tensor::{DType, Device, Tensor};
use burn_relax::distribution::gumbel_noise;

use super::{Case, Form, Kind, Row, SEED, Trial};
use crate::array::Array;

impl Trial<'_> {
    /// What the reference says of the output, in f64.
    ///
    /// The noise of a seed is that of `gumbel_noise`, whose bits have tests of their own.
    pub fn expected(&self) -> Array {
        let (case, arrays) = (self.case, &self.inputs);
        let (shape, dim, classes) = (&self.place.shape, self.place.axis(), self.place.classes());
        let outer: usize = shape[..dim].iter().product();
        let inner: usize = shape[dim + 1..].iter().product();
        let noise = noise(case, outer * inner, classes);
        let mut width = 0;
        let mut rows = Vec::new();
        for (o, i) in (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))) {
            let along = |array: &Array, count: usize, block: usize| -> Vec<f64> {
                let starts = (0..count).map(|k| ((o * count + k) * inner + i) * block);
                let blocks = starts.flat_map(|start| &array.data[start..start + block]);
                blocks.copied().collect()
            };
            let mut row = Row::new(case.number());
            for input in case.inputs {
                let array = &arrays[input.name];
                let numbers = match input.kind {
                    Kind::Classes(_) => along(array, classes, 1),
                    Kind::Features(count) => along(array, classes, count),
                    Kind::Coordinates => array.data.clone(),
                    Kind::PerRow => along(array, 1, 1),
                    Kind::Indices(count) => {
                        let indices = along(array, count, 1);
                        row.indices = indices.iter().map(|&k| k as usize).collect();
                        continue;
                    }
                };
                row.push(input.name, numbers);
            }
            match self.form {
                Form::Number => {}
                Form::PerRow => row.coefficient = along(&arrays["coefficient"], 1, 1)[0],
                Form::Shared => row.coefficient = arrays["coefficient"].data[0],
            }
            let drawn = case.draws * classes;
            row.noise = noise[(o * inner + i) * drawn..][..drawn].to_vec();
            let output = (case.reference)(&row);
            width = output.len();
            rows.push(output);
        }
        let mut own = shape.clone();
        own[dim] = width;
        let entry = |place: usize| {
            let (o, k, i) = (
                place / (width * inner),
                place / inner % width,
                place % inner,
            );
            rows[o * inner + i][k]
        };
        let count: usize = own.iter().product();
        Array::new(own, (0..count).map(entry).collect::<Vec<_>>())
    }
}

fn noise(case: &Case, rows: usize, classes: usize) -> Vec<f64> {
    if case.draws == 0 {
        return Vec::new();
    }
    let shape = [rows, case.draws, classes];
    let noise: Tensor<3> = gumbel_noise(shape, 2, SEED, (&Device::flex(), DType::F64));
    Array::of(noise).data
}
