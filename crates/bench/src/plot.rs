//! A line plot with logarithmic axes, as SVG.

use std::fmt::Write;

const WIDTH: f64 = 740.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 230.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
/// Colours that are told apart with every kind of colour vision (Okabe and Ito).
const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];

/// A line: its name and its points.
pub struct Line {
    /// In the legend.
    pub name: String,
    /// Positive numbers.
    pub points: Vec<(f64, f64)>,
}

/// Draws lines over the decades that hold them.
pub fn svg(title: &str, x_title: &str, y_title: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|line| &line.points);
    let decades = |values: &mut dyn Iterator<Item = f64>| {
        let logs: Vec<f64> = values.map(f64::log10).collect();
        let low = logs.iter().copied().fold(f64::INFINITY, f64::min);
        let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (
            low.floor() as i32,
            high.ceil().max(low.floor() + 1.0) as i32,
        )
    };
    let (x0, x1) = decades(&mut all().map(|p| p.0));
    let (y0, y1) = decades(&mut all().map(|p| p.1));
    let place =
        |value: f64, low: i32, high: i32| (value.log10() - f64::from(low)) / f64::from(high - low);
    let x = |value: f64| LEFT + (WIDTH - LEFT - RIGHT) * place(value, x0, x1);
    let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * place(value, y0, y1);
    let mut out = String::new();
    let mut put = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    put(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">"##
    ));
    put(r##"<rect width="100%" height="100%" fill="#ffffff"/>"##.to_owned());
    put(format!(
        r##"<text x="{LEFT}" y="22" font-size="14">{title}</text>"##
    ));
    for decade in x0..=x1 {
        let at = x(10_f64.powi(decade));
        put(format!(
            r##"<path d="M{at:.1} {TOP}V{:.1}" stroke="#dddddd"/><text x="{at:.1}" y="{:.1}" text-anchor="middle">10<tspan dy="-4" font-size="9">{decade}</tspan></text>"##,
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 18.0
        ));
    }
    for decade in y0..=y1 {
        let at = y(10_f64.powi(decade));
        put(format!(
            r##"<path d="M{LEFT} {at:.1}H{:.1}" stroke="#dddddd"/><text x="{:.1}" y="{:.1}" text-anchor="end">10<tspan dy="-4" font-size="9">{decade}</tspan></text>"##,
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0
        ));
    }
    put(format!(
        r##"<text x="{:.1}" y="{:.1}" text-anchor="middle">{x_title}</text>"##,
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 10.0
    ));
    put(format!(
        r##"<text transform="translate(18 {:.1}) rotate(-90)" text-anchor="middle">{y_title}</text>"##,
        (TOP + HEIGHT - BOTTOM) / 2.0
    ));
    for (i, line) in lines.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        // A second round of the colours is dashed.
        let dash = if i < COLOURS.len() { "none" } else { "5 3" };
        let points = line.points.iter();
        let points: Vec<String> = points
            .map(|&(a, b)| format!("{:.1},{:.1}", x(a), y(b)))
            .collect();
        put(format!(
            r##"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dash}"/>"##,
            points.join(" ")
        ));
        let at = TOP + 10.0 + 18.0 * i as f64;
        let start = WIDTH - RIGHT + 12.0;
        put(format!(
            r##"<path d="M{start} {at}h20" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dash}"/><text x="{}" y="{}">{}</text>"##,
            start + 26.0,
            at + 4.0,
            line.name
        ));
    }
    put("</svg>".to_owned());
    out
}
