//! Malformed tables and options of `train --data`: exit code 2, one line with line and column, nothing written.

use crate::common::{refuse, succeed};
use std::fs;
use tempfile::tempdir;

/// A table of two columns and the target, long enough to split.
fn rows(count: usize) -> String {
    let row = |i: usize| format!("{},{},{}\n", i % 7, (i * i) % 5, i % 3);
    "a,b,y\n".to_owned() + &(0..count).map(row).collect::<String>()
}

const TRAIN: &str = "train --data rows.csv --target y --classes 2 --steps 2 --out run";

#[test]
fn malformed_tables_are_named_with_line_and_column() {
    let folder = tempdir().expect("a folder");
    let good = rows(20);
    let bad = |line: usize, text: &str| {
        let mut lines: Vec<_> = good.lines().collect();
        lines[line - 1] = text;
        lines.join("\n") + "\n"
    };
    let cases: [(String, &[&str]); 17] = [
        (String::new(), &["line 1", "empty", "y"]),
        ("a,b,y\n".to_owned(), &["no rows"]),
        (good.replacen('y', "z", 1), &["line 1", "no column y"]),
        (bad(7, "1,two,3"), &["line 7", "'two'", "column b"]),
        (bad(2, "1,2,three"), &["line 2", "'three'", "column y"]),
        (bad(9, "nan,2,3"), &["line 9", "'nan'", "column a"]),
        (bad(9, "1,2,inf"), &["line 9", "'inf'", "column y"]),
        (bad(2, ",2,3"), &["line 2", "''", "column a"]),
        (bad(2, "NA,2,3"), &["line 2", "'NA'", "column a"]),
        (bad(4, "1,1e99,3"), &["line 4", "'1e99'", "column b"]),
        (bad(5, "1,2"), &["line 5", "2 fields", "has 3"]),
        (bad(5, "\n1,2,3,4"), &["line 6", "4 fields", "has 3"]),
        (
            good.replacen("a,b", "a,a", 1),
            &["line 1", "two columns have the name a"],
        ),
        (
            good.replacen("a,b", "a,", 1),
            &["line 1", "column 2 has no name"],
        ),
        (rows(9), &["9 rows", "at least 10"]),
        (
            "y\n".to_owned() + &"1\n".repeat(20),
            &["no column but the target"],
        ),
        (
            "t,y\n".to_owned() + &"word,1\n".repeat(20),
            &["no column but the target"],
        ),
    ];
    for (text, words) in cases {
        fs::write(folder.path().join("rows.csv"), &text).expect("a file");
        let error = refuse(folder.path(), TRAIN);
        for word in words.iter().chain(&["rows.csv"]) {
            assert!(error.contains(word), "{word}: {error}\n{text}");
        }
        assert!(!folder.path().join("run").exists());
    }
    fs::write(folder.path().join("rows.csv"), b"a,b,y\n1,\xff,3\n").expect("a file");
    assert!(refuse(folder.path(), TRAIN).contains("line 2"));
    fs::remove_file(folder.path().join("rows.csv")).expect("a file");
    assert!(refuse(folder.path(), TRAIN).contains("cannot read rows.csv"));
    fs::create_dir(folder.path().join("rows.csv")).expect("a folder");
    assert!(refuse(folder.path(), TRAIN).contains("cannot read rows.csv"));
}

#[test]
fn unusual_but_sound_tables_are_taken() {
    let folder = tempdir().expect("a folder");
    for text in [
        rows(10),
        "\u{feff}".to_owned() + &rows(12).replace('\n', "\r\n"),
        rows(12).replace('\n', "\n\n"),
        rows(12).trim_end().to_owned(),
        rows(12).replacen("a,b", "\"a, in m\",b", 1),
    ] {
        fs::write(folder.path().join("rows.csv"), &text).expect("a file");
        succeed(folder.path(), &format!("{TRAIN} --force"));
    }
}

#[test]
fn the_options_of_a_table_belong_together() {
    let folder = tempdir().expect("a folder");
    fs::write(folder.path().join("rows.csv"), rows(20)).expect("a file");
    let cases: [(&str, &[&str]); 8] = [
        ("--data rows.csv", &["--target", "--classes"]),
        ("--data rows.csv --target y", &["--classes"]),
        ("--target y", &["--data"]),
        ("--classes 2", &["--data"]),
        (
            "--data rows.csv --target y --classes 2 --task b",
            &["--task", "--data"],
        ),
        (
            "--data rows.csv --target y --classes 0",
            &["--classes", "from 1"],
        ),
        (
            "--data rows.csv --target y --classes -2",
            &["--classes", "from 1"],
        ),
        (
            "--data rows.csv --target y --classes two",
            &["--classes", "from 1"],
        ),
    ];
    for (line, words) in cases {
        let error = refuse(folder.path(), line);
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{line}: {error}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn one_class_is_a_line() {
    let folder = tempdir().expect("a folder");
    fs::write(folder.path().join("rows.csv"), rows(20)).expect("a file");
    let line = TRAIN.replace("--classes 2", "--classes 1");
    assert!(succeed(folder.path(), &line).contains("1 of 1"));
}
