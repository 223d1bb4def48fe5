//! A picture on the page.

use crate::charts::plot::{Area, inline};
use crate::charts::text::escape;
use anyhow::Result;
use plotters::style::RGBColor;

/// Colours of classes and lines. The page's style sheet has others for a dark screen.
pub(crate) const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 96, 168),
    RGBColor(194, 65, 12),
    RGBColor(15, 118, 110),
    RGBColor(157, 23, 77),
    RGBColor(109, 82, 0),
    RGBColor(91, 63, 196),
];

/// A picture with its caption and legend.
pub(crate) fn figure(svg: &str, caption: &str, legend: &[(String, String)]) -> String {
    let items: String = legend
        .iter()
        .map(|(mark, text)| format!("<li>{mark} {}</li>", escape(text)))
        .collect();
    let legend = if items.is_empty() {
        items
    } else {
        format!("<ul class=\"legend\">{items}</ul>")
    };
    let caption = escape(caption);
    format!(
        "<figure><figcaption>{caption}</figcaption>\n<div class=\"scroll\">{svg}</div>{legend}</figure>\n"
    )
}

/// A mark of the legend.
pub(crate) fn key(size: (u32, u32), draw: impl FnOnce(&Area) -> Result<()>) -> Result<String> {
    inline("key", size, None, draw)
}
