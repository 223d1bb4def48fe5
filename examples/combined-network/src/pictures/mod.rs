//! The `curves` command: pictures of how the library's maps go from their input to a choice.
//!
//! The numbers come from the library's own functions ([`data`]). The PNG is the SVG, rendered.

pub mod data;
mod draw;
mod image;

use crate::backend::Backend;
use crate::cli::CurvesArgs;
use crate::draft::sibling;
use anyhow::{Context, Result, bail};
use data::{Picture, pictures};
use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

/// Draws every picture as SVG and as PNG.
///
/// # Errors
///
/// If a file exists and `--force` is not given, or the folder cannot be written. Nothing is written in the first case.
pub fn curves(args: &CurvesArgs) -> Result<()> {
    let pictures = pictures(&Backend::any().device()?)?;
    let files: Vec<_> = pictures
        .iter()
        .map(|picture| files(picture, &args.out))
        .collect();
    if let Some(taken) = files.iter().flatten().find(|file| file.exists())
        && !args.force
    {
        bail!(
            "{} exists: pass --force to replace it, or choose another --out",
            taken.display()
        );
    }
    fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot write the folder {}", args.out.display()))?;
    for (picture, [svg, png]) in pictures.iter().zip(&files) {
        let text = image::svg(picture)?;
        replace(svg, text.as_bytes())?;
        replace(png, &image::png(&text)?)?;
        writeln!(stdout(), "{}\n{}", svg.display(), png.display())?;
    }
    Ok(())
}

fn files(picture: &Picture, folder: &Path) -> [PathBuf; 2] {
    ["svg", "png"].map(|kind| folder.join(format!("{}.{kind}", picture.name)))
}

/// Writes a hidden file first, which takes the place of `file` only when complete.
fn replace(file: &Path, content: &[u8]) -> Result<()> {
    let draft = sibling(file, "new");
    fs::write(&draft, content)
        .and_then(|()| fs::rename(&draft, file))
        .with_context(|| format!("cannot write {}", file.display()))
}
