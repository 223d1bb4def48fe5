//! The pages of the documentation, and the code in them.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::cargo::root;

/// Where pages and sources are, beside the repository's root itself.
const FOLDERS: [&str; 4] = ["crates", "docs", "examples", "tests"];

/// The language of what stands between single backquotes.
pub const SPAN: &str = "span";

/// A fenced block of a page, or what stands between single backquotes in a line.
pub struct Piece<'a> {
    pub language: &'a str,
    /// Where its first line stands, as `page:line`.
    pub place: String,
    pub text: String,
}

/// The repository's files with that extension, in order.
pub fn files(extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                if folder != root() || FOLDERS.iter().any(|name| path.ends_with(name)) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|given| given == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The pieces of code in a page.
pub fn pieces<'a>(page: &str, text: &'a str) -> Vec<Piece<'a>> {
    let mut found = Vec::new();
    let mut open: Option<Piece> = None;
    for (i, line) in text.lines().enumerate() {
        let piece = |language, line, text: &str| Piece {
            language,
            place: format!("{page}:{line}"),
            text: text.to_owned(),
        };
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some(piece(language.trim(), i + 2, "")),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => block.text.extend([line, "\n"]),
            (None, None) => {
                let spans = line.split('`').skip(1).step_by(2);
                found.extend(spans.map(|span| piece(SPAN, i + 1, span)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_a_language_and_a_place() {
        let text = "Text `d`\n```rs\nlet a;\n```\n\n- b\n  ```\n  c `no`\n  ```\n";
        let found = pieces("a.md", text);
        let found = found
            .iter()
            .map(|piece| (piece.language, &*piece.place, &*piece.text));
        let expected = [
            (SPAN, "a.md:1", "d"),
            ("rs", "a.md:3", "let a;\n"),
            ("", "a.md:8", "  c `no`\n"),
        ];
        assert!(found.eq(expected));
    }
}
