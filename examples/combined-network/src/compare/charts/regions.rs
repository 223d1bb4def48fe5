//! Which class is chosen where, for a task with two inputs, next to the true regimes.

use super::{COLOURS, figure};
use crate::compare::outcome::{CELLS, EXTENT, Outcome, PICTURED, true_regions};
use crate::compare::plan::{Job, Plan};
use crate::compare::statistics::runs_of;
use crate::compare::svg::{Frame, Scale};
use crate::data::Task;
use std::fmt::Write;

/// The true regimes, then what each strategy chooses; nothing for a task with more inputs.
pub(in super::super) fn regions(plan: &Plan, task: Task, outcomes: &[(Job, Outcome)]) -> String {
    if task.features() != 2 {
        return String::new();
    }
    let truth = true_regions(task);
    let mut html = picture(&truth, "true regimes", "The true regimes");
    for &strategy in &plan.strategies {
        let pictured = runs_of(outcomes, strategy, task).find(|(seed, _)| *seed == PICTURED);
        if let Some(chosen) = pictured.and_then(|(_, run)| run.regions.as_ref()) {
            let name = strategy.name();
            let title = format!("Chosen classes of {name}");
            let recoloured = matched(chosen, &truth, task.classes());
            html += &picture(&recoloured, &name, &title);
        }
    }
    html
}

/// Gives each class the number of the regime that it shares the most cells with; which class takes which is arbitrary.
fn matched(chosen: &[u8], truth: &[u8], classes: usize) -> Vec<u8> {
    let mut shared = vec![vec![0_usize; classes]; classes];
    for (&class, &regime) in chosen.iter().zip(truth) {
        shared[usize::from(class)][usize::from(regime)] += 1;
    }
    let mut pairs: Vec<(usize, usize)> = (0..classes * classes)
        .map(|pair| (pair / classes, pair % classes))
        .collect();
    pairs.sort_by_key(|&(class, regime)| std::cmp::Reverse(shared[class][regime]));
    let (mut new, mut taken) = (vec![None; classes], vec![false; classes]);
    for (class, regime) in pairs {
        if new[class].is_none() && !taken[regime] {
            new[class] = Some(regime as u8);
            taken[regime] = true;
        }
    }
    chosen
        .iter()
        .map(|&class| new[usize::from(class)].unwrap_or(class))
        .collect()
}

fn picture(cells: &[u8], caption: &str, title: &str) -> String {
    let frame = Frame {
        width: 220.0,
        height: 216.0,
        x: Scale {
            from: -EXTENT,
            to: EXTENT,
            place: (38.0, 212.0),
            log: false,
        },
        y: Scale {
            from: -EXTENT,
            to: EXTENT,
            place: (178.0, 4.0),
            log: false,
        },
    };
    let description = "One colour for each class, over two inputs from -3 to 3; seed 0.";
    let mut svg = frame.open("map", title, description);
    svg += &frame.horizontal("x1");
    svg += &frame.vertical("x2");
    let size = (frame.x.place.1 - frame.x.place.0) / CELLS as f64;
    let (left, top) = (frame.x.place.0, frame.y.place.1);
    for class in 0..=cells.iter().copied().max().unwrap_or(0) {
        let mut path = String::new();
        for (row, line) in cells.chunks(CELLS).enumerate() {
            for (start, length) in stretches(line, class) {
                let (x, y) = (left + start as f64 * size, top + row as f64 * size);
                let width = length as f64 * size;
                let _ = write!(path, "M{x:.1} {y:.1}h{width:.1}v{size:.1}h-{width:.1}z");
            }
        }
        let colour = usize::from(class) % COLOURS;
        let _ = writeln!(svg, "<path class=\"region f{colour}\" d=\"{path}\"/>");
    }
    svg += "</svg>\n";
    figure(&svg, caption, &[])
}

/// Start and length of each stretch of a class in a row of cells.
fn stretches(line: &[u8], class: u8) -> Vec<(usize, usize)> {
    let mut start = 0;
    let mut found = Vec::new();
    for stretch in line.chunk_by(|a, b| a == b) {
        if stretch[0] == class {
            found.push((start, stretch.len()));
        }
        start += stretch.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_cover_a_class() {
        assert_eq!(stretches(&[1, 1, 0, 1], 1), [(0, 2), (3, 1)]);
        assert_eq!(stretches(&[1, 1, 0, 1], 0), [(2, 1)]);
        assert!(stretches(&[1, 1], 2).is_empty());
    }

    #[test]
    fn classes_take_the_colour_of_their_regime() {
        let truth = [0, 0, 1, 1, 2, 2];
        assert_eq!(matched(&[2, 2, 0, 0, 1, 1], &truth, 3), truth);
        // Two classes on one regime keep two colours.
        assert_eq!(matched(&[1, 0, 2, 2, 2, 2], &truth, 3)[2], 1);
        assert_ne!(
            matched(&[1, 0, 2, 2, 2, 2], &truth, 3)[0],
            matched(&[1, 0, 2, 2, 2, 2], &truth, 3)[1]
        );
    }
}
