//! Weights from PyTorch. The files in `tests/pytorch` are written by the script beside them.

use crate::common::{refuse, succeed};
use burn::tensor::{Device, TensorData};
use choice_lab::models::pytorch::read;
use choice_lab::place::backend::Backend;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::tempdir;

/// Sums of at most 17 products in 32-bit floats, of numbers of the order of 1.
const ROUNDING: f64 = 1e-5;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pytorch")
        .join(name)
}

fn table(text: &str) -> Vec<Vec<f64>> {
    let number = |field: &str| field.parse().expect("a number");
    let row = |line: &str| line.split(',').map(number).collect();
    text.lines().skip(1).map(row).collect()
}

/// Name, kind of number and shape of a tensor.
type Entry = (&'static str, &'static str, &'static [usize]);

/// A safetensors file: length of the header, header, bytes.
fn safetensors(tensors: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut header = serde_json::Map::new();
    for (name, dtype, shape) in tensors {
        let size = if *dtype == "F64" || *dtype == "I64" {
            8
        } else {
            4
        };
        let end = bytes.len() + size * shape.iter().product::<usize>();
        let entry =
            serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": [bytes.len(), end]});
        header.insert((*name).to_owned(), entry);
        bytes.resize(end, 0);
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.bytes());
    file.extend(bytes);
    file
}

const WHOLE: [Entry; 6] = [
    ("classifier_fc1.weight", "F32", &[5, 2]),
    ("classifier_fc1.bias", "F32", &[5]),
    ("classifier_fc2.weight", "F32", &[3, 5]),
    ("classifier_fc2.bias", "F32", &[3]),
    ("regression_fc.weight", "F32", &[3, 2]),
    ("regression_fc.bias", "F32", &[3]),
];

#[test]
fn predictions_equal_those_of_pytorch() {
    let expected = fs::read_to_string(fixture("expected.csv")).expect("a fixture");
    let expected = table(&expected);
    let inputs = fixture("inputs.csv");
    for name in ["network.safetensors", "network.pt"] {
        let weights = fixture(name);
        let folder = tempdir().expect("a folder");
        let import = format!("import --weights {} --out model", weights.display());
        let stdout = succeed(folder.path(), &import);
        assert!(
            stdout.contains("4 features, 16 hidden units, 3 classes"),
            "{stdout}"
        );
        for backend in Backend::compiled() {
            let (backend_name, inputs) = (backend.name(), inputs.display());
            let predict =
                format!("predict --model model --backend {backend_name} --input {inputs}");
            let found = table(&succeed(folder.path(), &predict));
            assert_eq!(found.len(), expected.len());
            for (row, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_eq!(found[0], expected[0], "{name} {backend:?} row {row}");
                for column in 1..3 {
                    let (found, expected) = (found[column], expected[column]);
                    assert!(
                        (found - expected).abs() <= ROUNDING * expected.abs().max(1.0),
                        "{name} {backend:?} row {row}: {found}, PyTorch has {expected}"
                    );
                }
            }
        }
        assert!(refuse(folder.path(), &import).contains("--force"));
        succeed(folder.path(), &format!("{import} --force"));
    }
}

#[test]
fn the_folder_is_named_after_the_file_if_nothing_is_said() {
    let folder = tempdir().expect("a folder");
    let weights = fixture("network.pt");
    succeed(
        folder.path(),
        &format!("import --weights {}", weights.display()),
    );
    let mut names: Vec<_> = fs::read_dir(folder.path().join("runs/network"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["config.json", "model.bpk"]);
}

#[test]
fn doubles_become_singles() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("w.safetensors");
    fs::write(
        &path,
        safetensors(&WHOLE.map(|(name, _, shape)| (name, "F64", shape))),
    )
    .expect("a file");
    let device: Device = Backend::compiled()[0].device().expect("a device");
    let (config, network) = read(&path, &device).expect("weights");
    assert_eq!((config.features, config.hidden, config.classes), (2, 5, 3));
    let weight = network.hidden.weight.val().into_data();
    assert_eq!(weight, TensorData::new(vec![0_f32; 10], [2, 5]));

    // Zeros but for one number that 32 bits have no room for.
    let mut file = fs::read(&path).expect("written");
    let end = file.len();
    file[end - 8..].copy_from_slice(&1e300_f64.to_le_bytes());
    fs::write(&path, file).expect("a file");
    let error = read(&path, &device).expect_err("too large").to_string();
    assert!(
        error.contains("'regression_fc.bias'") && error.contains("3.4e38"),
        "{error}"
    );
}

#[test]
fn what_does_not_fit_is_named_with_both_shapes() {
    let folder = tempdir().expect("a folder");
    let without = |dropped: &str| -> Vec<_> {
        WHOLE
            .into_iter()
            .filter(|(name, ..)| *name != dropped)
            .collect()
    };
    let with = |name, dtype, shape| {
        let mut tensors = without(name);
        tensors.push((name, dtype, shape));
        tensors
    };
    let cases: [(Vec<Entry>, &[&str]); 9] = [
        (
            without("classifier_fc2.bias"),
            &[
                "'classifier_fc2.bias'",
                "[3]",
                "classifier_fc2.weight [3, 5]",
            ],
        ),
        (
            without("classifier_fc1.weight"),
            &["'classifier_fc1.weight'", "[hidden, features]"],
        ),
        (vec![], &["'classifier_fc1.weight'"]),
        (
            with("regression_fc.weight", "F32", &[3, 4]),
            &["'regression_fc.weight'", "[3, 4]", "[3, 2]"],
        ),
        (
            with("classifier_fc2.weight", "F32", &[5, 3]),
            &["'classifier_fc2.weight'", "[5, 3]", "[5, 5]"],
        ),
        (
            with("classifier_fc1.bias", "F32", &[5, 1]),
            &["'classifier_fc1.bias'", "[5, 1]", "[5]"],
        ),
        (
            with("classifier_fc1.weight", "F32", &[10]),
            &["'classifier_fc1.weight'", "[10]", "[hidden, features]"],
        ),
        (
            with("regression_fc.bias", "I64", &[3]),
            &["'regression_fc.bias'", "I64"],
        ),
        (with("dropout.mask", "F32", &[5]), &["'dropout.mask'"]),
    ];
    for (tensors, words) in cases {
        fs::write(folder.path().join("w.safetensors"), safetensors(&tensors)).expect("a file");
        let error = refuse(folder.path(), "import --weights w.safetensors --out model");
        for word in words.iter().chain(&["w.safetensors"]) {
            assert!(error.contains(word), "{word}: {error}");
        }
        assert!(!folder.path().join("model").exists());
    }
}

#[test]
fn foreign_files_are_named() {
    let folder = tempdir().expect("a folder");
    for (name, content) in [
        ("a.safetensors", &b"no weights"[..]),
        ("a.safetensors", b""),
        ("a.pt", b"no weights"),
        ("a.pt", b""),
        ("a.onnx", b"no weights"),
    ] {
        fs::write(folder.path().join(name), content).expect("a file");
        let error = refuse(
            folder.path(),
            &format!("import --weights {name} --out model"),
        );
        assert!(error.contains(name), "{error}");
    }
    let error = refuse(folder.path(), "import --weights none.pt --out model");
    assert!(error.contains("none.pt"), "{error}");
    assert!(!folder.path().join("model").exists());
}
