//! How a secure score's change is said: one sentence, in which each clause is something that the numbers show.

use super::{Breakdown, CauseKind, Part};
use crate::rule::display;

/// What is known of how the ruler changed, for words.
pub(super) struct Ruler {
    /// Products that came, and products that went; `None`: the records do not say.
    pub(super) products: Option<(bool, bool)>,
    /// What the new controls are worth; `None`: some of it is not known.
    pub(super) added: Option<f64>,
    /// Whether the controls that came and went explain how the maximum moved.
    pub(super) is_explained: bool,
}

/// Says how the change came about.
pub(super) fn of(breakdown: &Breakdown, ruler: &Ruler) -> String {
    let mut clauses: Vec<String> = breakdown.parts.iter().filter_map(|part| clause(breakdown, part, ruler)).collect();
    let took = |kind| breakdown.parts.iter().any(|part| part.kind == kind && part.percent < 0.0);
    let has_lost = took(CauseKind::Lost) || took(CauseKind::Unexplained);
    let has_fallen = breakdown.parts.iter().map(|part| part.percent).sum::<f64>() < 0.0;
    if clauses.is_empty() {
        clauses.push("no control has changed".to_owned());
    } else if has_fallen && !has_lost {
        clauses.push("no control of the tenant lost points".to_owned());
    }
    let day = breakdown.from.to_chrono().format("%Y-%m-%d");
    format!("Since the record of {day}: {}.", clauses.join("; "))
}

fn clause(breakdown: &Breakdown, part: &Part, ruler: &Ruler) -> Option<String> {
    let controls = if part.controls == 1 { "1 control".to_owned() } else { format!("{} controls", part.controls) };
    let points = worth(part.points.abs());
    let verb = if part.points < 0.0 { "took" } else { "gave" };
    Some(match part.kind {
        CauseKind::Lost => format!("{controls} of the tenant lost {points}"),
        CauseKind::Improved => format!("{controls} gained {points}"),
        CauseKind::Accounting => {
            format!("people of the tenant changed how {controls} count{}, which {verb} {points}", third_person(part))
        }
        CauseKind::Added => {
            let new =
                ruler.added.map_or_else(|| controls.clone(), |added| format!("{controls} worth {}", worth(added)));
            match ruler.products {
                Some((false, _)) => format!("Microsoft added {new}"),
                Some((true, _)) => format!("{new} came with a new product"),
                None => format!("{new} came from Microsoft or with a new product"),
            }
        }
        CauseKind::Retired => match ruler.products {
            Some((_, false)) => format!("Microsoft retired {controls} that gave {points}"),
            Some((_, true)) => format!("{controls} that gave {points} went with a product"),
            None => format!("{controls} that gave {points} were retired by Microsoft or went with a product"),
        },
        CauseKind::Reweighted => {
            format!("Microsoft changed what {controls} give{}, which {verb} {points}", third_person(part))
        }
        CauseKind::Moved => format!("{controls} changed the category, which {verb} {points}"),
        CauseKind::Maximum if ruler.is_explained => return None,
        CauseKind::Maximum => {
            let way = if breakdown.after.of > breakdown.before.of { "rose" } else { "fell" };
            let [before, after] = [breakdown.before.of, breakdown.after.of].map(display::number);
            format!("the maximum {way} from {before} to {after} points")
        }
        CauseKind::Unexplained => {
            let way = if part.points < 0.0 { "fewer" } else { "more" };
            format!("{} {way} that the controls do not explain", worth(part.points.abs()))
        }
        CauseKind::Likely => return None,
    })
}

const fn third_person(part: &Part) -> &'static str {
    if part.controls == 1 { "s" } else { "" }
}

fn worth(points: f64) -> String {
    match display::number(points).as_str() {
        "1" => "1 point".to_owned(),
        number => format!("{number} points"),
    }
}
