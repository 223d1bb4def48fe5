//! Weights from PyTorch as programs save them: wrapped, with prefixes, with numbers that are none.

use crate::common::{refuse, succeed};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::tempdir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pytorch")
        .join(name)
}

/// A safetensors file of `network.safetensors` with other names, and other bytes.
fn changed(rename: impl Fn(&str) -> String, change: impl Fn(&str, &mut [u8])) -> Vec<u8> {
    let file = fs::read(fixture("network.safetensors")).expect("a fixture");
    let (length, rest) = file.split_at(8);
    let length = u64::from_le_bytes(length.try_into().expect("8 bytes")) as usize;
    let (header, bytes) = rest.split_at(length);
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(header).expect("JSON");
    let (mut names, mut bytes) = (serde_json::Map::new(), bytes.to_vec());
    for (name, entry) in header {
        let place = |end: usize| entry["data_offsets"][end].as_u64().expect("a place") as usize;
        change(&name, &mut bytes[place(0)..place(1)]);
        names.insert(rename(&name), entry);
    }
    let header = serde_json::Value::Object(names).to_string();
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &bytes].concat()
}

fn predictions(folder: &Path, weights: &str) -> String {
    succeed(
        folder,
        &format!("import --weights {weights} --out model --force"),
    );
    let inputs = fixture("inputs.csv");
    succeed(
        folder,
        &format!("predict --model model --input {}", inputs.display()),
    )
}

#[test]
fn prefixes_of_wrapping_modules_are_taken_off() {
    let folder = tempdir().expect("a folder");
    let plain = predictions(
        folder.path(),
        &fixture("network.safetensors").display().to_string(),
    );
    for prefix in [
        "module.",
        "_orig_mod.",
        "model.",
        "_orig_mod.module.",
        "module._orig_mod.model.",
        "state_dict.",
        "model_state_dict.module.",
    ] {
        let file = changed(|name| format!("{prefix}{name}"), |_, _| ());
        fs::write(folder.path().join("w.safetensors"), file).expect("a file");
        assert_eq!(
            predictions(folder.path(), "w.safetensors"),
            plain,
            "{prefix}"
        );
    }
    // Not a prefix that such a module writes.
    let file = changed(|name| format!("encoder.{name}"), |_, _| ());
    fs::write(folder.path().join("w.safetensors"), file).expect("a file");
    let error = refuse(folder.path(), "import --weights w.safetensors --out other");
    assert!(error.contains("encoder.classifier_fc1.weight"), "{error}");
}

/// The fixture has a step count and an optimiser's state beside its state dict.
#[test]
fn the_state_dict_of_a_checkpoint_is_taken() {
    let folder = tempdir().expect("a folder");
    let plain = predictions(folder.path(), &fixture("network.pt").display().to_string());
    let wrapped = fixture("checkpoint.pt").display().to_string();
    assert_eq!(predictions(folder.path(), &wrapped), plain);
}

#[test]
fn weights_that_are_no_numbers_are_named() {
    let folder = tempdir().expect("a folder");
    for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for name in [
            "classifier_fc1.weight",
            "classifier_fc2.bias",
            "regression_fc.weight",
        ] {
            let file = changed(str::to_owned, |this, bytes| {
                if this == name {
                    bytes[4..8].copy_from_slice(&number.to_le_bytes());
                }
            });
            fs::write(folder.path().join("w.safetensors"), file).expect("a file");
            let error = refuse(folder.path(), "import --weights w.safetensors --out model");
            assert!(
                error.contains("w.safetensors") && error.contains(&format!("'{name}'")),
                "{error}"
            );
            assert!(!folder.path().join("model").exists());
        }
    }
}

/// PyTorch reads this archive; the zip reader below Burn reads it not, because of the length of its name.
#[test]
fn an_archive_that_the_zip_reader_fails_on_is_refused_with_what_helps() {
    let folder = tempdir().expect("a folder");
    let weights = fixture("combined_network_best.pt");
    let error = refuse(
        folder.path(),
        &format!("import --weights {} --out model", weights.display()),
    );
    for word in [
        "combined_network_best.pt",
        "torch.save",
        "21 characters",
        ".safetensors",
    ] {
        assert!(error.contains(word), "{word}: {error}");
    }
}
