//! The tests that hold for every operator miss none.

use std::{collections::BTreeSet, fs, path::Path};

use burn_relax_wgpu::OPERATORS;

use crate::device::operators::{All, Inputs};

/// The public functions of the file at `path`, or of the files of that folder.
fn functions(path: &Path) -> Vec<String> {
    if path.is_dir() {
        let files = fs::read_dir(path).expect("a folder");
        return files
            .flat_map(|file| functions(&file.expect("a file").path()))
            .collect();
    }
    let source = fs::read_to_string(path.with_extension("rs")).expect("a source file");
    let lines = source
        .lines()
        .filter_map(|line| line.strip_prefix("pub fn "));
    lines
        .filter_map(|line| Some(line.split_once(['(', '<'])?.0.to_owned()))
        .collect()
}

#[test]
fn the_registry_names_every_public_operator() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/operators");
    let public: BTreeSet<String> = OPERATORS
        .iter()
        .flat_map(|operator| functions(&sources.join(operator)))
        .collect();
    let mut all = All(Vec::new());
    Inputs::new(2, 3).visit(&mut all);
    let visited = all.0.into_iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(public, visited);
}
