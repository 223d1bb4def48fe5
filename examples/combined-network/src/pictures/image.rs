//! Pictures as SVG and PNG.

use super::data::Picture;
use super::draw::{draw, size};
use anyhow::{Context, Result};
use plotters::prelude::{IntoDrawingArea, SVGBackend};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};
use std::sync::Arc;

/// How much larger than shown a picture is drawn: plotters places everything at whole numbers.
const ZOOM: u32 = 4;

/// As SVG text.
pub fn svg(picture: &Picture) -> Result<String> {
    let (width, height) = size(picture);
    let (wide, high) = (width * ZOOM, height * ZOOM);
    let mut text = String::new();
    draw(
        &SVGBackend::with_string(&mut text, (wide, high)).into_drawing_area(),
        picture,
        ZOOM,
    )?;
    let drawn = format!(r#"width="{wide}" height="{high}""#);
    let shown = format!(r#"width="{width}" height="{height}""#);
    Ok(text.replacen(&drawn, &shown, 1))
}

/// The same SVG text as the bytes of a PNG file. Its font is in the program, so that no font of the system is needed.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    let mut fonts = Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    let options = Options {
        fontdb: Arc::new(fonts),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size().to_int_size();
    let mut pixels = Pixmap::new(size.width(), size.height()).context("the picture is empty")?;
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    Ok(pixels.encode_png()?)
}
