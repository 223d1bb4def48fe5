//! Axes, ticks and marks of inline SVG pictures. Colours are classes of the page's style sheet, which knows light and dark.

use std::fmt::Write;

/// An axis, linear or logarithmic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) from: f64,
    pub(super) to: f64,
    /// Where `from` and `to` are drawn.
    pub(super) place: (f64, f64),
    pub(super) log: bool,
}

impl Scale {
    /// Where a number is drawn; numbers off the axis are drawn at its nearer end.
    pub(super) fn at(&self, number: f64) -> f64 {
        let number = number.clamp(self.from, self.to);
        let share = if self.log {
            (number / self.from).ln() / (self.to / self.from).ln()
        } else {
            (number - self.from) / (self.to - self.from)
        };
        let (a, b) = self.place;
        a + share * (b - a)
    }

    /// Round numbers on the axis.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if self.log {
            self.decades()
        } else {
            let rough = (self.to - self.from) / 5.0;
            let unit = 10_f64.powf(rough.log10().floor());
            let step = [1.0, 2.0, 5.0, 10.0]
                .map(|factor| factor * unit)
                .into_iter()
                .find(|step| *step >= rough * 0.999)
                .unwrap_or(rough);
            let first = (self.from / step).ceil() as i64;
            let last = (self.to / step + 1e-9).floor() as i64;
            (first..=last).map(|i| i as f64 * step).collect()
        }
    }

    /// Powers of ten, and between them 2 and 5 where there are few.
    fn decades(&self) -> Vec<f64> {
        let (first, last) = (
            self.from.log10().floor() as i32,
            self.to.log10().ceil() as i32,
        );
        let factors: &[f64] = if last - first > 3 {
            &[1.0]
        } else {
            &[1.0, 2.0, 5.0]
        };
        let all =
            (first..=last).flat_map(|power| factors.iter().map(move |f| f * 10_f64.powi(power)));
        all.filter(|tick| (self.from * 0.999..=self.to * 1.001).contains(tick))
            .collect()
    }
}

/// A picture with a frame of two axes.
pub(super) struct Frame {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x: Scale,
    pub(super) y: Scale,
}

impl Frame {
    /// Opens the picture, with its name and description for those who hear it.
    pub(super) fn open(&self, class: &str, title: &str, description: &str) -> String {
        let (width, height) = (self.width, self.height);
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{0}\">\n\
             <title>{0}</title><desc>{1}</desc>\n",
            escape(title),
            escape(description)
        )
    }

    /// Ticks, grid lines and the name of the horizontal axis.
    pub(super) fn horizontal(&self, name: &str) -> String {
        let (bottom, top) = (
            self.y.place.0.max(self.y.place.1),
            self.y.place.0.min(self.y.place.1),
        );
        let mut svg = String::new();
        for tick in self.x.ticks() {
            let x = self.x.at(tick);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top:.1}\" y2=\"{bottom:.1}\"/>\
                 <text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 16.0,
                number(tick)
            );
        }
        let middle = f64::midpoint(self.x.place.0, self.x.place.1);
        let _ = writeln!(
            svg,
            "<text class=\"axis\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 33.0,
            escape(name)
        );
        svg
    }

    /// Ticks, grid lines and the name of the vertical axis.
    pub(super) fn vertical(&self, name: &str) -> String {
        let (left, right) = self.x.place;
        let mut svg = String::new();
        for tick in self.y.ticks() {
            let y = self.y.at(tick);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 6.0,
                y + 4.0,
                number(tick)
            );
        }
        let middle = f64::midpoint(self.y.place.0, self.y.place.1);
        let _ = writeln!(
            svg,
            "<text class=\"axis\" transform=\"translate(13 {middle:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            escape(name)
        );
        svg
    }
}

/// A path through points.
pub(super) fn path(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        let command = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{command}{x:.1} {y:.1}");
    }
    path
}

/// Four significant digits at most, without trailing zeros.
pub(super) fn number(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let digits = (3 - number.abs().log10().floor() as i32).clamp(0, 12) as usize;
    let text = format!("{number:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Text for HTML and SVG.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(from: f64, to: f64, log: bool) -> Scale {
        Scale {
            from,
            to,
            place: (0.0, 100.0),
            log,
        }
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            scale(0.0, 4000.0, false).ticks(),
            [0.0, 1000.0, 2000.0, 3000.0, 4000.0]
        );
        assert_eq!(scale(-3.0, 3.0, false).ticks(), [-2.0, 0.0, 2.0]);
        let texts: Vec<_> = scale(0.002, 0.3, true)
            .ticks()
            .into_iter()
            .map(number)
            .collect();
        assert_eq!(
            texts,
            ["0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2"]
        );
        assert_eq!(scale(1e-4, 1e2, true).ticks().len(), 7);
    }

    #[test]
    fn numbers_are_placed() {
        assert_eq!(scale(0.0, 4.0, false).at(1.0), 25.0);
        assert!((scale(0.01, 1.0, true).at(0.1) - 50.0).abs() < 1e-9);
        assert_eq!(scale(0.01, 1.0, true).at(0.0), 0.0);
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("a<b & \"c\""), "a&lt;b &amp; &quot;c&quot;");
    }
}
