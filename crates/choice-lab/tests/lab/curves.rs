//! The `curves` command: the files, and the numbers behind them.

use crate::common::{refuse, succeed};
use choice_lab::pictures::maps::{Panel, Picture, VALUES, pictures};
use choice_lab::place::backend::Backend;
use resvg::tiny_skia::Pixmap;
use resvg::usvg::{Options, Tree};
use std::fs;
use tempfile::tempdir;

/// Rounding of 32-bit floats on the way through a map.
const ROUNDING: f64 = 1e-6;

fn all() -> Vec<Picture> {
    let device = Backend::compiled()[0].device().expect("a device");
    pictures(&device).expect("numbers")
}

fn last(panel: &Panel) -> Vec<f64> {
    panel
        .lines
        .iter()
        .map(|line| line[line.len() - 1])
        .collect()
}

fn first(panel: &Panel) -> Vec<f64> {
    panel.lines.iter().map(|line| line[0]).collect()
}

fn close(found: &[f64], expected: &[f64]) -> bool {
    let same = |(a, b): (&f64, &f64)| (a - b).abs() <= ROUNDING;
    found.len() == expected.len() && found.iter().zip(expected).all(same)
}

#[test]
fn every_picture_is_written_as_svg_and_png_of_one_size() {
    let folder = tempdir().expect("a folder");
    let stdout = succeed(folder.path(), "curves --out new/figures");
    let pictures = all();
    assert_eq!(stdout.lines().count(), 2 * pictures.len());
    for picture in pictures {
        let file = |kind| {
            folder
                .path()
                .join(format!("new/figures/{}.{kind}", picture.name))
        };
        let svg = fs::read_to_string(file("svg")).expect("SVG");
        let tree = Tree::from_str(&svg, &Options::default()).expect("valid SVG");
        let size = tree.size().to_int_size();
        let width = if picture.panels.len() == 1 { 720 } else { 960 };
        assert_eq!(
            (size.width(), size.height()),
            (width, 464),
            "{}",
            picture.name
        );

        let panels = picture.panels.iter();
        let labels = panels.flat_map(|panel| [panel.x_label, panel.y_label, panel.heading]);
        let entries = picture.entries.iter().map(String::as_str);
        for label in labels.chain(entries).chain([picture.title, picture.legend]) {
            assert!(svg.contains(label), "{}: {label}", picture.name);
        }

        let png = Pixmap::decode_png(&fs::read(file("png")).expect("PNG")).expect("valid PNG");
        assert_eq!(
            (png.width(), png.height()),
            (width, 464),
            "{}",
            picture.name
        );
        // Text is there: dark pixels in the rows of the title.
        let title = &png.pixels()[..40 * width as usize];
        let dark = title.iter().filter(|pixel| pixel.red() < 100).count();
        assert!(dark > 500, "{}: {dark} dark pixels", picture.name);
    }
}

#[test]
fn pictures_are_replaced_only_by_force() {
    let folder = tempdir().expect("a folder");
    let taken = folder.path().join("softmax.png");
    fs::write(&taken, "dear").expect("a file");
    let error = refuse(folder.path(), "curves --out .");
    assert!(
        error.contains("softmax.png") && error.contains("--force"),
        "{error}"
    );
    assert_eq!(fs::read(&taken).expect("a file"), b"dear");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    succeed(folder.path(), "curves --out . --force");
    assert_ne!(fs::read(&taken).expect("a file"), b"dear");
}

#[test]
fn an_unwritable_folder_is_named() {
    let folder = tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "").expect("a file");
    assert!(refuse(folder.path(), "curves --out file/figures").contains("file/figures"));
}

/// At power 1 the values themselves, at a large one the indicator of the largest; the softmax is slower to decide.
#[test]
fn the_gradual_argmax_goes_from_the_values_to_their_argmax() {
    let picture = &all()[0];
    assert_eq!(picture.name, "gradual-argmax");
    let [gradual, softmax] = &picture.panels[..] else {
        panic!("two panels");
    };
    assert!(close(&first(gradual), &VALUES.map(f64::from)));
    assert!(close(&last(gradual), &[1.0, 0.0, 0.0, 0.0, 0.0]));
    assert!(close(&last(softmax), &[1.0, 0.0, 0.0, 0.0, 0.0]));
    let power_10 = gradual.x.iter().position(|x| *x >= 10.0).expect("a point");
    assert!(gradual.lines[0][power_10] > 0.999 && softmax.lines[0][power_10] < 0.7);
}

#[test]
fn the_maps_have_their_limits() {
    let pictures = all();
    let panel = |name| {
        let named = |picture: &&Picture| picture.name == name;
        &pictures.iter().find(named).expect("a picture").panels[0]
    };
    for name in ["softmax", "sparsemax", "entmax15", "gumbel-softmax"] {
        let winner = usize::from(name == "gumbel-softmax");
        assert!(first(panel(name))[winner] > 0.999, "{name}");
        assert!(
            last(panel(name))
                .iter()
                .all(|weight| (weight - 0.25).abs() < 0.15),
            "{name}"
        );
    }
    // Alpha 1 is the softmax of the same logits, alpha 2 their sparsemax.
    let at = |name, x: f64| -> Vec<f64> {
        let panel = panel(name);
        let place = panel.x.iter().position(|place| (place - x).abs() < 1e-9);
        let place = place.expect("a point");
        panel.lines.iter().map(|line| line[place]).collect()
    };
    let softmax = [1.5_f64, 1.0, 0.2, -1.0].map(f64::exp);
    let sum: f64 = softmax.iter().sum();
    assert!(close(
        &at("entmax-alpha", 1.0),
        &softmax.map(|weight| weight / sum)
    ));
    assert!(close(&at("entmax-alpha", 2.0), &[0.75, 0.25, 0.0, 0.0]));
    for picture in &pictures[1..] {
        let lines = &picture.panels[0].lines;
        for point in 0..lines[0].len() {
            let sum: f64 = lines.iter().map(|line| line[point]).sum();
            assert!(
                (sum - 1.0).abs() < ROUNDING,
                "{} {point}: {sum}",
                picture.name
            );
        }
    }
}
