//! The `curves` command: pictures of how the library's maps go from their input to a choice.
//!
//! The PNG is the SVG, rendered.

use crate::pictures::draw::draw;
use crate::pictures::maps::{Picture, pictures};
use crate::pictures::png::render;
use crate::place::backend::Backend;
use crate::store::replace::replace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

/// Draw how the library's maps go from values to a choice, as SVG and PNG
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: choice-lab curves --out figures")]
pub struct Args {
    /// Folder to draw into
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace pictures that are there
    #[arg(long)]
    force: bool,
}

impl Args {
    /// Draws every picture as SVG and as PNG.
    pub fn run(&self) -> Result<()> {
        let pictures = pictures(&Backend::any().device()?)?;
        let files: Vec<_> = pictures
            .iter()
            .map(|picture| files(picture, &self.out))
            .collect();
        if let Some(taken) = files.iter().flatten().find(|file| file.exists())
            && !self.force
        {
            bail!(
                "{} exists: pass --force to replace it, or choose another --out",
                taken.display()
            );
        }
        fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot write the folder {}", self.out.display()))?;
        for (picture, [svg, png]) in pictures.iter().zip(&files) {
            let text = draw(picture)?;
            write(svg, text.as_bytes())?;
            write(png, &render(&text)?)?;
            writeln!(stdout(), "{}\n{}", svg.display(), png.display())?;
        }
        Ok(())
    }
}

fn files(picture: &Picture, folder: &Path) -> [PathBuf; 2] {
    ["svg", "png"].map(|kind| folder.join(format!("{}.{kind}", picture.name)))
}

fn write(file: &Path, content: &[u8]) -> Result<()> {
    replace(file, |draft| fs::write(draft, content))
        .with_context(|| format!("cannot write {}", file.display()))
}
