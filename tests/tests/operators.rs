//! What is set or counted for the whole process: kernels against the operations they replace, and launches.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn_core::tensor::{DType, Tensor};
use burn_relax::{
    RelaxationConfig,
    execution::{Operators, set_operators},
    nn::ChoiceConfig,
};
use burn_relax_tests::{
    Array,
    cases::{Form, Numbers, Place, Trial, cases},
    devices,
};

/// One test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kernels and the operations they replace come to the same on every device.
#[test]
fn kernels_and_what_they_are_composed_of_come_to_the_same() {
    let _alone = alone();
    let place = Place::new(&[40, 50], 1);
    for named in devices() {
        let mut otherwise = false;
        for case in cases() {
            for &form in case.forms().iter().filter(|&&form| form != Form::Shared) {
                let trial = Trial::new(case, &place, form, Numbers::Plain);
                let pass = |by: Operators| {
                    set_operators(by);
                    let ones = |shape: &[usize]| {
                        Array::new(shape, vec![1.0; shape.iter().product::<usize>()])
                    };
                    let results = trial.run(&named.device, DType::F32, ones);
                    set_operators(Operators::default());
                    results
                };
                let (fused, composed) = (pass(Operators::Custom), pass(Operators::Composed));
                otherwise |= composed != fused;
                for (name, a) in &fused {
                    let title = format!("{}: {name}", trial.title(named.name));
                    let b = &composed[name];
                    assert_eq!(a.shape, b.shape, "{title}");
                    for (a, b) in a.data.iter().zip(&b.data) {
                        let near = a == b || (a - b).abs() <= 2e-5 * case.room * a.abs().max(1.0);
                        assert!(near, "{title}: {a} and {b}");
                    }
                }
            }
        }
        // Two ways to add up fifty numbers do not round alike throughout.
        assert!(otherwise, "{}: the setting changes nothing", named.name);
    }
}

/// An operator with a kernel launches no more than its case says, for rows that fit a cube.
#[cfg(feature = "wgpu")]
#[test]
fn operators_launch_what_their_cases_say() {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use burn_core::tensor::FloatDType;
    use burn_cubecl::cubecl::logging::{LaunchObservation, LaunchObserver};
    use burn_relax_tests::cases::Drawn;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl LaunchObserver for Count {
        fn launched(&self, _kernel: &'static str) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    let _alone = alone();
    let devices = devices();
    let device = devices.iter().find(|device| device.name == "wgpu");
    let device = &device.expect("it is compiled in").device;
    let launches = |run: &dyn Fn()| {
        device.sync().expect("it finishes its work");
        let count = Arc::new(Count::default());
        let observation = LaunchObservation::new(count.clone());
        run();
        device.sync().expect("it finishes its work");
        drop(observation);
        count.0.load(Ordering::Relaxed)
    };
    let mut wrong = Vec::new();
    for (case, expected) in cases().filter_map(|case| Some((case, case.launches?))) {
        for shape in [[7, 9], [256, 300], [3, 4096]] {
            let inputs = Drawn::new(case, shape, device, FloatDType::F32);
            let forward = launches(&|| drop(inputs.forward(case.call.two)));
            let backward = inputs.backward().map(|run| launches(&|| drop(run())));
            let got = [forward, backward.unwrap_or(expected[1])];
            if got != expected {
                wrong.push(format!(
                    "{} {shape:?}: {got:?}, expected {expected:?}",
                    case.name
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "launches forward and backward:\n{}",
        wrong.join("\n")
    );
}

/// A module without a seed draws with the generator of its device, which the whole process shares.
#[test]
fn without_a_seed_the_generator_of_the_device_decides() {
    let _alone = alone();
    for named in devices() {
        let device = named.device.clone().autodiff();
        let draw = || {
            named.device.seed(5);
            let choice = RelaxationConfig::softmax(1).gumbel();
            let choice = ChoiceConfig::new().with_relaxation(choice).init();
            Array::of(choice.forward(Tensor::<2>::zeros([8, 4], &device)))
        };
        assert_eq!(draw(), draw(), "{}", named.name);
    }
}
