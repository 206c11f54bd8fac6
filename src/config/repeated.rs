//! One mistake that is found at many places is one problem that names them.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::Problem;

/// Most other places that one problem names.
const PLACES_MAX: usize = 3;

/// Merges problems that say the same, if it is one of `whats`: the first remains and names the other places. They are in file order.
pub(super) fn merge(problems: Vec<Problem>, whats: &HashSet<String>) -> Vec<Problem> {
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut others: HashMap<usize, Vec<String>> = HashMap::new();
    let mut merged: Vec<Problem> = Vec::with_capacity(problems.len());
    for problem in problems {
        if let Some(index) = first.get(&problem.what) {
            others.entry(*index).or_default().push(problem.place.to_string());
            continue;
        }
        if whats.contains(&problem.what) {
            first.insert(problem.what.clone(), merged.len());
        }
        merged.push(problem);
    }
    for (index, places) in others {
        if let Some(problem) = merged.get_mut(index) {
            problem.what = format!("{} (also used at {})", problem.what, listed(&places));
        }
    }
    merged
}

/// The first places, and how many more there are.
fn listed(places: &[String]) -> String {
    let shown = places.iter().take(PLACES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match places.len().saturating_sub(PLACES_MAX) {
        0 => shown,
        1 => format!("{shown} and 1 more place"),
        more => format!("{shown} and {more} more places"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Place;

    #[test]
    fn a_mistake_at_many_places_is_one_problem_that_names_them() {
        let at = |line: usize, what: &str| {
            Problem::error(Place { file: "a.yaml".into(), line, column: 1 }, "notify", what, "")
        };
        let (once, often) = ("`a` is not defined", "`b` is wrong");
        for (uses, said) in [
            (1, "`a` is not defined"),
            (2, "`a` is not defined (also used at a.yaml:2:1)"),
            (4, "`a` is not defined (also used at a.yaml:2:1, a.yaml:3:1, a.yaml:4:1)"),
            (5, "`a` is not defined (also used at a.yaml:2:1, a.yaml:3:1, a.yaml:4:1 and 1 more place)"),
            (9, "`a` is not defined (also used at a.yaml:2:1, a.yaml:3:1, a.yaml:4:1 and 5 more places)"),
        ] {
            let problems = (1..=uses).map(|line| at(line, once)).chain([at(20, often), at(21, often)]).collect();
            let merged = merge(problems, &HashSet::from([once.to_owned()]));
            let whats: Vec<&str> = merged.iter().map(|problem| &*problem.what).collect();
            assert_eq!(whats, [said, often, often], "{uses} uses");
        }
    }
}
