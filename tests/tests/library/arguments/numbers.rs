use burn_relax::{distribution::*, estimate::*, loss::*, relax::*, *};

use super::{ints, message, refusals, zeros};

fn relaxed(choice: Relaxation<1>) {
    drop(choice.weights(zeros([2]), 0));
}

/// Zero, negative, NaN and infinite numbers, with how they are printed.
const BAD: [(f64, &str); 6] = [
    (0.0, "0"),
    (-0.0, "-0"),
    (-1.5, "-1.5"),
    (f64::NAN, "NaN"),
    (f64::INFINITY, "inf"),
    (f64::NEG_INFINITY, "-inf"),
];

/// Every operator that takes a temperature or a power refuses each bad number by name.
#[test]
fn a_temperature_or_power_outside_its_domain_is_named() {
    type Call = fn(f64);
    let calls: [(&str, &str, Call); 22] = [
        ("softmax", "temperature", |t| {
            drop(softmax(zeros([2]), 0, t))
        }),
        ("soft_argmax", "temperature", |t| {
            drop(soft_argmax(zeros([2]), 0, t, Coordinates::index()))
        }),
        ("Relaxation", "temperature", |t| {
            let choice = Relaxation::softmax(t);
            drop(choice.coordinate_with_variance(zeros([2]), 0, Coordinates::index()));
        }),
        ("Relaxation", "temperature", |t| {
            let choice = Relaxation::softmax(t);
            drop(choice.windowed_coordinate(zeros([2]), 0, Coordinates::index(), 1.0));
        }),
        ("soft_argmax_gather", "temperature", |t| {
            drop(soft_argmax_gather(zeros([2]), zeros([2]), 0, t))
        }),
        ("Relaxation", "temperature", |t| {
            drop(
                Relaxation::softmax(t)
                    .hard()
                    .gather(zeros([2]), zeros([2]), 0),
            )
        }),
        ("gradual_argmax", "power", |p| {
            drop(gradual_argmax(zeros([2]), 0, p))
        }),
        ("power_softmax", "power", |p| {
            drop(power_softmax(zeros([2]), 0, p))
        }),
        ("gumbel_softmax", "temperature", |t| {
            drop(gumbel_softmax(zeros([2]), 0, t, 1))
        }),
        ("Relaxation", "temperature", |t| {
            relaxed(Relaxation::softmax(t).gumbel(1).hard())
        }),
        ("Relaxation", "temperature", |t| {
            relaxed(Relaxation::softmax(t).noise(zeros([2])).hard())
        }),
        ("relaxed_categorical_log_density", "temperature", |t| {
            drop(relaxed_categorical_log_density(
                zeros([2]),
                zeros([2]),
                0,
                t,
            ));
        }),
        ("straight_through_argmax", "temperature", |t| {
            drop(straight_through_argmax(zeros([2]), 0, t))
        }),
        ("Relaxation", "the temperature to sample at", |t| {
            relaxed(Relaxation::softmax(1).sampled_at(t, 1))
        }),
        ("Relaxation", "temperature", |t| {
            relaxed(Relaxation::softmax(t).sampled(1))
        }),
        ("free_energy_loss", "temperature", |t| {
            drop(free_energy_loss(zeros([2]), zeros([2]), 0, t))
        }),
        ("reinmax", "temperature", |t| {
            drop(reinmax(zeros([2]), 0, t, 1))
        }),
        ("reinmax_with_indices", "temperature", |t| {
            drop(reinmax_with_indices(zeros([2]), ints([1]), 0, t));
        }),
        ("Relaxation", "temperature", |t| {
            relaxed(Relaxation::softmax(t).gumbel(1).rao(1))
        }),
        ("gaussian_log_likelihood", "deviation", |s| {
            drop(gaussian_log_likelihood(zeros([2]), zeros([1]), s));
        }),
        ("Relaxation", "temperature", |t| {
            drop(Relaxation::<2>::softmax(t).spatial::<1>(zeros([2, 2]), Grid::Pixels));
        }),
        ("Relaxation", "temperature", |t| {
            let choice = Relaxation::<2>::softmax(t);
            drop(choice.windowed_spatial::<1>(zeros([2, 2]), Grid::Pixels, 1.0));
        }),
    ];
    let mut wrong = Vec::new();
    for (op, argument, call) in calls {
        for (value, printed) in BAD {
            let expected =
                format!("{op}: {argument} must be a finite number greater than 0, got {printed}");
            let actual = message(|| call(value));
            if actual != expected {
                wrong.push(format!("  expected {expected}\n       got {actual}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// f32 numbers come as they are: 0.1 is accepted, 1e-50 rounds to 0 and is not.
#[test]
fn an_f32_is_a_number_too() {
    drop(softmax(zeros([2]), 0, 0.1_f32));
    refusals! {
        "softmax: temperature must be a finite number greater than 0, got 0" => softmax(zeros([2]), 0, 1e-50_f64 as f32),
    }
}

#[test]
fn windows_and_lines_outside_their_domain_are_named() {
    let line = |base: f64, step: f64| Coordinates::Index { base, step };
    refusals! {
        "Relaxation: half_width must be a finite number of at least 0, got -1" =>
            Relaxation::softmax(1).windowed_coordinate(zeros([2]), 0, Coordinates::index(), -1.0),
        "Relaxation: half_width must be a finite number of at least 0, got NaN" =>
            Relaxation::softmax(1).windowed_coordinate(zeros([2]), 0, Coordinates::index(), f64::NAN),
        "Relaxation: half_width must be a finite number of at least 0, got inf" =>
            Relaxation::<2>::softmax(1).windowed_spatial::<1>(zeros([2, 2]), Grid::Pixels, f64::INFINITY),
        "soft_argmax: base must be a finite number, got NaN" => soft_argmax(zeros([2]), 0, 1.0, line(f64::NAN, 1.0)),
        "soft_argmax: step must be a finite number, got -inf" =>
            soft_argmax(zeros([2]), 0, 1.0, line(0.0, f64::NEG_INFINITY)),
    }
}

#[test]
fn counts_that_are_too_small_are_named() {
    refusals! {
        "sample_categorical: samples must be at least 1, got 0" => sample_categorical(zeros([2]), 0, 0, 1),
        "leave_one_out_baseline: the number of samples along dim must be at least 2, got 1" =>
            leave_one_out_baseline(zeros([5, 1]), 1),
        "leave_one_out_baseline: the number of samples along dim must be at least 2, got 0" =>
            leave_one_out_baseline(zeros([5, 0]), 1),
        "batch_baseline: the number of rows must be at least 2, got 1" => batch_baseline(zeros([1, 4]), 1),
        "Relaxation: draws must be at least 1, got 0" =>
            Relaxation::softmax(1).gumbel(1).rao(0).weights(zeros([2]), 0),
    }
}

/// A schedule says which end is wrong; the ends of an exponential one are above 0.
#[test]
fn a_schedule_outside_its_domain_is_named() {
    let (from, to) = (1.0, 0.5);
    refusals! {
        "Schedule: value must be a finite number, got NaN" => Schedule::Constant { value: f64::NAN }.at(0),
        "Schedule: steps must be at least 1, got 0" => Schedule::Linear { from, to, steps: 0 }.at(0),
        "Schedule: steps must be at least 1, got 0" => Schedule::Exponential { from, to, steps: 0 }.at(3),
        "Schedule: steps must be at least 1, got 0" => Schedule::Cosine { from, to, steps: 0 }.at(3),
        "Schedule: from must be a finite number, got inf" => Schedule::Linear { from: f64::INFINITY, to, steps: 9 }.at(0),
        "Schedule: to must be a finite number, got NaN" => Schedule::Cosine { from, to: f64::NAN, steps: 9 }.at(0),
        "Schedule: from must be a finite number greater than 0, got -1" =>
            Schedule::Exponential { from: -1.0, to, steps: 9 }.at(0),
        "Schedule: to must be a finite number greater than 0, got 0" => Schedule::Exponential { from, to: 0.0, steps: 9 }.at(0),
    }
}
