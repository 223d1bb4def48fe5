//! Comparisons: interrupted, resumed, on any number of threads, and their report in a browser.

use crate::common::{call, program, refuse, succeed};
use crate::first;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::tempdir;

const RESULTS: [&str; 3] = ["results.csv", "results.json", "report.html"];

/// A comparison of three strategies on two tasks.
fn comparison(more: &str) -> String {
    let fixed = "compare --strategies auto,reinmax,score-function --tasks a,b --seeds 2";
    format!("{fixed} --backend {} {more}", first())
}

fn results(folder: &Path) -> [Vec<u8>; 3] {
    RESULTS.map(|file| fs::read(folder.join(file)).expect("written"))
}

fn lines(journal: &Path) -> usize {
    fs::read_to_string(journal).map_or(0, |text| text.lines().count())
}

#[test]
fn a_killed_comparison_goes_on_to_the_same_files() {
    let folder = tempdir().expect("a folder");
    let whole = comparison("--steps 300 --out whole --jobs 1");
    let killed = comparison("--steps 300 --out killed --jobs 3");
    let stdout = succeed(folder.path(), &whole);
    assert!(stdout.starts_with("| strategy | A | B |\n"), "{stdout}");

    let mut child = program(folder.path(), &killed)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let journal = folder.path().join("killed/journal.jsonl");
    let patience = Instant::now();
    while lines(&journal) < 3 && patience.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(1));
    }
    child.kill().expect("it runs");
    assert!(
        !child.wait().expect("it ran").success(),
        "it was killed in time"
    );
    // As torn as a line can be.
    let text = fs::read_to_string(&journal).expect("a journal");
    fs::write(&journal, &text[..text.len() - 20]).expect("writable");

    let again = refuse(folder.path(), &killed);
    assert!(
        again.contains("--resume") && again.contains("--force"),
        "{again}"
    );
    let output = call(folder.path(), &format!("{killed} --resume"));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("were done before"), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout);
    let [whole, killed] = ["whole", "killed"].map(|name| results(&folder.path().join(name)));
    for (file, (whole, killed)) in RESULTS.iter().zip(whole.iter().zip(&killed)) {
        assert!(whole == killed, "{file}");
    }
}

#[test]
fn folders_and_options_that_do_not_fit_are_refused() {
    let folder = tempdir().expect("a folder");
    let seeds = |count: u64, more: &str| {
        let fixed = "compare --strategies auto --tasks a --steps 5 --out c";
        format!("{fixed} --seeds {count} --backend {} {more}", first())
    };
    let missing = refuse(folder.path(), &seeds(1, "--resume"));
    assert!(missing.contains("journal.jsonl"), "{missing}");
    succeed(folder.path(), &seeds(1, ""));
    let other = refuse(folder.path(), &seeds(2, "--resume"));
    assert!(other.contains("--seeds is 1 there and 2 here"), "{other}");
    succeed(folder.path(), &seeds(1, "--resume"));
    succeed(folder.path(), &seeds(2, "--force"));
    let csv = fs::read_to_string(folder.path().join("c/results.csv")).expect("written");
    assert_eq!(csv.lines().count(), 3, "{csv}");

    fs::write(folder.path().join("c/thesis.txt"), "dear").expect("a file");
    let foreign = refuse(folder.path(), &seeds(2, "--force"));
    assert!(foreign.contains("thesis.txt"), "{foreign}");
    let alone = refuse(folder.path(), "compare --resume");
    assert!(alone.contains("--out"), "{alone}");
}

#[test]
fn without_a_folder_the_table_is_printed() {
    let folder = tempdir().expect("a folder");
    let old = format!(
        "compare --strategy auto --task a --seeds 2 --steps 5 --backend {}",
        first()
    );
    let table = succeed(folder.path(), &old);
    assert_eq!(table.lines().count(), 3, "{table}");
    let output = call(folder.path(), &format!("{old} --json --log-level info"));
    let cells: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("nothing but JSON");
    assert_eq!(cells[0]["test_mse"].as_array().map(Vec::len), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    for span in ["run{", "train{", "steps{", "evaluation"] {
        assert!(stderr.contains(span), "{span}: {stderr}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

/// The page as Chromium has it after loading, and what it complained about; none where there is no Chromium.
fn open(page: &Path) -> Option<(String, String)> {
    let profile = tempdir().expect("a folder");
    let browsers = ["chromium", "chromium-browser", "google-chrome"];
    let output = browsers.iter().find_map(|browser| {
        Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
            .args([
                "--disable-background-networking",
                "--no-first-run",
                "--enable-logging=stderr",
            ])
            .arg(format!(
                "--user-data-dir={}",
                profile.path().join("profile").display()
            ))
            .arg(format!("file://{}", page.display()))
            .output()
            .ok()
    })?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let dom = String::from_utf8(output.stdout).expect("UTF-8");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Some((dom, stderr))
}

#[test]
fn the_report_opens_in_a_browser() {
    let folder = tempdir().expect("a folder");
    succeed(folder.path(), &comparison("--steps 60 --out c"));
    let page = folder.path().join("c/report.html");
    let source = fs::read_to_string(&page).expect("written");
    for reference in ["http:", "https:", "<script", "@import", "url(", "src="] {
        assert!(
            !source.contains(reference),
            "{reference} would be fetched or run"
        );
    }
    assert!(
        !source.contains("{{") && !source.contains("NaN"),
        "a part is missing"
    );
    let Some((dom, complaints)) = open(&page) else {
        eprintln!(
            "\nNOT RUN: no Chromium, so the report was not opened. Install the package `chromium` (Debian, Fedora, Arch) or \
             `chromium-browser` (Ubuntu); `cargo xtask test` does so where it can.\n"
        );
        return;
    };
    // The page forbids itself to fetch anything; an attempt would be a complaint too.
    assert!(source.contains("default-src 'none'"), "no policy");
    assert!(!complaints.contains("CONSOLE"), "{complaints}");
    let count = |what: &str| dom.matches(what).count();
    assert_eq!(
        count("<tr><th scope=\"row\">"),
        6 + 9,
        "rows of results and of the audit"
    );
    assert_eq!(
        count("class=\"chart\""),
        2 + 2,
        "learning curves and gradients"
    );
    assert_eq!(
        count("class=\"map\""),
        1 + 3,
        "the true regimes and those of each strategy"
    );
    assert_eq!(count("<polygon opacity=\"0.16\""), 2 * 3, "bands");
    assert_eq!(
        count("class=\"key\""),
        2 * 3 + 2 * 3,
        "keys of curves and of gates"
    );
    for colour in ["#0060A8", "#C2410C", "#0F766E"] {
        let line = format!("<polyline fill=\"none\" opacity=\"1\" stroke=\"{colour}\"");
        assert!(
            count(&line) >= 4,
            "a curve and its key on each task in {colour}"
        );
    }
    assert_eq!(count("<circle"), 2 * (3 + 1), "the first gate and its key");
    for points in dom.split(" points=\"").skip(1) {
        let points = points.split('"').next().unwrap_or_default();
        assert!(points.contains(','), "an empty line: {points}");
    }
}
