//! Every operator against the oracle in `f64`, for every element type; and that none is missing.
//!
//! Tolerances are `absolute + relative * |want|`; inputs are of order 1. In `f32` 5e-7 is four times the distance of floats
//! near 1: every result is a sum of up to 4096 products of two rounded factors. The 16-bit types add their own rounding of the
//! result, and gradients made from saved 16-bit outputs carry those outputs' rounding.

use crate::case::{Case, SIZES};
use crate::operators::{Answer, answers};
use crate::support::{assert_close, narrow, same, wide};
use burn_relax_kernels::{Element, NAMES, naive};
use half::{bf16, f16};
use std::collections::{BTreeMap, BTreeSet};

/// The oracle's answers by the names of [`answers`].
pub struct Oracle(BTreeMap<String, Vec<f64>>);

impl Oracle {
    /// What `answer` should be, unless nothing says so: see [`has_no_oracle`].
    pub fn want(&self, answer: &Answer) -> Option<&Vec<f64>> {
        self.0.get(&answer.name())
    }

    fn add(&mut self, name: &str, row: impl IntoIterator<Item = f64>) {
        self.0.entry(name.to_owned()).or_default().extend(row);
    }

    fn add_two(&mut self, name: &str, [a, b]: [&str; 2], rows: (Vec<f64>, Vec<f64>)) {
        self.add(&format!("{name} {a}"), rows.0);
        self.add(&format!("{name} {b}"), rows.1);
    }

    /// Of a case.
    pub fn of(c: &Case) -> Self {
        let mut all = Oracle(BTreeMap::new());
        for r in 0..c.rows {
            let row = |values: &'_ [f64]| values[r * c.n..][..c.n].to_vec();
            all.row(c, r, &row(&c.logits), &row(&c.grad));
            all.gathers(c, r, &row(&c.logits));
            all.parameters(c, r, &row(&c.logits), &row(&c.unit), &row(&c.grad));
        }
        all
    }

    fn row(&mut self, c: &Case, r: usize, x: &[f64], g: &[f64]) {
        let (n, t, g1) = (c.n, c.temperature, c.grad_row[r]);
        self.add("softmax  probs", naive::softmax(x, t));
        self.add(
            "softmax_backward  grad_logits",
            naive::softmax_backward(x, g, t),
        );
        let log_probs = naive::log_softmax(x);
        self.add("log_softmax  log_probs", log_probs.clone());
        self.add(
            "log_softmax_backward  grad_logits",
            naive::log_softmax_backward(x, g),
        );
        let coordinates = &c.coordinates;
        self.add(
            "soft_argmax  output",
            naive::soft_argmax_gather(x, coordinates, 1, t),
        );
        let (gx, _) = naive::soft_argmax_gather_backward(x, coordinates, &[g1], t);
        self.add("soft_argmax_backward  grad_logits", gx);
        let cost = &c.cost[r * n..][..n];
        self.add("free_energy  energy", [naive::free_energy(x, cost, t)]);
        let gradients = naive::free_energy_backward(x, cost, t, g1);
        self.add_two(
            "free_energy_backward ",
            ["grad_logits", "grad_cost"],
            gradients,
        );
        self.add("argmax  indices", [naive::argmax(x) as f64]);
        self.add("straight_through_argmax  hard", naive::one_hot(x, x));
        let soft = naive::softmax_backward(x, g, t);
        self.add("straight_through_argmax_backward  grad_logits", soft);
        let asked = &c.indices[r * c.samples..][..c.samples];
        let asked: Vec<usize> = asked.iter().map(|&k| k as usize).collect();
        self.add(
            "categorical_log_prob  log_prob",
            asked.iter().map(|&k| log_probs[k]),
        );
        let g = &c.grad_samples[r * c.samples..][..c.samples];
        let gx = naive::log_prob_backward(x, &asked, g);
        self.add("categorical_log_prob_backward at 1 grad_logits", gx);
        let (noise, g) = (&c.noise[r * n..][..n], &c.grad[r * n..][..n]);
        self.add(
            "gumbel_softmax_with_noise  probs",
            naive::gumbel_softmax(x, noise, t),
        );
        self.add(
            "gumbel_argmax_with_noise  hard",
            naive::gumbel_argmax(x, noise),
        );
        let gx = naive::gumbel_softmax_backward(x, noise, g, t);
        self.add("gumbel_argmax_with_noise_backward  grad_logits", gx);
    }

    fn gathers(&mut self, c: &Case, r: usize, x: &[f64]) {
        let (n, t) = (c.n, c.temperature);
        let both = ["grad_logits", "grad_values"];
        for gather in &c.gathers {
            let f = gather.features;
            let (v, g) = (
                &gather.values[r * n * f..][..n * f],
                &gather.grad[r * f..][..f],
            );
            let (soft, hard) = (
                naive::soft_argmax_gather(x, v, f, t),
                naive::hard_argmax_gather(x, v, f),
            );
            self.add(&format!("soft_argmax_gather {f} soft"), soft.clone());
            self.add(&format!("hard_argmax_gather {f} soft"), soft);
            self.add(&format!("hard_argmax_gather {f} hard"), hard.clone());
            self.add(&format!("argmax_gather {f} output"), hard);
            let gradients = naive::soft_argmax_gather_backward(x, v, g, t);
            self.add_two(&format!("soft_argmax_gather_backward {f}"), both, gradients);
            let gradients = naive::hard_argmax_gather_backward(x, v, g, t);
            self.add_two(&format!("hard_argmax_gather_backward {f}"), both, gradients);
            let gv = naive::argmax_gather_backward(x, g);
            self.add(&format!("argmax_gather_backward {f} grad_values"), gv);
        }
    }

    fn parameters(&mut self, c: &Case, r: usize, x: &[f64], v: &[f64], g: &[f64]) {
        for (variant, k) in [("each", r), ("one", 0)] {
            let p = c.power[k];
            let both = ["grad_values", "grad_power"];
            self.add(
                &format!("gradual_argmax {variant} output"),
                naive::gradual_argmax(v, p),
            );
            let (gv, gp) = naive::gradual_argmax_backward(v, p, g);
            self.add_two(
                &format!("gradual_argmax_backward {variant}"),
                both,
                (gv, vec![gp]),
            );
            self.add(
                &format!("normalised_gradual_argmax {variant} output"),
                naive::normalised_gradual_argmax(v, p),
            );
            let (gv, gp) = naive::normalised_gradual_argmax_backward(v, p, g);
            self.add_two(
                &format!("normalised_gradual_argmax_backward {variant}"),
                both,
                (gv, vec![gp]),
            );
            self.add(
                &format!("power_softmax {variant} output"),
                naive::power_softmax(v, p),
            );
            let (gv, gp) = naive::power_softmax_backward(v, p, g);
            self.add_two(
                &format!("power_softmax_backward {variant}"),
                both,
                (gv, vec![gp]),
            );
            self.add(
                &format!("entmax_rows {variant} probs"),
                naive::entmax(x, c.alpha[k]),
            );
            let (gx, ga) = naive::entmax_backward(x, c.alpha[k], g);
            let both = ["grad_logits", "grad_alpha"];
            self.add_two(
                &format!("entmax_rows_backward {variant}"),
                both,
                (gx, vec![ga]),
            );
            self.add(
                &format!("budget {variant} probs"),
                naive::budget(x, c.budget[k]),
            );
            let (gx, gk) = naive::budget_backward(x, c.budget[k], g);
            let both = ["grad_logits", "grad_budget"];
            self.add_two(&format!("budget_backward {variant}"), both, (gx, vec![gk]));
        }
        for &alpha in &c.alphas {
            self.add(&format!("entmax {alpha} probs"), naive::entmax(x, alpha));
            let (gx, _) = naive::entmax_backward(x, alpha, g);
            self.add(&format!("entmax_backward {alpha} grad_logits"), gx);
        }
    }
}

/// Operators that make noise, which the tests of the noise and the recorded bits see to.
const NOISY: [&str; 6] = [
    "gumbel_softmax",
    "gumbel_argmax",
    "gumbel_argmax_backward",
    "sample_categorical",
    "uniform",
    "gumbel",
];

/// Whether nothing says what an answer should be: statistics, noise, and a gradient at a temperature that is not that of its statistics.
fn has_no_oracle(answer: &Answer) -> bool {
    answer.output == "stats" || answer.variant == "scaled" || NOISY.contains(&answer.operator)
}

/// The answers that the oracle knows, each with what it should be.
pub fn compared<F: Element>(case: &Case) -> Vec<(Answer, Vec<f64>)> {
    let oracle = Oracle::of(case);
    let answers = answers::<F>(case).into_iter();
    answers
        .filter_map(|answer| {
            let want = oracle.want(&answer).cloned();
            assert!(
                want.is_some() != has_no_oracle(&answer),
                "{}",
                answer.name()
            );
            want.map(|want| (answer, want))
        })
        .collect()
}

#[test]
fn every_operator_of_the_crate_is_in_the_list() {
    let case = Case::random(1, 2, 5, 1.0);
    let listed: BTreeSet<&str> = answers::<f32>(&case).iter().map(|a| a.operator).collect();
    let mut all: BTreeSet<&str> = NAMES.iter().copied().flatten().copied().collect();
    all.extend(["uniform", "gumbel"]);
    assert_eq!(listed, all);
    assert!(compared::<f32>(&case).len() > all.len());
}

/// How much larger than 1 the numbers are that a kernel rounds on the way to its result, for inputs of order 1.
fn sensitivity(answer: &Answer, n: usize, temperature: f64) -> f64 {
    match (answer.operator, answer.output) {
        // Sums of n terms of order 1.
        (_, "grad_power") | ("log_softmax_backward", _) => (n as f64).sqrt(),
        // p / max times a difference: p is up to 6, the maximum may be small.
        ("power_softmax_backward", _) => 20.0,
        // p is up to 6.
        ("gradual_argmax_backward" | "normalised_gradual_argmax_backward", _) => 6.0,
        // 70 differences of values and their mean, which cancel where one weight is nearly 1.
        (_, "grad_logits") if answer.variant == "70" => 10.0 / temperature,
        // Logits of order 4 less a threshold.
        ("budget", _) => 4.0,
        // Squared logarithms of the weights.
        (_, "grad_alpha") => 20.0,
        // A sharp temperature multiplies gradients.
        _ => 1.0 / temperature,
    }
}

fn compare<F: Element>(absolute: f64, relative: f64) {
    for (k, &n) in SIZES.iter().enumerate() {
        for temperature in [1.0, 0.3] {
            let rows = if n > 1000 { 4 } else { 9 };
            let case = Case::random(k as u64 + 1, rows, n, temperature).rounded::<F>();
            for (answer, want) in compared::<F>(&case) {
                let size = sensitivity(&answer, n, temperature);
                let label = format!("{} n={n} temperature={temperature}", answer.name());
                assert_close(&label, &answer.values, &want, absolute * size, relative);
            }
        }
    }
}

#[test]
fn f32_kernels_agree_with_the_oracle() {
    compare::<f32>(5e-7, 5e-7);
}

#[test]
fn f64_kernels_agree_with_the_oracle() {
    compare::<f64>(2e-15, 2e-15);
}

#[test]
fn f16_kernels_agree_with_the_oracle() {
    compare::<f16>(2e-3, 2e-3);
}

#[test]
fn bf16_kernels_agree_with_the_oracle() {
    compare::<bf16>(1.6e-2, 1.6e-2);
}

/// Whether an answer comes from the inputs alone, not from saved 16-bit outputs.
fn is_forward(answer: &Answer) -> bool {
    !answer.operator.ends_with("backward") || answer.operator == "argmax_gather_backward"
}

fn rounds_once<F: Element>() {
    for n in [1, 17, 257] {
        let case = Case::random(n as u64, 5, n, 0.7).rounded::<F>();
        for (answer, single) in answers::<F>(&case).iter().zip(answers::<f32>(&case)) {
            if is_forward(answer) && answer.output != "stats" && answer.operator != "uniform" {
                let rounded = if answer.output == "indices" {
                    single.values
                } else {
                    wide(&narrow::<F>(&single.values))
                };
                assert!(same(&answer.values, &rounded), "{} n={n}", answer.name());
            }
        }
    }
}

#[test]
fn sixteen_bit_results_are_the_f32_results_rounded_once() {
    rounds_once::<f16>();
    rounds_once::<bf16>();
}

#[test]
fn no_rows_give_no_output() {
    for n in [1, 5] {
        let case = Case::random(1, 0, n, 1.0);
        for answer in answers::<f32>(&case) {
            assert!(answer.values.is_empty(), "{}", answer.name());
        }
    }
}

#[test]
fn the_hard_gather_shares_the_soft_results() {
    for n in [1, 33, 257] {
        let mut case = Case::random(4, 8, n, 0.7).rounded::<f32>();
        case.logits[5 * n..6 * n].fill(f64::NEG_INFINITY);
        case.logits[6 * n + n / 2] = f64::INFINITY;
        let all = answers::<f32>(&case);
        let named = |name: &str, output: &str, f: usize| {
            let name = format!("{name} {f} {output}");
            &all.iter()
                .find(|a| a.name() == name)
                .expect("listed")
                .values
        };
        for f in [1, 2, 3, 4, 8, 70] {
            for output in ["soft", "stats"] {
                let [soft, hard] =
                    ["soft_argmax_gather", "hard_argmax_gather"].map(|k| named(k, output, f));
                assert!(same(soft, hard), "{output} {f} n={n}");
            }
            let [soft, hard] = ["soft_argmax_gather_backward", "hard_argmax_gather_backward"]
                .map(|k| named(k, "grad_logits", f));
            assert!(same(soft, hard), "gradient {f} n={n}");
            let [chosen, hard] = ["argmax_gather_backward", "hard_argmax_gather_backward"]
                .map(|k| named(k, "grad_values", f));
            assert!(same(chosen, hard), "chosen {f} n={n}");
        }
    }
}
