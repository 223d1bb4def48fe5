//! No circle of files: what a file uses must not use it in turn, through whatever other files.
//!
//! Whoever reads a file then needs the files below it only. Tests are exempt, and so are the declaration of a module and the
//! re-export of what its files define.

mod names;
mod sources;

use std::{collections::BTreeSet, path::Path};

use anyhow::{Result, bail};
use petgraph::{algo::astar, graphmap::DiGraphMap};

use crate::cargo::Package;
use names::resolve;
use sources::{Module, modules};

/// From each file an arrow to every file that it uses, with a name that it uses there.
type Graph<'a> = DiGraphMap<&'a Path, String>;

/// Draws every crate of the workspace; a circle, or an arrow to the root of a library, is an error.
pub fn run(packages: &[Package]) -> Result<()> {
    let mut count = 0;
    for package in packages {
        let roots = package.targets.iter().map(|target| &target.src_path);
        let crates = roots
            .map(|root| modules(root))
            .collect::<Result<Vec<_>>>()?;
        let mut graph = Graph::new();
        let mut faults = BTreeSet::new();
        for (target, modules) in package.targets.iter().zip(&crates) {
            let library = ["lib", "proc-macro"].contains(&&*target.kind[0]);
            draw(modules, library, &mut graph, &mut faults);
        }
        faults.extend(circles(&graph));
        let (files, arrows) = (graph.node_count(), graph.edge_count());
        println!("{}: {files} files, {arrows} arrows", package.name);
        let folder = package.manifest_path.with_file_name("");
        let folder = folder.display().to_string();
        for fault in &faults {
            println!("  {}", fault.replace(&folder, ""));
        }
        count += faults.len();
    }
    if count > 0 {
        bail!("{count} circles of files, or names taken from a library's root, as shown above");
    }
    Ok(())
}

/// Adds a crate's files and arrows, and as faults the names that files of a library take from its root.
fn draw<'a>(
    modules: &'a [Module],
    library: bool,
    graph: &mut Graph<'a>,
    faults: &mut BTreeSet<String>,
) {
    for (from, module) in modules.iter().enumerate() {
        graph.add_node(&module.file);
        let paths = module.paths.iter().chain(silent(module));
        let targets = paths.filter_map(|path| {
            let (module, item) = resolve(modules, library, from, path)?;
            // A name alone that would be a module is a variable's.
            let name = item.or_else(|| path[1..].last().cloned())?;
            Some((name, module))
        });
        for (name, to) in targets.chain(module.macros.iter().cloned()) {
            let to_file = &modules[to].file;
            if *to_file == module.file {
                continue;
            }
            if library && to == 0 {
                faults.insert(format!(
                    "{} takes `{name}` from the crate's root",
                    module.file.display()
                ));
            }
            if !graph.contains_edge(&module.file, to_file) {
                graph.add_edge(&module.file, to_file, name);
            }
        }
    }
}

/// The imports that no longer path of the module's text begins with. The re-export of what a child defines is no use of it.
fn silent(module: &Module) -> impl Iterator<Item = &Vec<String>> {
    let imports = module.imports.iter().filter(|import| {
        let name = import.name.as_ref();
        let mut longer = module.paths.iter().filter(|path| path.len() > 1);
        let handed_on = import.reexport && module.children.contains_key(&import.path[0]);
        name.is_some_and(|name| !handed_on && !longer.any(|path| path[0] == *name))
    });
    imports.map(|import| &import.path)
}

/// The shortest circle through each file that is on one, each circle once and from its first file on.
fn circles(graph: &Graph) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for start in graph.nodes() {
        let back = |next| astar(graph, next, |file| file == start, |_| 1, |_| 0);
        let ways = graph.neighbors(start).filter_map(back);
        if let Some((_, mut circle)) = ways.min() {
            let first = (0..circle.len()).min_by_key(|&i| circle[i]);
            circle.rotate_left(first.unwrap_or(0));
            circle.push(circle[0]);
            let mut line = format!("circle: {}", circle[0].display());
            for ends in circle.windows(2) {
                line += &format!(" → {} (`{}`)", ends[1].display(), graph[(ends[0], ends[1])]);
            }
            found.insert(line);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The arrows and the faults of a crate, each line of which is `file | text`; its first file is the root.
    fn found(library: bool, crate_text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = Vec::new();
        for (name, text) in crate_text.lines().filter_map(|line| line.split_once('|')) {
            let path = folder.path().join(name.trim());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            paths.push(path);
        }
        let modules = modules(&paths[0]).unwrap();
        let (mut graph, mut lines) = (Graph::new(), BTreeSet::new());
        draw(&modules, library, &mut graph, &mut lines);
        lines.extend(circles(&graph));
        for (from, to, name) in graph.all_edges() {
            lines.insert(format!("{} → {} {name}", from.display(), to.display()));
        }
        let lines = Vec::from_iter(lines).join(", ");
        lines
            .replace(&format!("{}/", folder.path().display()), "")
            .replace(".rs", "")
    }

    #[test]
    fn paths_and_imports_lead_to_the_defining_file() {
        let files = "lib.rs | mod a; mod folder; mod user; pub use a::A;
            a.rs | pub struct A; pub struct T;
            folder/mod.rs | mod leaf; mod other; pub use leaf::{leaf as renamed}; made!(Unseen);
            folder/leaf.rs | pub fn leaf() {}
            folder/other.rs | pub fn other() {}
            user.rs | use crate::{a::{self as b, T as _}, folder}; fn f() { b::T; folder::renamed(); use super::folder::Unseen; }";
        let expected = "user → a T, user → folder/leaf leaf, user → folder/mod Unseen";
        assert_eq!(found(true, files), expected);
    }

    #[test]
    fn a_name_of_a_librarys_root_is_a_fault() {
        let files = "lib.rs | mod a; mod b; mod user; pub use a::A; pub use other::Seed;
            a.rs | pub struct A;
            b.rs | #[macro_export] macro_rules! made { () => {} }
            user.rs | use crate::A; use super::Seed; crate::made!();";
        let arrows = "user → b made, user → lib A";
        let faults =
            "user takes `A` from the crate's root, user takes `Seed` from the crate's root";
        assert_eq!(found(true, files), format!("{faults}, {arrows}"));
        let expected = "user → a A, user → b made, user → lib Seed";
        assert_eq!(found(false, files), expected);
    }

    #[test]
    fn a_folder_uses_what_it_hands_on_only_where_its_own_text_does() {
        let files = "lib.rs | mod folder;
            folder/mod.rs | mod leaf; pub use leaf::Leaf; pub use leaf::*; pub struct Shared;
            folder/leaf.rs | use super::Shared; pub struct Leaf; pub fn f(_: Shared) {}";
        let up = "folder/leaf → folder/mod Shared";
        assert_eq!(found(true, files), up);
        let files = files.replace("pub struct Shared;", "pub struct Shared(Leaf);");
        let circle = "circle: folder/leaf → folder/mod (`Shared`) → folder/leaf (`Leaf`)";
        let down = "folder/mod → folder/leaf Leaf";
        assert_eq!(found(true, &files), format!("{up}, {down}, {circle}"));
    }

    #[test]
    fn globs_count_the_names_that_are_used() {
        let files = "lib.rs | mod folder; mod user;
            folder/mod.rs | mod one; mod two; pub use one::*; pub use two::Two;
            folder/one.rs | use super::*; pub struct One; pub struct Unused;
            folder/two.rs | pub struct Two; pub struct Own;
            user.rs | use crate::folder::*; fn f(_: One) -> Own { made!(Two) } struct Own;";
        let expected = "user → folder/one One, user → folder/two Two";
        assert_eq!(found(true, files), expected);
    }

    #[test]
    fn macros_are_items_of_their_file_and_their_arguments_may_be_paths() {
        let files = "lib.rs | mod a; #[macro_use] mod textual; mod named; mod user;
            a.rs | pub fn f() {} pub fn g() {}
            textual.rs | macro_rules! textual { () => { crate::a::f() } }
            named.rs | macro_rules! named { () => {} } pub(crate) use named;
            user.rs | use crate::named::named; textual!(); named!(x.f, '$', 'a: crate:: a ::g(), $crate::a::f);";
        let expected = "user → a g, user → named named, user → textual textual";
        assert_eq!(found(true, files), expected);
    }

    #[test]
    fn a_function_that_shares_its_modules_name_is_told_from_it() {
        let files = "lib.rs | mod argmax; mod user; mod other; pub use argmax::argmax;
            argmax.rs | pub fn argmax() {} pub fn first() {}
            other.rs | use crate::argmax; fn f() { argmax::first(); }
            user.rs | use crate::argmax; fn f() { argmax(); }";
        let expected =
            "other → argmax first, user takes `argmax` from the crate's root, user → lib argmax";
        assert_eq!(found(true, files), expected);
    }

    #[test]
    fn tests_and_inline_modules_draw_nothing() {
        let files = "lib.rs | mod a; mod b;
            a.rs | pub struct A; mod inner { use super::A; } #[cfg(all(unix, test))] mod tests { use crate::b::B; }
            b.rs | pub struct B; #[cfg(test)] use crate::a::A; #[test] fn f() { crate::a::A; }";
        assert_eq!(found(true, files), "");
        let files = files.replace("all(unix, test)", "any(unix, test)");
        assert_eq!(found(true, &files), "a → b B");
    }

    #[test]
    fn modules_are_found_in_files_folders_and_blocks() {
        let files =
            "main.rs | mod flat; mod block { mod inner; } #[path = \"odd/file.rs\"] mod other;
            flat.rs | mod below;
            flat/below.rs | use crate::{block::inner::A, other::beside::B};
            block/inner.rs | pub struct A;
            odd/file.rs | pub mod beside;
            odd/beside.rs | pub struct B;";
        let expected = "flat/below → block/inner A, flat/below → odd/beside B";
        assert_eq!(found(false, files), expected);
    }

    #[test]
    fn each_circle_is_found_once() {
        let circles = |arrows: &str| {
            let ends = arrows.split(' ').filter_map(|arrow| arrow.split_once('>'));
            let ends = ends.map(|(from, to)| (Path::new(from), Path::new(to), String::new()));
            let lines = Vec::from_iter(circles(&ends.collect())).join(", ");
            lines.replace(" (``)", "")
        };
        assert_eq!(circles("a>b b>c c>d b>d"), "");
        assert_eq!(circles("b>c c>b a>b"), "circle: b → c → b");
        let two = "circle: a → b → c → a, circle: c → d → c";
        assert_eq!(circles("a>b b>c c>a c>d d>c"), two);
    }
}
