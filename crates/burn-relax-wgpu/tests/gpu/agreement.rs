//! Every operator on the device gives what the CPU row kernels give in f64, which have tests of their own.

use std::vec::IntoIter;

use burn_cubecl::tensor::CubeTensor;
use burn_relax_kernels::tensor::{self, RowTensor};

use crate::{
    choice::assert_as_large,
    device::operators::{All, Inputs, Operator, Results, Visit},
    plain::Plain,
    rules::{Rule, TOLERANCE, rule},
    support::{assert_close, assert_close_at_scale},
};

/// Compares the results of the CPU with those of the device.
struct Compared {
    what: String,
    dim: usize,
    device: IntoIter<(&'static str, CubeTensor)>,
    /// The operator shown before.
    before: &'static str,
    /// What the soft gather gave.
    soft: Vec<Plain>,
}

impl Visit<Plain> for Compared {
    fn visit<R: Results<Plain>>(
        &mut self,
        operator: &Operator<Plain>,
        run: impl FnOnce() -> R,
    ) -> R {
        let mut results: Vec<Plain> = Vec::new();
        let made = run().each(|mut want| {
            let (name, got) = self.device.next().expect("a result of the device");
            assert_eq!(name, operator.name);
            let got = Plain::of(&got);
            let k = results.len();
            results.push(got.clone());
            let what = format!("{}, result {k}, {}", operator.name, self.what);
            assert_eq!(got.dims(), want.dims(), "{what}: shape");
            if (operator.name, k) == ("sample_categorical", 1) {
                // Of the classes that the device drew.
                want = log_probs(operator, &results[0], self.dim);
            }
            self.compare(&what, operator, &results, &want);
            self.compare_forms(&what, operator, k, &got);
            // A gradient is that of these very weights: others may have another support, or other noise.
            let own = ["entmax", "entmax_rows", "budget", "sample_categorical"];
            if own.contains(&operator.name) || operator.name.starts_with("gumbel_softmax") {
                got
            } else {
                want
            }
        });
        self.before = operator.name;
        made
    }
}

/// The log-probabilities of `classes` at the temperature of `operator`.
fn log_probs(operator: &Operator<Plain>, classes: &Plain, dim: usize) -> Plain {
    let logits = &operator.tensors[0];
    let mut scaled: Vec<f64> = logits.values();
    scaled.iter_mut().for_each(|x| *x /= operator.number);
    let scaled = Plain::from_elements(scaled, logits.dims(), logits.dtype());
    tensor::categorical_log_prob(scaled, classes.clone(), dim).0
}

impl Compared {
    /// Compares the last of `results`.
    fn compare(&self, what: &str, operator: &Operator<Plain>, results: &[Plain], want: &Plain) {
        let k = results.len() - 1;
        let (got, dim) = (&results[k], self.dim);
        let rows = || {
            let rows = got.rows(dim).into_iter().zip(want.rows(dim)).enumerate();
            rows.map(|(r, (got, want))| (format!("{what}, row {r}"), r, got, want))
        };
        match rule(self.before, operator, k, dim) {
            Rule::Tensor(tolerance, least) => {
                assert_close_at_scale(what, &got.values(), &want.values(), tolerance, least);
            }
            Rule::Rows(bounds) => {
                for (what, r, got, want) in rows() {
                    let bound = &bounds[r % bounds.len()];
                    let [got, want] = [got, want].map(|row| bound.tame(row));
                    assert_close_at_scale(&what, &got, &want, bound.tolerance, bound.least);
                }
            }
            Rule::Count(most) => {
                let weights = results[0].rows(dim);
                for (what, r, got, want) in rows() {
                    assert_close(&what, &got[..1], &want[..1], TOLERANCE);
                    let members = weights[r].iter().filter(|&&p| 0.0 < p && p < most);
                    let close = (got[1] - members.count() as f64).abs() <= 1.0;
                    let known = close || got[1] == want[1];
                    assert!(known || got.iter().all(|s| s.is_nan()), "{what}: {got:?}");
                }
            }
            Rule::Choice => {
                let other =
                    |(got, want): (&f64, &f64)| got != want && !(got.is_nan() && want.is_nan());
                for (what, r, got, want) in rows() {
                    if got.iter().zip(&want).any(other) {
                        assert_as_large(&what, operator, dim, r, &got);
                    }
                }
            }
            Rule::Free => {}
        }
    }

    /// Fails unless the hard gather has the bits of the soft one where they compute the same.
    fn compare_forms(&mut self, what: &str, operator: &Operator<Plain>, k: usize, got: &Plain) {
        let twin = match (operator.name, k) {
            ("soft_argmax_gather" | "soft_argmax_gather_backward", _) => {
                return self.soft.push(got.clone());
            }
            ("hard_argmax_gather", 1 | 2) => &self.soft[k - 1],
            ("hard_argmax_gather_backward", 0) => &self.soft[2],
            _ => return,
        };
        assert!(
            got.elements::<u64>() == twin.elements::<u64>(),
            "{what}: not the soft form's bits"
        );
    }
}

/// Fails unless the operators that `$visit` shows agree.
macro_rules! agree {
    ($what:expr, $inputs:expr, $visit:ident) => {{
        let mut all = All(Vec::new());
        $inputs.$visit(&mut all);
        let mut compared = Compared {
            what: format!("{} {:?}", $what, $inputs.form),
            dim: $inputs.form.dim,
            device: all.0.into_iter(),
            before: "",
            soft: Vec::new(),
        };
        $inputs.map(Plain::of).$visit(&mut compared);
    }};
}

/// Fails unless every operator agrees.
pub fn check(what: &str, inputs: &Inputs<CubeTensor>) {
    agree!(what, inputs, visit);
}

/// Fails unless the gathers do.
pub fn check_gathers(inputs: &Inputs<CubeTensor>) {
    agree!("", inputs, visit_gathers);
}
