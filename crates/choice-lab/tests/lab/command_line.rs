//! Mistakes on the command line and in CSV files: exit code 2, one clear line, nothing written.

#[cfg(feature = "wgpu")]
use crate::common::{program, refused};
use crate::common::{refuse, succeed};
use crate::first;
use choice_lab::place::backend::Backend;
use std::fs;
use std::path::Path;
use tempfile::tempdir;

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).expect("a folder").next().is_none()
}

#[test]
fn mistakes_are_named() {
    let folder = tempdir().expect("a folder");
    let cases: [(&str, &[&str]); 13] = [
        ("--backend abacus", &["abacus", "flex"]),
        ("--strategy hope", &["hope", "free-energy"]),
        ("train --task g", &["--task"]),
        ("--steps 0", &["--steps", "from 1"]),
        ("--steps 1.5", &["--steps"]),
        ("--lr -1", &["--lr", "greater than 0"]),
        ("--lr nan", &["--lr"]),
        ("--lr 0", &["--lr"]),
        ("--clip inf", &["--clip"]),
        ("--seed -3", &["--seed"]),
        ("--speed 3", &["--speed"]),
        ("predict --model m", &["--input"]),
        ("fly", &["fly"]),
    ];
    for (line, words) in cases {
        let error = refuse(folder.path(), line);
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{line}: {error}"
        );
    }
    assert!(is_empty(folder.path()));
}

#[test]
fn a_backend_that_is_not_compiled_in_names_its_feature() {
    let folder = tempdir().expect("a folder");
    for backend in [Backend::Flex, Backend::Ndarray, Backend::Wgpu] {
        if !Backend::compiled().contains(&backend) {
            let error = refuse(folder.path(), &format!("--backend {}", backend.name()));
            assert!(
                error.contains(&format!("--features {}", backend.name())),
                "{error}"
            );
        }
    }
    assert!(is_empty(folder.path()));
}

#[cfg(feature = "wgpu")]
#[test]
fn a_missing_adapter_names_the_package() {
    let folder = tempdir().expect("a folder");
    let line = "--backend wgpu --steps 1";
    let mut command = program(folder.path(), line);
    for driver_list in [
        "VK_DRIVER_FILES",
        "VK_ICD_FILENAMES",
        "__EGL_VENDOR_LIBRARY_FILENAMES",
    ] {
        command.env(driver_list, "/nowhere.json");
    }
    let error = refused(line, command.output().expect("the program starts"));
    assert!(error.contains("mesa-vulkan-drivers"), "{error}");
    assert!(is_empty(folder.path()));
}

#[test]
fn an_unwritable_output_folder_is_found_before_the_training() {
    let folder = tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "").expect("a file");
    for out in ["file/run", "file", "/", ".."] {
        let error = refuse(folder.path(), &format!("--steps 100000000 --out {out}"));
        assert!(
            error.contains("output folder") || error.contains("another --out"),
            "{out}: {error}"
        );
    }
}

#[test]
fn bad_csv_files_are_named_with_their_line() {
    let folder = tempdir().expect("a folder");
    succeed(
        folder.path(),
        &format!("--backend {} --steps 1 --out run", first()),
    );
    let predict = "predict --model run --input rows.csv --output out.csv";
    let cases: [(&[u8], &[&str]); 10] = [
        (b"", &["line 1", "x1,x2"]),
        (b"1,2\n3,4\n", &["line 1", "x1"]),
        (b"x1\n3\n", &["line 1", "x2"]),
        (b"x1,x2\n1,2\n3\n", &["line 3", "1 fields"]),
        (b"x1,x2\n1,2\n\n3,4,5\n", &["line 4", "3 fields"]),
        (b"x1,x2\n1,two\n", &["line 2", "two", "x2"]),
        (b"x1,x2\n1,\n", &["line 2", "x2"]),
        (b"x1,x2\nnan,1\n", &["line 2", "nan"]),
        (b"x1,x2\n1,1e99\n", &["line 2", "1e99"]),
        (b"x1,x2\n1,\xff\n", &["line 2"]),
    ];
    for (content, words) in cases {
        fs::write(folder.path().join("rows.csv"), content).expect("a file");
        let error = refuse(folder.path(), predict);
        let text = String::from_utf8_lossy(content);
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{text:?}: {error}"
        );
        assert!(!folder.path().join("out.csv").exists(), "{text:?}");
    }
    assert!(refuse(folder.path(), "predict --model run --input no.csv").contains("no.csv"));
}

#[test]
fn csv_files_may_have_other_columns_in_any_order() {
    let folder = tempdir().expect("a folder");
    succeed(
        folder.path(),
        &format!("--backend {} --steps 1 --out run", first()),
    );
    let choices = |content: &str| {
        fs::write(folder.path().join("rows.csv"), content).expect("a file");
        succeed(folder.path(), "predict --model run --input rows.csv")
    };
    let plain = choices("x1,x2\n0.5,-1\n2,3\n");
    assert_eq!(plain.lines().count(), 3);
    assert_eq!(
        choices("name,X2, x1,y\nfirst,-1,0.5,\nsecond,3,2,\n"),
        plain
    );
    assert_eq!(choices("\u{feff}x1,x2\r\n0.5,-1\r\n2,3\r\n"), plain);
    assert_eq!(choices("x1,x2\n"), "class,probability,value\n");
}

#[test]
fn an_existing_prediction_is_replaced_only_by_force() {
    let folder = tempdir().expect("a folder");
    succeed(
        folder.path(),
        &format!("--backend {} --steps 1 --out run", first()),
    );
    let predict = "predict --model run --input run/test.csv --output";
    fs::write(folder.path().join("out.csv"), "dear").expect("a file");
    let text = || fs::read_to_string(folder.path().join("out.csv")).expect("a file");
    assert!(refuse(folder.path(), &format!("{predict} out.csv")).contains("--force"));
    assert_eq!(text(), "dear");
    succeed(folder.path(), &format!("{predict} out.csv --force"));
    assert_ne!(text(), "dear");
    let unwritable = refuse(folder.path(), &format!("{predict} none/out.csv"));
    assert!(unwritable.contains("none/out.csv"), "{unwritable}");
}

#[test]
fn help_names_the_wrong_strategies_as_wrong() {
    let folder = tempdir().expect("a folder");
    let help = succeed(folder.path(), "train --help");
    for strategy in ["rounded-index", "greedy-score"] {
        let after = help.split(strategy).nth(1).expect("listed");
        assert!(
            after.trim_start_matches([':', ' ']).starts_with("WRONG"),
            "{strategy}"
        );
    }
}
