//! Where `predict --output` writes: into what is there, and never in its place unless it is a file.

use crate::common::{refuse, succeed};
use crate::first;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::thread;
use tempfile::{TempDir, tempdir};

const PREDICT: &str = "predict --model run --input rows.csv --output";

/// A folder with a model, rows, and what is predicted for them.
fn trained() -> (TempDir, String) {
    let folder = tempdir().expect("a folder");
    let line = format!("--backend {} --steps 1 --out run", first());
    succeed(folder.path(), &line);
    fs::write(folder.path().join("rows.csv"), "x1,x2\n1,2\n").expect("a file");
    let expected = succeed(folder.path(), "predict --model run --input rows.csv");
    (folder, expected)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a file")
}

#[test]
fn a_link_stays_a_link_and_its_file_is_written() {
    let (folder, expected) = trained();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("far")).expect("a folder");
    fs::write(at("far/real.csv"), "dear").expect("a file");
    symlink("far/real.csv", at("near.csv")).expect("a link");
    symlink("near.csv", at("link.csv")).expect("a link");

    assert!(refuse(folder.path(), &format!("{PREDICT} link.csv")).contains("--force"));
    assert_eq!(read(&at("far/real.csv")), "dear");
    succeed(folder.path(), &format!("{PREDICT} link.csv --force"));
    assert_eq!(read(&at("far/real.csv")), expected);
    for link in ["link.csv", "near.csv"] {
        assert!(at(link).is_symlink(), "{link}");
    }

    symlink("nowhere/out.csv", at("lost.csv")).expect("a link");
    for force in ["", " --force"] {
        let error = refuse(folder.path(), &format!("{PREDICT} lost.csv{force}"));
        assert!(error.contains("symbolic link"), "{error}");
    }
    assert!(at("lost.csv").is_symlink());
}

#[test]
fn permissions_stay_as_they_are() {
    let (folder, expected) = trained();
    let path = folder.path().join("out.csv");
    for mode in [0o600, 0o640, 0o400, 0o664] {
        fs::write(&path, "dear").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("ours");
        succeed(folder.path(), &format!("{PREDICT} out.csv --force"));
        assert_eq!(read(&path), expected);
        let found = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(found & 0o7777, mode, "{mode:o}");
        fs::remove_file(&path).expect("ours");
    }
}

#[test]
fn a_run_that_is_replaced_keeps_its_permissions() {
    let (folder, _) = trained();
    let metrics = folder.path().join("run/metrics.json");
    fs::set_permissions(&metrics, fs::Permissions::from_mode(0o600)).expect("ours");
    let line = format!("--backend {} --steps 2 --out run --force", first());
    succeed(folder.path(), &line);
    let found = fs::metadata(&metrics).expect("a file").permissions().mode();
    assert_eq!(found & 0o7777, 0o600);
}

#[test]
fn a_link_in_a_run_folder_is_not_replaced() {
    let (folder, _) = trained();
    let at = |name: &str| folder.path().join(name);
    fs::rename(at("run/metrics.json"), at("metrics.json")).expect("ours");
    symlink("../metrics.json", at("run/metrics.json")).expect("a link");
    let error = refuse(folder.path(), "--steps 2 --out run --force");
    assert!(error.contains("metrics.json"), "{error}");
    assert!(at("run/metrics.json").is_symlink());
}

#[test]
fn named_pipes_and_devices_are_written_to() {
    let (folder, expected) = trained();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo is there").success());
    let reader = thread::spawn({
        let pipe = pipe.clone();
        move || read(&pipe)
    });
    succeed(folder.path(), &format!("{PREDICT} pipe --force"));
    assert_eq!(reader.join().expect("it reads"), expected);
    let kind = fs::symlink_metadata(&pipe).expect("there").file_type();
    assert!(kind.is_fifo());

    succeed(folder.path(), &format!("{PREDICT} /dev/null --force"));
    let kind = fs::symlink_metadata("/dev/null")
        .expect("there")
        .file_type();
    assert!(kind.is_char_device());
    let printed = succeed(folder.path(), &format!("{PREDICT} /dev/stdout --force"));
    assert_eq!(printed, expected);
}

#[test]
fn a_folder_is_no_place_for_a_file() {
    let (folder, _) = trained();
    let error = refuse(folder.path(), &format!("{PREDICT} run --force"));
    assert!(error.contains("cannot write run"), "{error}");
    assert!(folder.path().join("run/config.json").is_file());
}

/// The folder beside a link, or beside a mount point, is on another file system than the output folder.
#[cfg(target_os = "linux")]
#[test]
fn a_run_folder_may_lie_on_another_file_system() {
    let (folder, _) = trained();
    let memory = tempfile::tempdir_in("/dev/shm").expect("a file system in memory");
    symlink(memory.path(), folder.path().join("far")).expect("a link");
    let line = format!("--backend {} --steps 1 --out far", first());
    succeed(folder.path(), &line);
    succeed(folder.path(), &format!("{line} --force"));
    succeed(folder.path(), "predict --model far --input rows.csv");
}
