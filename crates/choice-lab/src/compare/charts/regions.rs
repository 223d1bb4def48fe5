//! Which class is chosen where, for a task with two inputs, next to the true regimes.

use crate::charts::axis::Axis;
use crate::charts::plot::{Axes, failed, inline};
use crate::charts::text::number;
use crate::compare::charts::figure::{COLOURS, figure};
use crate::compare::outcome::{CELLS, EXTENT, Outcome, PICTURED, true_regions};
use crate::compare::plan::{Job, Plan};
use crate::compare::statistics::runs_of;
use anyhow::Result;
use combined_network::task::Task;
use plotters::prelude::*;

/// The true regimes, then what each strategy chooses; nothing for a task with more inputs.
pub(crate) fn regions(plan: &Plan, task: Task, outcomes: &[(Job, Outcome)]) -> Result<String> {
    if task.network().features != 2 {
        return Ok(String::new());
    }
    let truth = true_regions(task);
    let mut html = picture(&truth, "true regimes", "The true regimes")?;
    for &strategy in &plan.strategies {
        let pictured = runs_of(outcomes, strategy, task).find(|(seed, _)| *seed == PICTURED);
        if let Some(chosen) = pictured.and_then(|(_, run)| run.regions.as_ref()) {
            let name = strategy.name();
            let title = format!("Chosen classes of {name}");
            let recoloured = matched(chosen, &truth, task.network().classes);
            html += &picture(&recoloured, &name, &title)?;
        }
    }
    Ok(html)
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

fn picture(cells: &[u8], caption: &str, title: &str) -> Result<String> {
    let axes = Axes {
        x_name: "x1",
        y_name: "x2",
        ticks: [&|x| number(*x), &|y| number(*y)],
        margins: [4, 8, 2, 2],
        rooms: [36, 36],
        text: [12, 13],
    };
    let axis = || Axis::linear(-EXTENT..EXTENT);
    let at = |cell: usize| EXTENT * (2.0 * cell as f64 / CELLS as f64 - 1.0);
    let description = "One colour for each class, over two inputs from -3 to 3; seed 0.";
    let svg = inline("map", (220, 216), Some((title, description)), |area| {
        let mut chart = axes.draw(area, axis(), axis())?;
        let stretches = cells.chunks(CELLS).enumerate().flat_map(|(row, line)| {
            stretches(line).into_iter().map(move |(class, start, end)| {
                let corners = [(at(start), -at(row)), (at(end), -at(row + 1))];
                let colour = COLOURS[usize::from(class) % COLOURS.len()];
                Rectangle::new(corners, colour.filled())
            })
        });
        chart.draw_series(stretches).map_err(failed)?;
        Ok(())
    })?;
    Ok(figure(&svg, caption, &[]))
}

/// The stretches of one class in a row of cells: class, first cell, and the cell after the last.
fn stretches(line: &[u8]) -> Vec<(u8, usize, usize)> {
    let mut start = 0;
    let mut found = Vec::new();
    for stretch in line.chunk_by(|a, b| a == b) {
        let end = start + stretch.len();
        found.push((stretch[0], start, end));
        start = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_cover_a_row() {
        assert_eq!(stretches(&[1, 1, 0, 1]), [(1, 0, 2), (0, 2, 3), (1, 3, 4)]);
        assert!(stretches(&[]).is_empty());
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
