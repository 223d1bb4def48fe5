//! A crate's modules, read from its files in one pass: what each defines, imports and names.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Error, Result};
use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Expr, Ident, ImplItemFn, Item, ItemMod, ItemUse, Lit, Macro, Meta, Token, UseTree,
    VisRestricted, Visibility,
    punctuated::Punctuated,
    visit::{self, Visit},
};

/// A module without its tests. Others are meant by their place in the list of all modules.
#[derive(Default)]
pub struct Module {
    /// An inline module's is that of its parent.
    pub file: PathBuf,
    /// The root is its own parent.
    pub parent: usize,
    pub children: BTreeMap<String, usize>,
    /// Its items, with the module that has their text: another one only where `#[macro_export]` puts a macro at the root.
    pub items: BTreeMap<String, usize>,
    /// Its `use` lines, those inside its functions too.
    pub imports: Vec<Import>,
    /// The paths in the rest of its text, of one name and more.
    pub paths: BTreeSet<Vec<String>>,
    /// The macros called that stand earlier in the text, each with its module.
    pub macros: BTreeSet<(String, usize)>,
}

/// One name, or one glob, of a `use` line. A line with a leading `::` names another crate and has none.
pub struct Import {
    /// The path as it is written; a glob's without the `*`.
    pub path: Vec<String>,
    /// The name it has here; `None` for a glob.
    pub name: Option<String>,
    pub reexport: bool,
}

/// The modules of the crate with that root file, which is the first of them.
pub fn modules(root: &Path) -> Result<Vec<Module>> {
    let mut reader = Reader::default();
    reader.file(root, root.parent().unwrap_or(Path::new("")))?;
    match reader.fault {
        Some(fault) => Err(fault),
        None => Ok(reader.modules),
    }
}

#[derive(Default)]
struct Reader {
    modules: Vec<Module>,
    /// The module that is being read.
    at: usize,
    /// Where the files of its child modules are.
    folder: PathBuf,
    /// The macros that the text so far has made, each with its module.
    macros: BTreeMap<String, usize>,
    fault: Option<Error>,
}

impl Reader {
    fn file(&mut self, path: &Path, folder: &Path) -> Result<usize> {
        let name = || path.display().to_string();
        let text = fs::read_to_string(path).with_context(name)?;
        let file = syn::parse_file(&text).with_context(name)?;
        Ok(self.module(path, folder, &file.items))
    }

    fn module(&mut self, file: &Path, folder: &Path, items: &[Item]) -> usize {
        let module = self.modules.len();
        self.modules.push(Module {
            file: file.to_owned(),
            parent: self.at,
            ..Module::default()
        });
        let around = (self.at, self.folder.clone());
        (self.at, self.folder) = (module, folder.to_owned());
        for item in items {
            self.visit_item(item);
        }
        (self.at, self.folder) = around;
        module
    }

    fn child(&mut self, child: &ItemMod) -> Result<usize> {
        let file = self.modules[self.at].file.clone();
        let below = self.folder.join(child.ident.to_string());
        if let Some((_, items)) = &child.content {
            return Ok(self.module(&file, &below, items));
        }
        if let Some(path) = given_path(&child.attrs) {
            let file = file.with_file_name(path);
            // The files of its own modules lie beside it.
            let beside = file.parent().unwrap_or(&below);
            return self.file(&file, beside);
        }
        let flat = below.with_extension("rs");
        if flat.is_file() {
            self.file(&flat, &below)
        } else {
            self.file(&below.join("mod.rs"), &below)
        }
    }

    fn path(&mut self, names: impl Iterator<Item = String>) {
        self.modules[self.at].paths.insert(names.collect());
    }

    /// The arguments of a macro need not be Rust: whatever looks like a path is taken for one.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut text = String::new();
        for token in tokens {
            text.push(' ');
            match token {
                TokenTree::Ident(ident) => text.push_str(&ident.to_string()),
                TokenTree::Punct(sign) => text.push(sign.as_char()),
                TokenTree::Literal(_) => text.push(','),
                TokenTree::Group(group) => {
                    text.push(',');
                    self.tokens(group.stream());
                }
            }
        }
        let text = text.replace(" : : ", "::");
        let letter = |sign: char| sign.is_alphabetic() || sign == '_';
        let mut before = "";
        for word in text.split(' ') {
            // No path is a field, a method, a lifetime, and what a variable of `macro_rules!` begins.
            if word.starts_with(letter) && !matches!(before, "." | "'" | "$") {
                let is_name = |name: &&str| name.starts_with(letter);
                let names = word.split("::").take_while(is_name);
                self.path(names.map(str::to_owned));
            }
            before = word;
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = declaration(item);
        if only_in_tests(attributes) {
            return;
        }
        if let Some(name) = name {
            let items = &mut self.modules[self.at].items;
            items.insert(name.to_string(), self.at);
        }
        // What the body of a `macro_rules!` names is used where the macro is called.
        let (Item::Macro(_), Some(name)) = (item, name) else {
            return visit::visit_item(self, item);
        };
        self.macros.insert(name.to_string(), self.at);
        if find(attributes, "macro_export").is_some() {
            self.modules[0].items.insert(name.to_string(), self.at);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let macros = self.macros.clone();
        match self.child(item) {
            Ok(child) => {
                let children = &mut self.modules[self.at].children;
                children.insert(item.ident.to_string(), child);
            }
            Err(fault) => self.fault = Some(fault),
        }
        if find(&item.attrs, "macro_use").is_none() {
            self.macros = macros;
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            let reexport = !matches!(item.vis, Visibility::Inherited);
            let found = imports(&item.tree, &[], reexport);
            self.modules[self.at].imports.extend(found);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !only_in_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let segments = path.segments.iter();
            self.path(segments.map(|segment| segment.ident.to_string()));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let name = call.path.get_ident().map(Ident::to_string);
        let name = name.unwrap_or_default();
        if let Some(&module) = self.macros.get(&name) {
            self.modules[self.at].macros.insert((name, module));
        } else {
            self.visit_path(&call.path);
        }
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}

/// The imports of a `use` line, whose path begins with the names before.
fn imports(tree: &UseTree, before: &[String], reexport: bool) -> Vec<Import> {
    // `use a::{self}` imports `a`.
    let last = |ident: &Ident| (ident != "self" || before.is_empty()).then(|| ident.to_string());
    let to = |ident| {
        before
            .iter()
            .cloned()
            .chain(last(ident))
            .collect::<Vec<_>>()
    };
    let (path, name) = match tree {
        UseTree::Path(path) => return imports(&path.tree, &to(&path.ident), reexport),
        UseTree::Group(group) => {
            let inner = group.items.iter();
            return inner
                .flat_map(|tree| imports(tree, before, reexport))
                .collect();
        }
        UseTree::Glob(_) => (before.to_vec(), None),
        UseTree::Name(name) => (to(&name.ident), to(&name.ident).pop()),
        UseTree::Rename(name) => (to(&name.ident), Some(name.rename.to_string())),
    };
    vec![Import {
        path,
        name,
        reexport,
    }]
}

/// An item's attributes, and the name that it defines, a module's not counted.
fn declaration(item: &Item) -> (&[Attribute], Option<&Ident>) {
    macro_rules! declaration {
        ($($named:ident)*) => {
            match item {
                $(Item::$named(item) => (&item.attrs, Some(&item.ident)),)*
                Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
                Item::Impl(item) => (&item.attrs, None),
                Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
                Item::Mod(item) => (&item.attrs, None),
                Item::Use(item) => (&item.attrs, None),
                _ => (&[], None),
            }
        };
    }
    declaration!(Const Enum Static Struct Trait Type Union)
}

fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    let mut attributes = attributes.iter();
    attributes.find(|attribute| attribute.path().is_ident(name))
}

/// The file that `#[path = "…"]` names.
fn given_path(attributes: &[Attribute]) -> Option<String> {
    let given = find(attributes, "path")?.meta.require_name_value().ok()?;
    match &given.value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(path) => Some(path.value()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an item with these attributes is compiled for the crate's own tests only.
fn only_in_tests(attributes: &[Attribute]) -> bool {
    let mut attributes = attributes.iter();
    attributes.any(|attribute| needs_test(&attribute.meta))
}

fn needs_test(meta: &Meta) -> bool {
    match meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") || list.path.is_ident("all") => {
            let all = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            all.is_ok_and(|all| all.iter().any(needs_test))
        }
        _ => false,
    }
}
