//! Every operator of the crate once, forward and backward, for the tests that hold for all of them.

use burn_backend::{Shape, TensorData, ops::IntTensorOps};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use burn_relax_kernels::Seed;

use super::{Numbers, device, tensor};

/// The seed of every operator that draws.
pub const SEED: Seed = Seed::new(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210);

/// What a test does with every operator.
pub trait Visit<T> {
    /// Runs the operator. What is returned goes into the backward pass.
    fn visit<R: Results<T>>(&mut self, operator: &Operator<T>, run: impl FnOnce() -> R) -> R;
}

/// An operator and what it is called with.
pub struct Operator<T> {
    pub name: &'static str,
    /// Results as large as the logits.
    pub results: usize,
    /// Launches at most where rows are split; all others take one.
    pub launches: usize,
    /// Its arguments that are tensors.
    pub tensors: Vec<T>,
    /// Its argument that is a temperature or an alpha.
    pub number: f64,
}

/// An argument, as a test is shown it.
pub trait Note<T> {
    fn note(&self, _: &mut Operator<T>) {}
}

impl<T> Note<T> for usize {}
impl<T> Note<T> for bool {}
impl<T> Note<T> for Seed {}

impl<T> Note<T> for f64 {
    fn note(&self, operator: &mut Operator<T>) {
        operator.number = *self;
    }
}

/// One tensor or several.
pub trait Results<T> {
    /// Each changed by `change`, in order.
    fn each(self, change: impl FnMut(T) -> T) -> Self;
}

impl<T> Results<T> for T {
    fn each(self, mut change: impl FnMut(T) -> T) -> Self {
        change(self)
    }
}

impl<T> Results<T> for (T, T) {
    fn each(self, mut change: impl FnMut(T) -> T) -> Self {
        (change(self.0), change(self.1))
    }
}

impl<T> Results<T> for (T, T, T) {
    fn each(self, mut change: impl FnMut(T) -> T) -> Self {
        (change(self.0), change(self.1), change(self.2))
    }
}

/// All results with the names of their operators, in order.
pub struct All<T>(pub Vec<(&'static str, T)>);

impl<T: Clone> Visit<T> for All<T> {
    fn visit<R: Results<T>>(&mut self, operator: &Operator<T>, run: impl FnOnce() -> R) -> R {
        run().each(|result| {
            self.0.push((operator.name, result.clone()));
            result
        })
    }
}

/// Sizes and numbers from which arguments are made.
#[derive(Clone, Debug)]
pub struct Form {
    /// The logits' shape, and the axis of the classes.
    pub shape: Vec<usize>,
    pub dim: usize,
    /// Trailing axes of what is gathered.
    pub features: Vec<usize>,
    /// Logits lie within this.
    pub scale: f32,
    pub temperature: f64,
    /// Fixed alphas.
    pub fixed: Vec<f64>,
    /// Coefficients: one number for all rows, or numbers that the rows take in turns.
    pub powers: Vec<Vec<f32>>,
    pub alphas: Vec<Vec<f32>>,
    pub budgets: Vec<Vec<f32>>,
}

impl Form {
    /// Ordinary numbers for rows along `dim`.
    pub fn new(shape: &[usize], dim: usize) -> Self {
        let coefficients = || vec![vec![1.3], vec![1.2, 1.5, 1.85]];
        Form {
            shape: shape.to_vec(),
            dim,
            features: vec![],
            scale: 3.0,
            temperature: 0.7,
            fixed: vec![1.0, 1.2, 1.5, 2.0],
            powers: vec![vec![1.3]],
            alphas: coefficients(),
            budgets: coefficients(),
        }
    }
}

/// Samples of each row.
pub const SAMPLES: usize = 5;

/// Arguments of the operators.
pub struct Inputs<T> {
    /// Floats of one dtype. Shaped like the logits: these, values, numbers inside (0, 1), and a gradient; one per row: a gradient; one per
    /// class: coordinates; blocks of features: values, and a gradient with one per row; one per sample: a gradient.
    pub floats: [T; 9],
    pub powers: Vec<T>,
    pub alphas: Vec<T>,
    pub budgets: Vec<T>,
    /// Classes of each row.
    pub named: T,
    pub form: Form,
}

impl Inputs<CubeTensor> {
    /// Inputs of `[rows, n]` in f32.
    pub fn new(rows: usize, n: usize) -> Self {
        Inputs::of(Form::new(&[rows, n], 1))
    }

    /// Inputs in f32. One class is forbidden.
    pub fn of(form: Form) -> Self {
        let (all, n) = (&form.shape, form.shape[form.dim]);
        let mut numbers = Numbers(n as u64);
        let mut new = |shape: &[usize], low: f32, high: f32| {
            let data = numbers.take(shape.iter().product(), 1.0).into_iter();
            data.map(|x| low + (x + 1.0) / 2.0 * (high - low))
                .collect::<Vec<_>>()
        };
        let per_row = |size: usize| {
            let mut shape = all.clone();
            shape[form.dim] = size;
            shape
        };
        let (one, draws) = (per_row(1), per_row(SAMPLES));
        let mut logits = new(all, -form.scale, form.scale);
        if let Some(logit) = logits.get_mut(3) {
            *logit = f32::NEG_INFINITY;
        }
        let mut float = |shape: &[usize], low, high| tensor(&new(shape, low, high), shape);
        let rows: usize = one.iter().product();
        let coefficients = |all: &Vec<Vec<f32>>| {
            let each = |numbers: &Vec<f32>| match numbers[..] {
                [number] => tensor(&[number], &vec![1; one.len()]),
                _ => {
                    let each = numbers.iter().copied().cycle().take(rows);
                    tensor(&each.collect::<Vec<_>>(), &one)
                }
            };
            all.iter().map(each).collect()
        };
        let named = (0..rows * SAMPLES).map(|i| ((i * 7919) % n.max(1)) as i32);
        let named = TensorData::new(named.collect(), Shape::from(draws.clone()));
        Inputs {
            floats: [
                tensor(&logits, all),
                float(all, -2.0, 2.0),
                float(all, 0.05, 0.95),
                float(all, -1.0, 1.0),
                float(&one, -1.0, 1.0),
                float(&[n], 0.0, 2.0),
                float(&[&all[..], &form.features].concat(), -2.0, 2.0),
                float(&[&one[..], &form.features].concat(), -1.0, 1.0),
                float(&draws, -1.0, 1.0),
            ],
            powers: coefficients(&form.powers),
            alphas: coefficients(&form.alphas),
            budgets: coefficients(&form.budgets),
            named: CubeBackend::int_from_data(named, &device()),
            form,
        }
    }
}

impl<T> Inputs<T> {
    /// The same with each tensor changed by `change`.
    pub fn map<U>(&self, mut change: impl FnMut(&T) -> U) -> Inputs<U> {
        Inputs {
            floats: self.floats.each_ref().map(&mut change),
            powers: self.powers.iter().map(&mut change).collect(),
            alphas: self.alphas.iter().map(&mut change).collect(),
            budgets: self.budgets.iter().map(&mut change).collect(),
            named: change(&self.named),
            form: self.form.clone(),
        }
    }
}

/// An operator with its arguments, its results as large as the logits, and, unless 2, its launches for rows that are split.
macro_rules! visit {
    ($visitor:ident: $name:ident($($argument:expr),*), $results:literal) => {
        visit!($visitor: $name($($argument),*), $results, 2)
    };
    ($visitor:ident: $name:ident($($argument:expr),*), $results:literal, $launches:literal) => {{
        let mut operator = Operator {
            name: stringify!($name),
            results: $results,
            launches: $launches,
            tensors: Vec::new(),
            number: f64::NAN,
        };
        $(Note::note(&$argument, &mut operator);)*
        $visitor.visit(&operator, || $name($($argument),*))
    }};
}

/// The operators of a library for its tensors.
macro_rules! operators_of {
    ($($library:ident)::+, $tensor:ty) => {
        impl Note<$tensor> for $tensor {
            fn note(&self, operator: &mut Operator<$tensor>) {
                operator.tensors.push(self.clone());
            }
        }

        impl Inputs<$tensor> {
            /// Shows every operator to `visitor`.
            pub fn visit(&self, visitor: &mut impl Visit<$tensor>) {
                use $($library)::+::*;
                let [x, v, unit, g, row, c, _, _, draws] =
                    self.floats.each_ref().map(|t| || t.clone());
                let named = || self.named.clone();
                let (d, t) = (self.form.dim, self.form.temperature);

                let (p, s) = visit!(visitor: softmax(x(), d, t), 1);
                visit!(visitor: softmax_backward(p, s, g(), d, t), 1);
                let (p, s) = visit!(visitor: log_softmax(x(), d), 1);
                visit!(visitor: log_softmax_backward(p, s, g(), d), 1);
                visit!(visitor: argmax(x(), d), 0);
                let (_, s) = visit!(visitor: straight_through_argmax(x(), d, t), 1);
                visit!(visitor: straight_through_argmax_backward(x(), s, g(), d, t), 1);

                let (y, s) = visit!(visitor: soft_argmax(x(), c(), d, t), 0);
                visit!(visitor: soft_argmax_backward(x(), c(), s, y, row(), d, t), 1);
                self.visit_gathers(visitor);
                for t in [0.05, t, 30.0] {
                    let (_, s) = visit!(visitor: free_energy(x(), v(), d, t), 0);
                    visit!(visitor: free_energy_backward(x(), v(), s, row(), d, t), 2);
                }

                for power in &self.powers {
                    let power = || power.clone();
                    visit!(visitor: gradual_argmax(unit(), power(), d), 1);
                    visit!(visitor: gradual_argmax_backward(unit(), power(), g(), d, true), 1);
                    // The sum of a row comes before its gradients: one launch.
                    let (y, s) = visit!(visitor: normalised_gradual_argmax(unit(), power(), d), 1, 1);
                    visit!(
                        visitor: normalised_gradual_argmax_backward(unit(), power(), y, s, g(), d, true),
                        1,
                        1
                    );
                    let (y, s) = visit!(visitor: power_softmax(unit(), power(), d), 1);
                    visit!(visitor: power_softmax_backward(unit(), power(), y, s, g(), d), 1);
                }

                // A search needs the whole row in every pass: one launch.
                for &alpha in &self.form.fixed {
                    let (p, s) = visit!(visitor: entmax(x(), d, alpha), 1, 1);
                    visit!(visitor: entmax_backward(p, s, g(), d, alpha), 1);
                }
                for alpha in &self.alphas {
                    let alpha = || alpha.clone();
                    let (p, s) = visit!(visitor: entmax_rows(x(), alpha(), d), 1, 1);
                    visit!(visitor: entmax_rows_backward(p, alpha(), s, g(), d), 1);
                }
                for k in &self.budgets {
                    let (p, s) = visit!(visitor: budget(x(), k.clone(), d), 1, 1);
                    visit!(visitor: budget_backward(p, s, g(), d), 1);
                }

                let (p, s) = visit!(visitor: gumbel_softmax(x(), d, t, SEED), 1);
                visit!(visitor: softmax_backward(p, s, g(), d, t), 1);
                let (p, s) = visit!(visitor: gumbel_softmax_with_noise(x(), v(), d, t), 1);
                visit!(visitor: softmax_backward(p, s, g(), d, t), 1);
                let (_, s) = visit!(visitor: gumbel_argmax(x(), d, t, SEED), 1);
                visit!(visitor: gumbel_argmax_backward(x(), s, g(), d, t, SEED), 1);
                let (_, s) = visit!(visitor: gumbel_argmax_with_noise(x(), v(), d, t), 1);
                visit!(visitor: gumbel_argmax_with_noise_backward(x(), v(), s, g(), d, t), 1);
                let (i, _, s) = visit!(visitor: sample_categorical(x(), d, SAMPLES, t, SEED), 0);
                visit!(visitor: categorical_log_prob_backward(x(), i, s, draws(), d, t), 1);
                let (_, s) = visit!(visitor: categorical_log_prob(x(), named(), d), 0);
                visit!(visitor: categorical_log_prob_backward(x(), named(), s, draws(), d, 1.0), 1);
            }

            /// Shows those that gather blocks of features.
            pub fn visit_gathers(&self, visitor: &mut impl Visit<$tensor>) {
                use $($library)::+::*;
                let [x, _, _, _, _, _, v, g, _] = self.floats.each_ref().map(|t| || t.clone());
                let (d, t) = (self.form.dim, self.form.temperature);

                let (y, s) = visit!(visitor: soft_argmax_gather(x(), v(), d, t), 0);
                visit!(visitor: soft_argmax_gather_backward(x(), v(), s, y, g(), d, t), 2);
                let (_, y, s) = visit!(visitor: hard_argmax_gather(x(), v(), d, t), 0);
                visit!(visitor: hard_argmax_gather_backward(x(), v(), s, y, g(), d, t), 2);
                visit!(visitor: argmax_gather(x(), v(), d), 0);
                visit!(visitor: argmax_gather_backward(x(), g(), d), 1);
            }
        }
    };
}

operators_of!(burn_relax_wgpu, CubeTensor);
