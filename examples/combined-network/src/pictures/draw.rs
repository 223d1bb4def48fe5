//! Draws a picture with plotters, on any of its backends.

use super::data::{Axis, Panel, Picture};
use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

type Area<DB> = DrawingArea<DB, Shift>;

/// Colours that are told apart with every kind of colour vision (Okabe and Ito), without the yellow that is too light for a
/// line on white.
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(120, 120, 120),
];
const INK: RGBColor = RGBColor(34, 34, 34);
const GRID: RGBColor = RGBColor(226, 226, 226);
const FONT: &str = "sans-serif";

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

/// Width and height in pixels.
pub fn size(picture: &Picture) -> (u32, u32) {
    let panels = picture.panels.len() as u32;
    let width = if panels == 1 {
        SINGLE_WIDTH
    } else {
        panels * PANEL_WIDTH
    };
    (width, HEAD + PANEL_HEIGHT)
}

/// Draws with every length multiplied by `zoom`.
pub fn draw<DB: DrawingBackend>(area: &Area<DB>, picture: &Picture, zoom: u32) -> Result<()> {
    area.fill(&WHITE).map_err(failed)?;
    let (head, body) = area.split_vertically(HEAD * zoom);
    self::head(&head, picture, zoom)?;
    let columns = body.split_evenly((1, picture.panels.len()));
    for (column, panel) in columns.iter().zip(&picture.panels) {
        draw_panel(column, panel, zoom)?;
    }
    area.present().map_err(failed)
}

/// Title, and below it the legend in one row.
fn head<DB: DrawingBackend>(area: &Area<DB>, picture: &Picture, zoom: u32) -> Result<()> {
    let at = |x: u32, y: u32| ((x * zoom) as i32, (y * zoom) as i32);
    let middle = Pos::new(HPos::Left, VPos::Center);
    let text = |text: &str, size: u32, x: u32, y: u32| {
        let style = (FONT, size * zoom).into_font().color(&INK).pos(middle);
        area.draw_text(text, &style, at(x, y)).map_err(failed)
    };
    text(picture.title, 26, MARGIN, 28)?;
    text(picture.legend, 20, MARGIN, LEGEND)?;
    let starts = (LEGEND_START..).step_by(LEGEND_STEP);
    for ((name, colour), x) in picture.entries.iter().zip(COLOURS).zip(starts) {
        let ends = vec![at(x, LEGEND), at(x + 28, LEGEND)];
        let line = PathElement::new(ends, stroke(colour, 3, zoom));
        area.draw(&line).map_err(failed)?;
        text(name, 20, x + 36, LEGEND)?;
    }
    Ok(())
}

fn draw_panel<DB: DrawingBackend>(area: &Area<DB>, panel: &Panel, zoom: u32) -> Result<()> {
    let mut top = 6 * zoom;
    if !panel.heading.is_empty() {
        let (width, _) = area.dim_in_pixel();
        let centre = ((EDGE + LEFT) * zoom + width - RIGHT * zoom) / 2;
        let style = (FONT, 22 * zoom).into_font().color(&INK);
        let style = style.pos(Pos::new(HPos::Center, VPos::Center));
        area.draw_text(panel.heading, &style, (centre as i32, (14 * zoom) as i32))
            .map_err(failed)?;
        top = 36 * zoom;
    }
    let mut chart = ChartBuilder::on(area)
        .margin_top(top)
        .margin_left(EDGE * zoom)
        .margin_right(RIGHT * zoom)
        .margin_bottom(EDGE * zoom)
        .x_label_area_size(54 * zoom)
        .y_label_area_size(LEFT * zoom)
        .build_cartesian_2d(panel.axis, 0.0..1.0)
        .map_err(failed)?;
    let small = (FONT, 19 * zoom).into_font().color(&INK);
    chart
        .configure_mesh()
        .x_desc(panel.x_label)
        .y_desc(panel.y_label)
        .x_label_formatter(&f64::to_string)
        .y_label_formatter(&|y| format!("{y:.1}"))
        .y_labels(6)
        .set_all_tick_mark_size(8 * zoom)
        .max_light_lines(0)
        .bold_line_style(stroke(GRID, 1, zoom))
        .axis_style(stroke(INK, 1, zoom))
        .label_style(small)
        .axis_desc_style((FONT, 20 * zoom).into_font().color(&INK))
        .draw()
        .map_err(failed)?;
    // The first entry lies on top.
    for (line, colour) in panel.lines.iter().zip(COLOURS).rev() {
        let points = panel.x.iter().copied().zip(line.iter().copied());
        chart
            .draw_series(LineSeries::new(points, stroke(colour, 3, zoom)))
            .map_err(failed)?;
    }
    Ok(())
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, x: &f64, (from, to): (i32, i32)) -> i32 {
        let Range { start, end } = self.range();
        let share = (self.place(*x) - self.place(start)) / (self.place(end) - self.place(start));
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.to_vec()
    }

    fn range(&self) -> Range<f64> {
        self.ticks[0]..self.ticks[self.ticks.len() - 1]
    }
}

fn stroke(colour: RGBColor, width: u32, zoom: u32) -> ShapeStyle {
    colour.stroke_width(width * zoom)
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}
