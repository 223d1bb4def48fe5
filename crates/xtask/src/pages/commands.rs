//! Command lines of cargo.

use crate::{cargo::Package, cli::is_command};

/// The lines of a text that call cargo, each with the words after `cargo`.
pub fn command_lines(text: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    let lines = text.lines().map(|line| (line, cargo_words(line)));
    lines.filter(|(_, words)| !words.is_empty())
}

/// The words after `cargo`, up to a comment, a pipe or another command; none where the line calls another program.
fn cargo_words(line: &str) -> Vec<&str> {
    let is_variable = |word: &&str| word.contains('=') && !word.starts_with(['=', '-']);
    let words = line.split_whitespace().skip_while(is_variable);
    let ends = |word: &str| matches!(word, "|" | "&&" | ">") || word.starts_with('#');
    let mut words = words.take_while(|word| !ends(word));
    match words.next() {
        Some("cargo") => words.collect(),
        _ => Vec::new(),
    }
}

/// Whether the words after `cargo` are a command of this program, or name packages, targets and features of the workspace.
pub fn check(words: &[&str], packages: &[Package]) -> Result<(), String> {
    if let ["xtask", arguments @ ..] = words {
        return is_command(arguments);
    }
    // The arguments of the program that is run come after `--`.
    let words = words.iter().take_while(|word| **word != "--");
    let words: Vec<&str> = words
        .flat_map(|word| word.splitn(2, '='))
        .chain([""])
        .collect();
    let given = |names: [&'static str; 2]| {
        let pairs = words
            .windows(2)
            .filter(move |pair| names.contains(&pair[0]));
        pairs.map(|pair| pair[1])
    };
    let missing = |kind: &str, name: &str| Err(format!("there is no {kind} {name}"));

    let mut chosen = Vec::new();
    for name in given(["-p", "--package"]) {
        match packages.iter().find(|package| package.name == name) {
            Some(package) => chosen.push(package),
            None => return missing("package", name),
        }
    }
    if words.contains(&"--workspace") {
        chosen.extend(packages);
    }
    for option in ["--test", "--bin", "--example", "--bench"] {
        let kind = &option[2..];
        for name in given([option; 2]) {
            let mut targets = chosen.iter().flat_map(|package| &package.targets);
            if !targets.any(|target| target.kind[0] == kind && target.name == name) {
                return missing(kind, name);
            }
        }
    }
    for feature in given(["-F", "--features"]).flat_map(|list| list.split(',')) {
        let has = |package: &Package, feature| package.features.contains_key(feature);
        let exists = match feature.split_once('/') {
            Some((name, feature)) => {
                let mut packages = packages.iter();
                packages.any(|package| package.name == name && has(package, feature))
            }
            None => chosen.iter().any(|package| has(package, feature)),
        };
        if !exists {
            return missing("feature", feature);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::metadata;

    #[test]
    fn a_name_that_does_not_exist_is_found() {
        let packages = metadata().unwrap().packages;
        let verdict = |line: &str| check(&cargo_words(line), &packages).is_ok();
        for right in [
            "A=1 cargo test -p burn-relax-kernels --test=kernels -- --nocapture",
            "cargo run -p burn-relax-bench --features wgpu,ndarray -- --what | less",
            "cargo xtask test --only kernels",
            "cargo xtask test --setup # and a comment",
            "cargo xtask bench --quick --any thing",
            "cargo xtask --help",
        ] {
            assert!(verdict(right), "{right}");
        }
        for wrong in [
            "cargo run -p burn-relax-bank",
            "cargo test -p burn-relax-kernels --test none",
            "cargo run -p burn-relax-bench --features gpu",
            "cargo test --workspace --features burn-relax-tests/gpu",
            "cargo xtask tests",
            "cargo xtask test --only gpu",
        ] {
            assert!(!verdict(wrong), "{wrong}");
        }
        assert!(cargo_words("cargo").is_empty());
        assert!(cargo_words("ls cargo").is_empty());
    }
}
