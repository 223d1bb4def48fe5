//! The pictures of the report.

mod gradients;
mod learning;
mod regions;

pub(super) use gradients::gradients;
pub(super) use learning::learning;
pub(super) use regions::regions;

use super::svg::escape;

/// Colours of the style sheet, the classes `c0` and following.
const COLOURS: usize = 6;

/// A picture with its caption and legend.
fn figure(svg: &str, caption: &str, legend: &[(String, String)]) -> String {
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
