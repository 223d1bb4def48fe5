//! The operators with logits, as functions of named matrices whose rows are choices.

use std::collections::BTreeMap;

use burn_core::tensor::{DType, Device, Tensor};
use burn_relax::{
    Coordinates, argmax_gather, categorical_entropy, categorical_log_prob, expected_cost,
    free_energy_cost, gumbel_softmax_with_noise, log_softmax, soft_argmax, soft_argmax_gather,
    soft_argmax_with_variance, softmax, straight_through_argmax, windowed_soft_argmax,
};
use burn_relax::{
    SimplexMap, entmax, entmax15, normmax, sparsemax, straight_through_argmax_with_map,
};
use burn_relax_tests::{Array, Leaves, Random, flat};

/// An operator, and what it gives for a class that is forbidden and for a row that is.
pub struct Operator {
    pub name: &'static str,
    pub call: fn(&Leaves) -> Tensor<2>,
    pub forbidden: f64,
    /// Whether it reads the tensor `values`, as values or costs.
    pub reads_values: bool,
}

const fn weights(name: &'static str, call: fn(&Leaves) -> Tensor<2>) -> Operator {
    Operator {
        name,
        call,
        forbidden: 0.0,
        reads_values: false,
    }
}

const fn values(name: &'static str, call: fn(&Leaves) -> Tensor<2>) -> Operator {
    Operator {
        name,
        call,
        forbidden: 0.0,
        reads_values: true,
    }
}

fn logits(x: &Leaves) -> Tensor<2> {
    x.get("logits")
}

fn temperature(x: &Leaves) -> Tensor<2> {
    x.get("temperature")
}

/// Weights on the simplex.
pub const WEIGHTS: [Operator; 13] = [
    weights("sparsemax", |x| sparsemax(logits(x), 1)),
    weights("entmax15", |x| entmax15(logits(x), 1)),
    weights("entmax", |x| entmax(logits(x), 1, 1.25)),
    weights("entmax per row", |x| {
        entmax(logits(x), 1, temperature(x).mul_scalar(0.4).add_scalar(0.9))
    }),
    weights("normmax", |x| normmax(logits(x), 1, 1.5)),
    weights("sparsemax per row", |x| {
        SimplexMap::Sparsemax.apply(logits(x), 1, temperature(x))
    }),
    weights("hard sparsemax", |x| {
        straight_through_argmax_with_map(logits(x), 1, 0.7, SimplexMap::Sparsemax)
    }),
    weights("softmax", |x| softmax(logits(x), 1, 0.7)),
    weights("softmax per row", |x| softmax(logits(x), 1, temperature(x))),
    weights("straight_through_argmax", |x| {
        straight_through_argmax(logits(x), 1, 0.7)
    }),
    weights("straight_through_argmax per row", |x| {
        straight_through_argmax(logits(x), 1, temperature(x))
    }),
    weights("gumbel_softmax", |x| {
        gumbel_softmax_with_noise(logits(x), x.constant("noise"), 1, 0.7, false)
    }),
    weights("hard gumbel_softmax", |x| {
        gumbel_softmax_with_noise(logits(x), x.constant("noise"), 1, 0.7, true)
    }),
];

/// What is read out of a row.
pub const READ_OUTS: [Operator; 13] = [
    Operator {
        forbidden: f64::NEG_INFINITY,
        ..weights("log_softmax", |x| log_softmax(logits(x), 1))
    },
    weights("soft_argmax", |x| {
        soft_argmax(logits(x), 1, 0.7, x.constant::<1>("coordinates"))
    }),
    weights("soft_argmax per row", |x| {
        soft_argmax(
            logits(x),
            1,
            temperature(x),
            Coordinates::Given(x.get("coordinates")),
        )
    }),
    weights("variance", |x| {
        soft_argmax_with_variance(logits(x), 1, 0.7, x.constant::<1>("coordinates")).1
    }),
    weights("windowed_soft_argmax", |x| {
        windowed_soft_argmax(logits(x), 1, 0.7, x.constant::<1>("coordinates"), 1.3)
    }),
    weights("categorical_entropy", |x| categorical_entropy(logits(x), 1)),
    values("soft_argmax_gather", |x| {
        soft_argmax_gather(logits(x), x.get::<2>("values"), 1, 0.7, false)
    }),
    values("soft_argmax_gather per row", |x| {
        soft_argmax_gather(logits(x), x.get::<2>("values"), 1, temperature(x), false)
    }),
    values("hard soft_argmax_gather", |x| {
        soft_argmax_gather(logits(x), x.get::<2>("values"), 1, 0.7, true)
    }),
    values("argmax_gather", |x| {
        argmax_gather(logits(x), x.get::<2>("values"), 1)
    }),
    values("expected_cost", |x| {
        expected_cost(logits(x), x.get("values"), 1)
    }),
    values("free_energy_cost", |x| {
        free_energy_cost(logits(x), x.get("values"), 1, 0.7)
    }),
    values("free_energy_cost per row", |x| {
        free_energy_cost(logits(x), x.get("values"), 1, temperature(x))
    }),
];

/// All of them, and the log-probability of the first class.
pub fn operators() -> Vec<Operator> {
    let log_prob = Operator {
        forbidden: f64::NEG_INFINITY,
        ..weights("categorical_log_prob", |x| {
            let rows = x.array("logits").shape[0];
            let first = Array::new([rows, 1], vec![0.0; rows]).ints(x.device());
            categorical_log_prob(logits(x), first, 1)
        })
    };
    WEIGHTS
        .into_iter()
        .chain(READ_OUTS)
        .chain([log_prob])
        .collect()
}

/// Inputs of the operators: matrices of one shape, `coordinates` for each column and `temperature` for each row.
#[derive(Clone)]
pub struct Inputs(pub BTreeMap<String, Array>);

impl Inputs {
    pub fn random(rows: usize, classes: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut inputs = BTreeMap::new();
        for name in ["logits", "values", "noise", "upstream"] {
            inputs.insert(name.to_owned(), random.array([rows, classes], -2.0, 2.0));
        }
        inputs.insert("coordinates".to_owned(), random.array([classes], -2.0, 2.0));
        inputs.insert("temperature".to_owned(), random.array([rows, 1], 0.5, 2.0));
        Self(inputs)
    }

    /// One row of logits, values 10, 20, …, no noise, coordinates 0, 1, … and temperature 1.
    pub fn row(logits: &[f64]) -> Self {
        Self::rows(&[logits])
    }

    pub fn rows(logits: &[&[f64]]) -> Self {
        let (rows, classes) = (logits.len(), logits[0].len());
        let line = |f: fn(usize) -> f64| (0..classes).map(f).collect::<Vec<_>>();
        let matrix = |f: fn(usize) -> f64| Array::new([rows, classes], line(f).repeat(rows));
        let inputs = [
            ("logits", Array::new([rows, classes], logits.concat())),
            ("values", matrix(|i| 10.0 * (i + 1) as f64)),
            ("noise", matrix(|_| 0.0)),
            ("upstream", matrix(|i| 1.0 + i as f64)),
            ("coordinates", Array::line(line(|i| i as f64))),
            ("temperature", Array::new([rows, 1], vec![1.0; rows])),
        ];
        Self(inputs.map(|(name, array)| (name.to_owned(), array)).into())
    }

    pub fn get(&self, name: &str) -> &Array {
        &self.0[name]
    }

    pub fn set(&mut self, name: &str, row: usize, column: usize, value: f64) {
        let array = self.0.get_mut(name).expect("it is an input");
        let classes = array.shape[1];
        array.data[row * classes + column] = value;
    }

    pub fn map(mut self, name: &str, f: impl FnMut(f64) -> f64) -> Self {
        let array = self.0[name].map(f);
        self.0.insert(name.to_owned(), array);
        self
    }

    /// The classes of these columns, in this order.
    pub fn columns(&self, columns: &[usize]) -> Self {
        let pick = |(name, array): (&String, &Array)| {
            let picked = if name == "temperature" {
                array.clone()
            } else {
                pick_columns(array, columns)
            };
            (name.clone(), picked)
        };
        Self(self.0.iter().map(pick).collect())
    }

    /// These rows.
    pub fn pick_rows(&self, rows: &[usize]) -> Self {
        let pick = |(name, array): (&String, &Array)| {
            let picked = if name == "coordinates" {
                array.clone()
            } else {
                pick_rows(array, rows)
            };
            (name.clone(), picked)
        };
        Self(self.0.iter().map(pick).collect())
    }

    /// Output of an operator and gradients of all it tracks, the output weighted by `upstream`.
    pub fn run(&self, operator: &Operator, device: &Device) -> BTreeMap<String, Array> {
        let x = Leaves::new(&device.clone().autodiff(), DType::F32, self.0.clone());
        let y = (operator.call)(&x);
        let [rows, width] = y.dims();
        let upstream = self.get("upstream");
        let columns: Vec<usize> = (0..width).collect();
        let weights = pick_columns(upstream, &columns);
        assert_eq!(weights.shape, [rows, width]);
        let output = Array::of(y.clone());
        let mut results = x.gradients(flat(y), &Array::line(weights.data));
        results.insert("output".to_owned(), output);
        results
    }
}

/// The columns of a matrix, or the entries of a line.
pub fn pick_columns(array: &Array, columns: &[usize]) -> Array {
    let classes = *array.shape.last().expect("it is no scalar");
    let data: Vec<f64> = array
        .data
        .chunks(classes)
        .flat_map(|row| columns.iter().map(|&column| row[column]))
        .collect();
    let mut shape = array.shape.clone();
    *shape.last_mut().expect("it is no scalar") = columns.len();
    Array::new(shape, data)
}

pub fn pick_rows(array: &Array, rows: &[usize]) -> Array {
    let width = array.shape[1];
    let data: Vec<f64> = rows
        .iter()
        .flat_map(|row| array.data[row * width..(row + 1) * width].iter().copied())
        .collect();
    Array::new([rows.len(), width], data)
}
