//! Tables as other programs write them: each is read as it is meant, or refused with what would help.

use crate::common::{call, refuse, succeed};
use std::fs;
use std::path::Path;
use tempfile::{TempDir, tempdir};

const TRAIN: &str =
    "train --data rows.csv --target y --classes 2 --steps 2 --out run --force --json";

/// Rows of two columns and the target.
fn rows(count: usize) -> Vec<[String; 3]> {
    let row = |i: usize| [i % 7, (i * i) % 5, i % 3].map(|number| number.to_string());
    (0..count).map(row).collect()
}

fn text(header: &str, separator: &str, rows: &[[String; 3]]) -> String {
    let line = |row: &[String; 3]| row.join(separator) + "\n";
    format!("{header}\n") + &rows.iter().map(line).collect::<String>()
}

fn folder() -> TempDir {
    tempdir().expect("a folder")
}

/// Trains on a table; what it says on stderr, and the inputs it took.
fn train(folder: &Path, text: &str) -> (String, String) {
    fs::write(folder.join("rows.csv"), text).expect("a file");
    let output = call(folder, TRAIN);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}\n{text}");
    let test = fs::read_to_string(folder.join("run/test.csv")).expect("saved");
    let header = test.lines().next().unwrap_or_default().to_owned();
    (stderr, header)
}

fn refused(folder: &Path, text: &str, words: &[&str]) {
    fs::write(folder.join("rows.csv"), text).expect("a file");
    let error = refuse(folder, TRAIN);
    for word in words.iter().chain(&["rows.csv"]) {
        assert!(error.contains(word), "{word}: {error}\n{text}");
    }
}

#[test]
fn the_first_row_alone_does_not_make_a_column_text() {
    let folder = folder();
    for missing in [
        "#N/A", "-", "NA", "", "?", "NULL", "n/a", "nan", "#DIV/0!", ".",
    ] {
        for row in [0, 7] {
            let mut table = rows(20);
            table[row][1] = missing.to_owned();
            let line = format!("line {}", row + 2);
            let field = format!("'{missing}' in column b");
            refused(
                folder.path(),
                &text("a,b,y", ",", &table),
                &[&line, &field, "leave such rows out"],
            );
        }
    }
    // Text in the first row of a column of numbers is an error too.
    let mut table = rows(20);
    table[0][1] = "unknown".to_owned();
    refused(
        folder.path(),
        &text("a,b,y", ",", &table),
        &["line 2", "'unknown' in column b"],
    );
}

#[test]
fn a_column_of_text_may_have_gaps_and_numbers_in_it() {
    let folder = folder();
    let mut table = rows(20);
    for (i, row) in table.iter_mut().enumerate() {
        row[1] = ["", "12", "red", "green", "blue"][i % 5].to_owned();
    }
    let (said, header) = train(folder.path(), &text("a,b,y", ",", &table));
    assert_eq!(header, "a,y");
    assert!(
        said.contains("passed over: b (text, but for 4 of 16 fields)"),
        "{said}"
    );
    table.iter_mut().for_each(|row| row[1].clear());
    let (said, header) = train(folder.path(), &text("a,b,y", ",", &table));
    assert_eq!(header, "a,y");
    assert!(said.contains("passed over: b (empty)"), "{said}");
}

#[test]
fn separators_of_thousands_do_not_drop_a_column() {
    let folder = folder();
    let plain = {
        let mut table = rows(20);
        for (i, row) in table.iter_mut().enumerate() {
            row[0] = (i * 997).to_string();
        }
        train(folder.path(), &text("a,b,y", ",", &table));
        fs::read_to_string(folder.path().join("run/test.csv")).expect("saved")
    };
    for separator in [",", " ", "'", "\u{a0}", "_"] {
        let mut table = rows(20);
        for (i, row) in table.iter_mut().enumerate() {
            let number = i * 997;
            row[0] = match (number / 1000, number % 1000) {
                (0, rest) => format!("\"{rest}\""),
                (thousands, rest) => format!("\"{thousands}{separator}{rest:03}\""),
            };
        }
        train(folder.path(), &text("a,b,y", ",", &table));
        let test = fs::read_to_string(folder.path().join("run/test.csv")).expect("saved");
        assert_eq!(test, plain, "{separator:?}");
    }
}

#[test]
fn numbers_that_are_not_understood_are_refused() {
    let folder = folder();
    for field in ["\"1,5\"", "\"12,34\"", "\"1.234,5\"", "5%", "$5", "€5"] {
        let mut table = rows(20);
        table.iter_mut().for_each(|row| row[1] = field.to_owned());
        refused(
            folder.path(),
            &text("a,b,y", ",", &table),
            &["line 2", "column b", field.trim_matches('"')],
        );
    }
    // In a file of semicolons a comma is as likely a decimal one.
    for field in ["1,5", "1,234"] {
        let mut table = rows(20);
        table.iter_mut().for_each(|row| row[1] = field.to_owned());
        refused(
            folder.path(),
            &text("a;b;y", ";", &table),
            &["line 2", field, "decimal point"],
        );
    }
}

#[test]
fn the_separator_is_seen_in_the_header() {
    let folder = folder();
    let reference = train(folder.path(), &text("a,b,y", ",", &rows(20))).0;
    for (header, separator) in [
        ("a;b;y", ";"),
        ("a\tb\ty", "\t"),
        ("a|b|y", "|"),
        ("\"a\";\"b\";y", ";"),
    ] {
        let (said, header) = train(folder.path(), &text(header, separator, &rows(20)));
        assert_eq!(header, "a,b,y");
        assert_eq!(said, reference);
    }
    for first in ["sep=;\n", "SEP=;\r\n", "\u{feff}sep=;\n", "\"sep=;\"\n"] {
        let (_, header) = train(
            folder.path(),
            &(first.to_owned() + &text("a;b;y", ";", &rows(20))),
        );
        assert_eq!(header, "a,b,y");
    }
    let wrong = "sep=;\n".to_owned() + &text("a;b;y", ";", &rows(20)).replacen("\n3;", "\ntwo;", 1);
    refused(folder.path(), &wrong, &["line 6", "'two' in column a"]);
    refused(folder.path(), "sep=\na,b,y\n", &["sep="]);
    let other = text("a:b:y", ":", &rows(20));
    refused(folder.path(), &other, &["no column y", "it has a:b:y"]);
    let wide: Vec<u8> = "\u{feff}a,b,y\n1,2,3\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(folder.path().join("rows.csv"), wide).expect("a file");
    assert!(refuse(folder.path(), TRAIN).contains("UTF-16"));
}

#[test]
fn predict_reads_what_train_reads() {
    let folder = folder();
    train(folder.path(), &text("a,b,y", ",", &rows(20)));
    let predict = |text: &str| {
        fs::write(folder.path().join("new.csv"), text).expect("a file");
        succeed(folder.path(), "predict --model run --input new.csv")
    };
    let expected = predict("a,b\n1,2\n1234,5\n");
    assert_eq!(expected.lines().count(), 3);
    for text in [
        "a;b\n1;2\n1234;5\n",
        "sep=\t\na\tb\n1\t2\n1234\t5\n",
        ",a,b\n0,1,2\n1,\"1,234\",5\n",
        "a,b\n1,2\n1234,5\n\n   \n",
        "a,b\n1,2\n1234,5\n,\n,\n",
    ] {
        assert_eq!(predict(text), expected, "{text}");
    }
}

#[test]
fn the_index_of_a_data_frame_is_no_input() {
    let folder = folder();
    let table = rows(20);
    let indexed = |name: &str, index: &dyn Fn(usize) -> String| {
        let rows = table.iter().enumerate();
        let line = |(i, row): (usize, &[String; 3])| format!("{},{}\n", index(i), row.join(","));
        format!("{name},a,b,y\n") + &rows.map(line).collect::<String>()
    };
    for (name, says) in [
        ("", "column 1 (it numbers the rows)"),
        ("\"\"", "column 1 (it numbers the rows)"),
        ("Unnamed: 0", "Unnamed: 0 (it numbers the rows)"),
    ] {
        for index in [&|i: usize| i.to_string(), &|i: usize| {
            (7 * i + 3).to_string()
        }] as [&dyn Fn(usize) -> String; 2]
        {
            let (said, header) = train(folder.path(), &indexed(name, index));
            assert_eq!(header, "a,b,y");
            assert!(said.contains(says), "{said}");
        }
    }
    refused(
        folder.path(),
        &indexed("", &|i| (i % 3).to_string()),
        &["line 1", "column 1 has no name"],
    );
    refused(
        folder.path(),
        &indexed("", &|i| format!("row {i}")),
        &["line 1", "column 1 has no name"],
    );
    // An empty column at the end, as after a separator too many.
    let trailing = text("a,b,y", ",", &table).replace('\n', ",\n");
    assert_eq!(train(folder.path(), &trailing).1, "a,b,y");
}

#[test]
fn blanks_may_follow_the_last_row_only() {
    let folder = folder();
    let table = text("a,b,y", ",", &rows(20));
    for end in [
        "\n",
        "   \n",
        "\t\n   ",
        " \r\n\r\n",
        ",,\n",
        ",,\n , ,\n\n",
    ] {
        train(folder.path(), &(table.clone() + end));
    }
    let amid = table.replacen("\n3,", "\n,,\n3,", 1);
    refused(folder.path(), &amid, &["line 5", "a row without"]);
}

#[test]
fn a_line_without_end_is_refused_early() {
    let folder = folder();
    for (start, line) in [
        ("", "line 1"),
        ("a,b,y\n1,2,3\n", "line 3"),
        ("a,b,y\n1,\"2,3\n", "line 2"),
    ] {
        let text = start.to_owned() + &"1,2,3 ".repeat(1 << 20);
        refused(folder.path(), &text, &[line, "longer than 1 MiB"]);
    }
    let error = refuse(folder.path(), &TRAIN.replace("rows.csv", "/dev/zero"));
    assert!(error.contains("longer than 1 MiB"), "{error}");
    // A quote that is not closed, over many lines.
    let open = text("a,b,y", ",", &rows(20)) + "1,\"2,3\n" + &"1,2,3\n".repeat(1 << 19);
    refused(folder.path(), &open, &["line 22", "a quote"]);
}
