//! Rows and columns of a trial's inputs and results.

use burn_relax_tests::{
    Array,
    cases::{Kind, Trial},
};

pub fn set_entry(trial: &mut Trial, name: &str, [row, column]: [usize; 2], number: f64) {
    let classes = trial.place.classes();
    let array = trial.inputs.get_mut(name).expect("it is an input");
    let block = array.data.len() / (array.shape[0] * classes);
    let start = (row * classes + column) * block;
    array.data[start..start + block].fill(number);
}

pub fn set_column(trial: &mut Trial, name: &str, column: usize, number: f64) {
    for row in 0..trial.place.shape[0] {
        set_entry(trial, name, [row, column], number);
    }
}

/// The classes of these columns, in this order.
pub fn columns<'a>(trial: &Trial<'a>, columns: &[usize]) -> Trial<'a> {
    let mut picked = trial.clone();
    picked.place.shape[1] = columns.len();
    for input in trial.case.inputs {
        let array = picked.inputs.get_mut(input.name).expect("it is an input");
        *array = match input.kind {
            Kind::Classes(_) | Kind::Coordinates => pick_columns(array, columns),
            Kind::Features(count) => pick_blocks(array, columns, count),
            Kind::PerRow | Kind::Indices(_) => array.clone(),
        };
    }
    picked
}

/// The columns of a matrix, or the entries of a line.
pub fn pick_columns(array: &Array, columns: &[usize]) -> Array {
    pick_blocks(array, columns, 1)
}

/// The columns that `like` has, of a result of its kind.
pub fn pick_columns_of(array: &Array, like: &Array, columns: &[usize]) -> Array {
    match like.shape.len() {
        3 => pick_blocks(array, columns, like.shape[2]),
        _ => pick_columns(array, columns),
    }
}

fn pick_blocks(array: &Array, columns: &[usize], block: usize) -> Array {
    let mut shape = array.shape.clone();
    let axis = shape.len() - 1 - usize::from(block > 1);
    let rows = array.data.chunks(shape[axis] * block);
    let picked = rows.flat_map(|row| {
        let blocks = columns
            .iter()
            .flat_map(|c| &row[c * block..(c + 1) * block]);
        blocks.copied().collect::<Vec<_>>()
    });
    let data: Vec<f64> = picked.collect();
    shape[axis] = columns.len();
    Array::new(shape, data)
}

pub fn pick_rows(array: &Array, rows: &[usize]) -> Array {
    let width: usize = array.shape[1..].iter().product();
    let data: Vec<f64> = rows
        .iter()
        .flat_map(|row| array.data[row * width..(row + 1) * width].iter().copied())
        .collect();
    let mut shape = array.shape.clone();
    shape[0] = rows.len();
    Array::new(shape, data)
}
