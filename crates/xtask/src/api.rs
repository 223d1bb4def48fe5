//! The public names of the library with their signatures, taken from its documentation as rustdoc makes it, against the list in
//! `docs/api.txt`: a change of the API is a change of that file.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::cargo::{metadata, root};

const LIST: &str = "docs/api.txt";

/// What a library that is learnt in an hour has at its root, modules not counted.
const MOST_NAMES: usize = 30;

/// Compares the list with the documentation that was just made, or writes it anew.
pub fn run(write: bool) -> Result<()> {
    let pages = metadata()?.target_directory.join("doc/burn_relax");
    let lines = list(&pages)?;
    let names = lines.iter().filter(|line| !line.starts_with(' '));
    let at_root = names.filter(|line| !line.contains("::")).count();
    println!("{} public lines, {at_root} names at the root", lines.len());
    if at_root > MOST_NAMES {
        bail!("the root of burn-relax must have at most {MOST_NAMES} names, got {at_root}");
    }
    let path = root().join(LIST);
    let text = lines.join("\n") + "\n";
    if write {
        return fs::write(&path, text).with_context(|| LIST.to_owned());
    }
    let kept = fs::read_to_string(&path).with_context(|| LIST.to_owned())?;
    let (kept, made): (BTreeSet<&str>, BTreeSet<&str>) =
        (kept.lines().collect(), text.lines().collect());
    for line in kept.symmetric_difference(&made) {
        println!("{} {line}", if made.contains(line) { '+' } else { '-' });
    }
    if kept != made {
        bail!("the public names differ from {LIST}; if that is meant, `cargo xtask api --write`");
    }
    Ok(())
}

/// One line for each name, under it its declaration and methods.
fn list(pages: &Path) -> Result<Vec<String>> {
    let read = |page: &str| {
        fs::read_to_string(pages.join(page)).with_context(|| format!("documentation page {page}"))
    };
    let mut lines = Vec::new();
    let index = read("index.html")?;
    // A function and its module share a name, which rustdoc numbers.
    let names = between(&index, "id=\"reexport.", "\"");
    for name in names.filter(|name| !name.contains('-')) {
        lines.push(format!("{name} (re-export)"));
    }
    let all = read("all.html")?;
    // The page's own contents are links, too.
    let links = between(&all, "<li><a href=\"", "</a></li>");
    for link in links.filter(|link| !link.starts_with('#')) {
        let (page, name) = link.split_once("\">").context("a link of all.html")?;
        lines.push(name.to_owned());
        lines.extend(declarations(&read(page)?));
    }
    Ok(lines)
}

/// The declaration of a page's item and the headers of its own methods, which stand before those of traits.
fn declarations(page: &str) -> Vec<String> {
    let (own, _) = page
        .split_once("id=\"trait-implementations\"")
        .unwrap_or((page, ""));
    let (own, _) = own.split_once("id=\"implementors\"").unwrap_or((own, ""));
    let declared = between(own, "class=\"rust item-decl\"><code>", "</code>");
    let all = declared.chain(between(own, "<h4 class=\"code-header\">", "</h4>"));
    all.map(|html| format!("    {}", text(html))).collect()
}

/// The parts of `page` between every `start` and the next `end`.
fn between<'a>(page: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(start)
        .skip(1)
        .filter_map(move |rest| rest.split_once(end).map(|(part, _)| part))
}

/// The words of a piece of HTML, on one line.
fn text(html: &str) -> String {
    let parts = html.split('<');
    let words = parts.map(|part| part.split_once('>').map_or(part, |(_, words)| words));
    let mut text: String = words.collect();
    let signs = ["&lt;<", "&gt;>", "&quot;\"", "&#39;'", "&amp;&"];
    for (entity, sign) in signs.iter().filter_map(|pair| pair.split_once(';')) {
        text = text.replace(&format!("{entity};"), sign);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gives_its_declaration_and_methods_and_not_those_of_traits() {
        let page = "<pre class=\"rust item-decl\"><code>pub struct <a>A</a>&lt;T&gt; {\n    pub x: T,\n}</code></pre>\
                    <h4 class=\"code-header\">pub fn <a href=\"#\">at</a>(&amp;self)</h4>\
                    <h2 id=\"trait-implementations\"></h2><h4 class=\"code-header\">fn clone(&amp;self)</h4>";
        let lines = declarations(page);
        assert_eq!(
            lines,
            ["    pub struct A<T> { pub x: T, }", "    pub fn at(&self)"]
        );
    }
}
