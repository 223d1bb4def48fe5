//! Draws a picture: title and legend above, its panels side by side.

use crate::charts::plot::{Area, Axes, ZOOM, failed, font, stroke, svg};
use crate::pictures::maps::{Panel, Picture};
use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Colours that are told apart with every kind of colour vision (Okabe and Ito), without the yellow that is too light for a
/// line on white.
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(120, 120, 120),
];

/// Height of the title and the legend together.
const HEAD: u32 = 84;
/// Beside the axes, and round everything.
const EDGE: u32 = 10;
const LEFT: u32 = 66;
const RIGHT: u32 = 26;
const MARGIN: u32 = 18;
/// The legend's row, where its first entry begins, and the distance from entry to entry.
const LEGEND: u32 = 64;
const LEGEND_START: u32 = 84;
const LEGEND_STEP: usize = 110;
const PANEL_WIDTH: u32 = 480;
const PANEL_HEIGHT: u32 = 380;
/// A single panel is wider.
const SINGLE_WIDTH: u32 = 720;

/// The picture as SVG text.
pub fn draw(picture: &Picture) -> Result<String> {
    let width = match picture.panels.len() as u32 {
        1 => SINGLE_WIDTH,
        panels => panels * PANEL_WIDTH,
    };
    svg((width, HEAD + PANEL_HEIGHT), |area| {
        area.fill(&WHITE).map_err(failed)?;
        let (above, body) = area.split_vertically(HEAD * ZOOM);
        head(&above, picture)?;
        let columns = body.split_evenly((1, picture.panels.len()));
        let mut panels = columns.iter().zip(&picture.panels);
        panels.try_for_each(|(column, panel)| draw_panel(column, panel))
    })
}

/// Title, and below it the legend in one row.
fn head(area: &Area, picture: &Picture) -> Result<()> {
    let at = |x: u32, y: u32| ((x * ZOOM) as i32, (y * ZOOM) as i32);
    let text = |text: &str, size: u32, x: u32, y: u32| {
        let style = font(size).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw_text(text, &style, at(x, y)).map_err(failed)
    };
    text(picture.title, 26, MARGIN, 28)?;
    text(picture.legend, 20, MARGIN, LEGEND)?;
    let starts = (LEGEND_START..).step_by(LEGEND_STEP);
    for ((name, colour), x) in picture.entries.iter().zip(COLOURS).zip(starts) {
        let ends = vec![at(x, LEGEND), at(x + 28, LEGEND)];
        let line = PathElement::new(ends, stroke(colour, 3));
        area.draw(&line).map_err(failed)?;
        text(name, 20, x + 36, LEGEND)?;
    }
    Ok(())
}

fn draw_panel(area: &Area, panel: &Panel) -> Result<()> {
    let mut top = 6;
    if !panel.heading.is_empty() {
        let (width, _) = area.dim_in_pixel();
        let centre = ((EDGE + LEFT) * ZOOM + width - RIGHT * ZOOM) / 2;
        let style = font(22).pos(Pos::new(HPos::Center, VPos::Center));
        area.draw_text(panel.heading, &style, (centre as i32, (14 * ZOOM) as i32))
            .map_err(failed)?;
        top = 36;
    }
    let axes = Axes {
        x_name: panel.x_label,
        y_name: panel.y_label,
        ticks: [&f64::to_string, &|y| format!("{y:.1}")],
        margins: [top, RIGHT, EDGE, EDGE],
        rooms: [54, LEFT],
        text: [19, 20],
    };
    let mut chart = axes.draw(area, panel.axis.clone(), 0.0..1.0)?;
    // The first entry lies on top.
    for (line, colour) in panel.lines.iter().zip(COLOURS).rev() {
        let points = panel.x.iter().copied().zip(line.iter().copied());
        chart
            .draw_series(LineSeries::new(points, stroke(colour, 3)))
            .map_err(failed)?;
    }
    Ok(())
}
