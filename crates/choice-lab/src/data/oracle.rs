//! What an oracle knows: the class to choose for each row of a generated task.

use crate::data::line::line_mse;
use combined_network::task::Rows;

/// The class of each row: its regime, or where there are fewer classes than regimes, the group of its regime, in the grouping
/// whose lines, one for each group, fit the rows best.
pub fn classes(rows: &Rows, regimes: &[usize], classes: usize) -> Vec<usize> {
    let count = regimes.iter().max().map_or(0, |last| last + 1);
    let groups = if count <= classes {
        (0..count).collect()
    } else {
        best_grouping(rows, regimes, count, classes)
    };
    regimes.iter().map(|regime| groups[*regime]).collect()
}

/// The group of each regime.
fn best_grouping(rows: &Rows, regimes: &[usize], count: usize, classes: usize) -> Vec<usize> {
    // What is left of the rows' squares when one line fits all regimes of a set, whose numbers are the set's bits.
    let left = |set: usize| {
        let of_set = (0..regimes.len()).filter(|row| set >> regimes[*row] & 1 == 1);
        let rows = rows.select(of_set);
        line_mse(&rows, &rows) * rows.targets.len() as f64
    };
    let left: Vec<f64> = (0..1 << count).map(left).collect();
    let sum = |groups: &[usize]| -> f64 {
        let set = |class| {
            let members = (0..count).filter(|regime| groups[*regime] == class);
            members.map(|regime| 1 << regime).sum::<usize>()
        };
        (0..classes).map(|class| left[set(class)]).sum()
    };
    let all = groupings(count, classes);
    let best = all.into_iter().min_by(|a, b| sum(a).total_cmp(&sum(b)));
    best.unwrap_or_default()
}

/// All ways to put so many regimes into at most so many groups; groups are numbered in the order of their first members.
fn groupings(count: usize, classes: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..count {
        let longer = |groups: Vec<usize>| {
            let used = groups.iter().max().map_or(0, |last| last + 1);
            (0..classes.min(used + 1)).map(move |class| [groups.clone(), vec![class]].concat())
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regimes_with_one_line_share_a_class() {
        // Regimes 0 and 2 lie on one line, regime 1 on another.
        let inputs: Vec<f32> = (0..30).map(|row| row as f32 / 10.0).collect();
        let regimes: Vec<usize> = (0..30).map(|row| row / 10).collect();
        let target = |(x, regime): (&f32, &usize)| if *regime == 1 { 5.0 - x } else { 2.0 * x };
        let rows = Rows {
            features: 1,
            targets: inputs.iter().zip(&regimes).map(target).collect(),
            inputs,
        };
        let found = classes(&rows, &regimes, 2);
        assert!(
            found
                .iter()
                .zip(&regimes)
                .all(|(class, regime)| *class == regime % 2)
        );
        assert_eq!(classes(&rows, &regimes, 3), regimes);
        // The Stirling numbers S(4, 1) + S(4, 2) + S(4, 3).
        assert_eq!(groupings(4, 3).len(), 1 + 7 + 6);
    }
}
