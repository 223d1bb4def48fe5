//! The registry and the table of operations are one list.

use std::collections::BTreeSet;

use burn_core::{
    backend::{
        Flex,
        ops::{FloatTensorOps, IntTensorOps},
        tensor::FloatTensor,
    },
    tensor::{DType, TensorData},
};
use burn_relax::dispatch::OPERATIONS;
use burn_relax_tests::{
    Array,
    cases::{Case, Operands, called, cases},
};

/// Runs a case's primitives once, so that the operations they call are noted.
fn call(case: &Case) {
    let floats = |name: &str| -> FloatTensor<Flex> {
        let input = case.inputs.iter().find(|input| input.name == name);
        let shape = input.map_or(vec![2, 1], |input| input.shape(&[2, 3], 1));
        let count: usize = shape.iter().product();
        let data = TensorData::new(vec![0.5; count], shape).convert_dtype(DType::F32);
        Flex::float_from_data(data, &Default::default())
    };
    let ints = |_: &str| {
        let data = TensorData::new(vec![0_i64; 2], [2, 1]);
        Flex::int_from_data(data, &Default::default())
    };
    let upstream = |output: &FloatTensor<Flex>| output.clone();
    for primitive in case.primitives {
        let at = (1, primitive.number.unwrap_or(1.0));
        (primitive.flex)(&Operands::new(at, &floats, &ints, &upstream))();
    }
}

#[test]
fn every_operation_of_the_table_has_a_case() {
    called();
    cases().for_each(call);
    let covered: BTreeSet<&str> = called().into_iter().collect();
    let table: BTreeSet<&str> = OPERATIONS.iter().copied().collect();
    let missing: Vec<_> = table.difference(&covered).collect();
    assert!(missing.is_empty(), "operations without a case: {missing:?}");
}

#[test]
fn names_are_unique() {
    let mut seen = BTreeSet::new();
    for case in cases() {
        assert!(seen.insert(case.name), "two cases are named {}", case.name);
    }
}

/// Every function that the benchmark asks PyTorch for stands in its file.
#[test]
fn every_twin_in_pytorch_is_written() {
    let written = include_str!("../../../../crates/bench/torch/operators.py");
    for case in cases() {
        for twin in case.torch {
            let written = written.contains(&format!("def {twin}("));
            assert!(
                written,
                "{}: operators.py has no function {twin}",
                case.name
            );
        }
    }
}

/// A reference that disagrees with the contract would hide what it should find.
#[test]
fn references_keep_the_contract() {
    use super::contract::{Hand, expected_of};
    for case in cases().filter(|case| case.takes_logits() && case.contract.forbids) {
        for (row, expect) in [
            (Hand::INFINITE, case.contract.infinite),
            (Hand::TIES, case.contract.ties),
            (Hand::SINGLE, case.contract.single),
        ] {
            let trial = Hand(&[row]).trial(case);
            let reference = trial.expected();
            let Some(expected) = expected_of(case, expect) else {
                continue;
            };
            let same = reference.data.iter().zip(&expected);
            let same = same
                .into_iter()
                .all(|(a, b)| a == b || (a - b).abs() < 1e-9);
            assert!(
                same && reference.data.len() == expected.len(),
                "{} of {row:?}: reference {:?}, contract {expected:?}",
                case.name,
                reference.data
            );
        }
        let nothing = [f64::NEG_INFINITY; 3];
        let empty: Array = Hand(&[&nothing]).trial(case).expected();
        assert!(
            empty.data.iter().all(|&x| x == case.contract.empty),
            "{}: reference {:?} of an empty row",
            case.name,
            empty.data
        );
    }
}
