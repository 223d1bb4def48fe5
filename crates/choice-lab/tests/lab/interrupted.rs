//! Folders of trainings that run, were killed, or were damaged.

use crate::common::{call, program, refuse, refused, settings, succeed};
use crate::first;
use choice_lab::place::backend::Backend;
use choice_lab::strategy::names::Strategy;
use choice_lab::training::checkpoint::Checkpoints;
use choice_lab::training::display::Display;
use choice_lab::training::plan::Plan;
use choice_lab::training::run::train_on;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::{TempDir, tempdir};

fn train(more: &str) -> String {
    let fixed = "train --steps 1000000 --checkpoint-every 100 --out run";
    format!("{fixed} --backend {} {more}", first())
}

/// Starts a training and waits until a file is there.
fn start(folder: &Path, line: &str, file: &str) -> Child {
    let mut command = program(folder, line);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.expect("the program starts");
    let patience = Instant::now();
    while !folder.join(file).exists() && patience.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(5));
    }
    child
}

fn kill(mut child: Child) {
    child.kill().expect("it runs");
    child.wait().expect("it ran");
}

/// A run folder with the checkpoints of the steps 10 and 20 of 30, and the text of its curves if it is not interrupted.
fn interrupted() -> (TempDir, PathBuf) {
    let folder = tempdir().expect("a folder");
    let out = folder.path().join("run");
    let settings = settings(Backend::compiled()[0], Strategy::Auto, 30);
    let plan = Plan::new(settings, None, 10);
    let checkpoints = Checkpoints::begin(&out, &plan).expect("writable");
    let device = Backend::compiled()[0].device().expect("a device");
    let problem = plan.problem().expect("a task");
    let run = train_on(
        problem,
        settings,
        &[device],
        Display::Silent,
        Some(&checkpoints),
    );
    run.expect("the run ends well");
    let checkpoint = out.join("checkpoint");
    (folder, checkpoint)
}

fn predictions(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("run/test_predictions.csv")).expect("a finished run")
}

#[test]
fn two_trainings_do_not_share_a_folder() {
    let folder = tempdir().expect("a folder");
    let line = train("");
    let child = start(folder.path(), &line, "run/checkpoint/progress-100.json");
    for other in [
        train(""),
        train("--force"),
        "--resume run".to_owned(),
        format!(
            "import --weights {}/tests/pytorch/network.pt --out run --force",
            env!("CARGO_MANIFEST_DIR")
        ),
    ] {
        let error = refuse(folder.path(), &other);
        assert!(
            error.contains("another training is writing to run"),
            "{other}: {error}"
        );
    }
    kill(child);
    // The lock went with the process.
    let error = refuse(folder.path(), &line);
    assert!(error.contains("--resume run"), "{error}");
}

#[test]
fn a_kill_before_the_plan_is_written_is_no_dead_end() {
    for left in [&[][..], &["lock"], &["lock", ".run.json.new-aBcDeF"]] {
        let folder = tempdir().expect("a folder");
        let checkpoint = folder.path().join("run/checkpoint");
        fs::create_dir_all(&checkpoint).expect("a folder");
        for file in left {
            fs::write(checkpoint.join(file), "").expect("a file");
        }
        let error = refuse(folder.path(), "--resume run");
        assert!(error.contains("train --out run"), "{error}");
        let line = format!("train --out run --steps 2 --backend {}", first());
        succeed(folder.path(), &line);
        assert!(!checkpoint.exists());
    }
}

#[test]
fn a_kill_before_the_first_checkpoint_is_no_dead_end() {
    let folder = tempdir().expect("a folder");
    let line = format!("train --steps 2000 --out run --backend {}", first());
    let child = start(folder.path(), &line, "run/checkpoint/run.json");
    kill(child);
    succeed(folder.path(), "--resume run --plain");
}

#[test]
fn foreign_files_among_the_checkpoints_are_kept() {
    let (folder, checkpoint) = interrupted();
    for file in ["notes.txt", "model-best.bpk", "model-20.bpk.bak"] {
        fs::write(checkpoint.join(file), "dear").expect("a file");
    }
    fs::create_dir(checkpoint.join("old")).expect("a folder");
    for line in [
        "train --steps 2 --out run --force",
        "train --steps 2 --out run",
    ] {
        let error = refuse(folder.path(), line);
        assert!(error.contains("which no training run writes"), "{error}");
    }
    succeed(folder.path(), "--resume run --plain");
    let mut left: Vec<_> = fs::read_dir(&checkpoint)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    left.sort();
    assert_eq!(
        left,
        ["model-20.bpk.bak", "model-best.bpk", "notes.txt", "old"]
    );
    assert_eq!(
        fs::read(checkpoint.join("notes.txt")).expect("kept"),
        b"dear"
    );
}

#[test]
fn a_damaged_newest_checkpoint_gives_way_to_the_one_before() {
    let whole = {
        let (folder, _) = interrupted();
        succeed(folder.path(), "--resume run --plain");
        predictions(folder.path())
    };
    type Damage = fn(&Path);
    let cut: Damage = |path| {
        let bytes = fs::read(path).expect("saved");
        fs::write(path, &bytes[..bytes.len() / 2]).expect("writable");
    };
    let flip: Damage = |path| {
        let mut bytes = fs::read(path).expect("saved");
        let last = bytes.len() - 3;
        bytes[last] ^= 0x55;
        fs::write(path, bytes).expect("writable");
    };
    let empty: Damage = |path| fs::write(path, "").expect("writable");
    let gone: Damage = |path| fs::remove_file(path).expect("ours");
    for (file, damage, says) in [
        ("model-20.bpk", cut, "model-20.bpk"),
        ("model-20.bpk", flip, "model-20.bpk"),
        ("optimizer-20.bpk", empty, "optimizer-20.bpk"),
        ("schedule-20.bpk", flip, "schedule-20.bpk"),
        ("progress-20.json", cut, "progress-20.json"),
        ("progress-20.json", flip, "progress-20.json"),
        ("optimizer-20.bpk", gone, "step 20"),
        ("model-20.bpk.sha256", gone, "step 20"),
    ] {
        let (folder, checkpoint) = interrupted();
        damage(&checkpoint.join(file));
        let output = call(folder.path(), "--resume run --plain");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{file}: {stderr}");
        assert!(
            stderr.contains("passed over") && stderr.contains(says),
            "{file}: {stderr}"
        );
        assert!(predictions(folder.path()) == whole, "{file}");
    }
}

#[test]
fn a_run_without_a_whole_checkpoint_is_refused_and_kept() {
    let (folder, checkpoint) = interrupted();
    for step in [10, 20] {
        let path = checkpoint.join(format!("model-{step}.bpk"));
        fs::write(path, "short").expect("writable");
    }
    let line = "--resume run --plain";
    let error = refused(line, call(folder.path(), line));
    assert!(
        error.contains("model-20.bpk") && error.contains("--force"),
        "{error}"
    );
    assert!(checkpoint.join("model-10.bpk").exists());
    succeed(folder.path(), "train --out run --steps 2 --force --plain");
}

#[test]
fn a_plan_with_impossible_numbers_is_refused() {
    let (folder, checkpoint) = interrupted();
    let plan = checkpoint.join("run.json");
    let text = fs::read_to_string(&plan).expect("saved");
    for (old, new) in [
        ("\"every\": 10", "\"every\": 0"),
        ("\"steps\": 30", "\"steps\": 0"),
        ("\"steps\": 30", "\"steps\": 18446744073709551615"),
        ("\"learning_rate\": 0.03", "\"learning_rate\": -1.0"),
        ("\"learning_rate\": 0.03", "\"learning_rate\": 1e999"),
    ] {
        assert!(text.contains(old), "{text}");
        fs::write(&plan, text.replace(old, new)).expect("writable");
        let error = refuse(folder.path(), "--resume run");
        assert!(error.contains("run.json"), "{new}: {error}");
    }
}

#[test]
fn progress_counts_from_where_the_run_was() {
    let (folder, _) = interrupted();
    let printed = succeed(folder.path(), "--resume run --plain");
    let steps: Vec<usize> = printed
        .lines()
        .filter_map(|line| {
            line.strip_prefix("step")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .collect();
    assert_eq!(steps, [22, 24, 26, 28, 30], "{printed}");
}

#[test]
fn a_table_that_has_changed_at_equal_size_is_refused() {
    let folder = tempdir().expect("a folder");
    let row = |i: usize| format!("{},{},{}\n", i % 7, (i * i) % 5, i % 3);
    let text = "a,b,y\n".to_owned() + &(0..40).map(row).collect::<String>();
    let table = folder.path().join("rows.csv");
    fs::write(&table, &text).expect("a file");
    let fixed = "train --data rows.csv --target y --classes 2 --steps 3000 --checkpoint-every 100";
    let line = format!("{fixed} --out run --backend {}", first());
    kill(start(
        folder.path(),
        &line,
        "run/checkpoint/progress-100.json",
    ));

    fs::write(&table, text.replacen("\n3,", "\n4,", 1)).expect("a file");
    let error = refuse(folder.path(), "--resume run");
    assert!(error.contains("rows.csv has changed"), "{error}");
    fs::remove_file(&table).expect("ours");
    let error = refuse(folder.path(), "--resume run");
    assert!(error.contains("cannot read rows.csv"), "{error}");

    // The same table at another time is the same table.
    fs::write(&table, &text).expect("a file");
    succeed(folder.path(), "--resume run --plain");
}
