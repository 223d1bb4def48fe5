//! Pictures as SVG text, their axes, and what is drawn on them.

use crate::charts::axis::Axis;
use crate::charts::text::escape;
use anyhow::{Context, Result, anyhow};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

/// How much larger than shown a picture is drawn: plotters places everything at whole numbers.
pub const ZOOM: u32 = 4;
/// Lines of axes, and text.
pub const INK: RGBColor = RGBColor(34, 34, 34);
/// Lines behind the data.
pub const GRID: RGBColor = RGBColor(226, 226, 226);

const FONT: &str = "sans-serif";

/// Something to draw on.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A pair of axes to draw on.
pub type Chart<'a, Y> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Y>>;

/// A pair of axes: names, the room that they leave, sizes of text.
pub struct Axes<'a> {
    /// Below the horizontal axis.
    pub x_name: &'a str,
    /// Beside the vertical axis.
    pub y_name: &'a str,
    /// The text of a tick of either axis.
    pub ticks: [&'a dyn Fn(&f64) -> String; 2],
    /// Free room above, right, below and left.
    pub margins: [u32; 4],
    /// Room for the text of either axis.
    pub rooms: [u32; 2],
    /// Height of the ticks' text, and of the names.
    pub text: [u32; 2],
}

impl Axes<'_> {
    /// Draws them.
    pub fn draw<'a, Y>(&self, area: &Area<'a>, x: Axis, y: Y) -> Result<Chart<'a, Y::CoordDescType>>
    where
        Y: AsRangedCoord<Value = f64>,
        Y::CoordDescType: ValueFormatter<f64>,
    {
        let [above, right, below, left] = self.margins.map(|margin| margin * ZOOM);
        let [x_room, y_room] = self.rooms.map(|room| room * ZOOM);
        let mut chart = ChartBuilder::on(area)
            .margin_top(above)
            .margin_right(right)
            .margin_bottom(below)
            .margin_left(left)
            .x_label_area_size(x_room)
            .y_label_area_size(y_room)
            .build_cartesian_2d(x, y)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .x_desc(self.x_name)
            .y_desc(self.y_name)
            .x_label_formatter(self.ticks[0])
            .y_label_formatter(self.ticks[1])
            .y_labels(6)
            .set_all_tick_mark_size(8 * ZOOM)
            .max_light_lines(0)
            .bold_line_style(stroke(GRID, 1))
            .axis_style(stroke(INK, 1))
            .label_style(font(self.text[0]))
            .axis_desc_style(font(self.text[1]))
            .draw()
            .map_err(failed)?;
        Ok(chart)
    }
}

/// Text of a height.
pub fn font(height: u32) -> TextStyle<'static> {
    (FONT, height * ZOOM).into_font().color(&INK)
}

/// A line of a width.
pub fn stroke(colour: RGBColor, width: u32) -> ShapeStyle {
    colour.stroke_width(width * ZOOM)
}

/// A picture of a size in pixels.
pub fn svg((width, height): (u32, u32), draw: impl FnOnce(&Area) -> Result<()>) -> Result<String> {
    let (wide, high) = (width * ZOOM, height * ZOOM);
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, (wide, high)).into_drawing_area();
    draw(&area)?;
    area.present().map_err(failed)?;
    drop(area);
    let drawn = format!(r#"width="{wide}" height="{high}""#);
    let shown = format!(r#"width="{width}" height="{height}""#);
    Ok(text.replacen(&drawn, &shown, 1))
}

/// A picture inside a page, which sets its size and colours by its class, with words for those who hear it.
pub fn inline(
    class: &str,
    (width, height): (u32, u32),
    words: Option<(&str, &str)>,
    draw: impl FnOnce(&Area) -> Result<()>,
) -> Result<String> {
    let text = svg((width, height), draw)?;
    let (_, content) = text.split_once('>').context("the picture is empty")?;
    let words = words.map_or("aria-hidden=\"true\">".to_owned(), |(title, description)| {
        let (title, description) = (escape(title), escape(description));
        format!("role=\"img\" aria-label=\"{title}\">\n<title>{title}</title><desc>{description}</desc>")
    });
    let (wide, high) = (width * ZOOM, height * ZOOM);
    Ok(format!(
        "<svg class=\"{class}\" viewBox=\"0 0 {wide} {high}\" {words}{content}"
    ))
}

/// An error of plotters as one of this program.
pub fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}
