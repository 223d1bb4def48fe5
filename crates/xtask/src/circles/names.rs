//! What a path names.

use super::sources::Module;

/// A module, and an item in it unless the module itself is meant.
type Target = (usize, Option<String>);

/// Follows a path in a module's text to the module that defines what it names; `None` where that is another crate.
///
/// What a library's root hands on counts as defined there. So does, where a path arrives, a name that is not found: a macro
/// makes it, or it is imported there from another crate.
pub fn resolve(modules: &[Module], library: bool, from: usize, path: &[String]) -> Option<Target> {
    let mut search = Search {
        modules,
        closed_root: library && from != 0,
        open: Vec::new(),
    };
    search.follow(from, path, false)
}

struct Search<'a> {
    modules: &'a [Module],
    /// Whether the root's imports are taken for its own items.
    closed_root: bool,
    /// The names that are being looked up, so that imports in a circle come to an end.
    open: Vec<(usize, String, bool)>,
}

impl Search<'_> {
    /// `as_module` tells which is meant where a module and an item share the last name.
    fn follow(&mut self, from: usize, path: &[String], as_module: bool) -> Option<Target> {
        let mut at = from;
        for (i, name) in path.iter().enumerate() {
            match &**name {
                "crate" => at = 0,
                "super" => at = self.modules[at].parent,
                "self" => {}
                _ => {
                    let last = i + 1 == path.len();
                    let unknown = (i > 0).then(|| (at, Some(name.clone())));
                    let found = self.lookup(at, name, as_module || !last).or(unknown)?;
                    if found.1.is_some() {
                        return Some(found);
                    }
                    at = found.0;
                }
            }
        }
        Some((at, None))
    }

    fn lookup(&mut self, at: usize, name: &str, as_module: bool) -> Option<Target> {
        let step = (at, name.to_owned(), as_module);
        if self.open.contains(&step) {
            return None;
        }
        self.open.push(step);
        let found = self.look_into(at, name, as_module);
        self.open.pop();
        found
    }

    /// In this order: what an import says, an item, what a glob brings, a child module, which comes first where one is wanted.
    fn look_into(&mut self, at: usize, name: &str, as_module: bool) -> Option<Target> {
        let here = &self.modules[at];
        let child = here.children.get(name).map(|&child| (child, None));
        if as_module && child.is_some() {
            return child;
        }
        let item = |module| (module, Some(name.to_owned()));
        let closed = self.closed_root && at == 0;
        let handed_on = |target| if closed { item(0) } else { target };

        let imports = here.imports.iter();
        let mut named = imports.filter(|import| import.name.as_deref() == Some(name));
        let named = named.find_map(|import| self.follow(at, &import.path, as_module));
        let own = || here.items.get(name).map(|&module| item(module));
        if let Some(target) = named.map(handed_on).or_else(own) {
            return Some(target);
        }
        let mut globs = here.imports.iter().filter(|import| import.name.is_none());
        let through_glob = globs.find_map(|glob| match self.follow(at, &glob.path, true)? {
            (source, None) => self.lookup(source, name, as_module),
            _ => None,
        });
        through_glob.map(handed_on).or(child)
    }
}
