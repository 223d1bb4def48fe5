//! What the documentation shows is true: its command lines name what exists, and its excerpts stand in the sources.
//!
//! Its other Rust blocks are run as documentation tests of `burn-relax-tests`.

mod commands;
mod page;

use std::fs;

use anyhow::{Context, Result, bail};

use crate::cargo::{Package, root};
pub use commands::check;
use commands::command_lines;
use page::{SPAN, files, pieces};

/// The file that hands the pages to rustdoc.
const TESTED: &str = "tests/src/pages.rs";

/// Checks every page; a block or a command line that does not hold is an error.
pub fn run(packages: &[Package]) -> Result<()> {
    let tested = fs::read_to_string(root().join(TESTED)).context(TESTED)?;
    let mut sources = Vec::new();
    for path in files("rs")? {
        sources.push(lines(&fs::read_to_string(path)?));
    }
    let pages = files("md")?;
    let mut checked = 0;
    let mut faults = Vec::new();
    for path in &pages {
        let name = path.strip_prefix(root())?.display().to_string();
        for piece in pieces(&name, &fs::read_to_string(path)?) {
            let mut fault = |what: &str| faults.push(format!("{}: {what}", piece.place));
            match piece.language {
                "sh" | "shell" | "bash" | SPAN => {
                    for (line, words) in command_lines(&piece.text.replace("\\\n", " ")) {
                        checked += 1;
                        if let Err(wrong) = check(&words, packages) {
                            fault(&format!("`{}`: {wrong}", line.trim()));
                        }
                    }
                }
                "rs" => {
                    let excerpt = lines(&piece.text);
                    if !sources.iter().any(|source| holds(source, &excerpt)) {
                        fault("no source has these lines");
                    }
                }
                "rust" if tested.contains(&format!("/{name}\"")) => {}
                "rust" => fault(&format!("{TESTED} does not name this page")),
                other if other.starts_with("rust") => {
                    fault("a block of Rust is run, or is an excerpt and marked `rs`");
                }
                _ => {}
            }
        }
    }
    if !faults.is_empty() {
        bail!("the documentation is wrong:\n{}", faults.join("\n"));
    }
    println!("{} pages, {checked} command lines", pages.len());
    Ok(())
}

/// The lines without their indentation and the empty ones.
fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// Whether the excerpt's lines follow each other in the source; a line `…` or `// …` leaves some out.
fn holds(source: &[String], excerpt: &[String]) -> bool {
    let parts = excerpt.split(|line| line == "…" || line == "// …");
    let mut parts = parts.filter(|part| !part.is_empty()).peekable();
    let mut left = source;
    parts.peek().is_some()
        && parts.all(|part| {
            let at = left.windows(part.len()).position(|lines| lines == part);
            at.map(|at| left = &left[at + part.len()..]).is_some()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_holds() {
        run(&crate::cargo::metadata().unwrap().packages).unwrap();
    }

    #[test]
    fn an_excerpt_may_leave_lines_out_but_change_none() {
        let source = lines("fn f() {\n    one();\n\n    two();\n    three();\n}\n");
        let excerpt = |text: &str| holds(&source, &lines(text));
        assert!(excerpt("  one();\n  two();"));
        assert!(excerpt("fn f() {\n    // …\n    three();\n}"));
        assert!(!excerpt("one();\nthree();"));
        assert!(!excerpt("two();\n…\none();"));
        assert!(!excerpt("…"));
    }
}
