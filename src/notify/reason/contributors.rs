//! What may have moved one of Defender's scores: its recommendations, by their impact, and how they changed since they were last
//! looked at.
//!
//! Defender has no history and no sum: that the impacts of recommendations add up to a score's change is written nowhere. So these
//! are likely contributors, and never said to be more.

use std::collections::HashMap;

use super::{CAUSES_MAX, CauseKind, Reason};
use crate::{
    domain::{Counts, Impact, Recommendation, RecommendationList, RecommendationSnapshot, SnapshotRow},
    notify::facts::{
        cause::{Cause, CauseChange},
        wording::{Shown, Why},
    },
};

/// What changed about a recommendation since the snapshot.
struct Changed<'a> {
    item: &'a Recommendation,
    impact: f64,
    how: CauseChange,
}

/// Compares a list with what is remembered of an earlier one. `is_part`: the score is of a part of the tenant, the list of all.
#[must_use]
pub fn likely(
    list: &RecommendationList,
    impact: Impact,
    before: Option<&RecommendationSnapshot>,
    is_part: bool,
) -> Reason {
    let weighted = list.items.iter().filter_map(|item| Some((item, impact.of(item).filter(|impact| *impact > 0.0)?)));
    let mut weighted: Vec<(&Recommendation, f64)> = weighted.collect();
    weighted.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.id.cmp(&b.0.id)));
    let changed = before.map(|before| changes(&weighted, before));
    let (shown, causes) = match changed {
        _ if weighted.is_empty() => (Shown::Nothing, Vec::new()),
        Some(changed) if !changed.is_empty() => {
            let count = changed.len();
            let heaviest = changed.into_iter().take(CAUSES_MAX);
            let causes = heaviest.map(|changed| cause(changed.item, changed.impact, Some(changed.how))).collect();
            (Shown::Changed(count), causes)
        }
        compared => {
            let open = weighted.iter().filter(|(item, _)| !item.is_exception).take(CAUSES_MAX);
            let causes = open.map(|(item, impact)| cause(item, *impact, None)).collect();
            (if compared.is_some() { Shown::Unchanged } else { Shown::NoEarlierList }, causes)
        }
    };
    let since = before.map(|before| before.taken_at);
    let why = Why::Recommendations { shown, since, is_part, is_complete: list.is_complete };
    Reason { why: Some(why), causes, ..Reason::default() }
}

/// The recommendations that changed for the worse, heaviest first.
fn changes<'a>(weighted: &[(&'a Recommendation, f64)], before: &RecommendationSnapshot) -> Vec<Changed<'a>> {
    let known: HashMap<&str, &SnapshotRow> = before.rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let changed = weighted.iter().filter_map(|&(item, impact)| {
        let how = match known.get(item.id.as_str()) {
            None => before.is_complete.then_some(CauseChange::New)?,
            Some(row) => change(item, row)?,
        };
        Some(Changed { item, impact, how })
    });
    changed.collect()
}

/// What changed about one recommendation, if it can have taken from a score.
fn change(item: &Recommendation, row: &SnapshotRow) -> Option<CauseChange> {
    let grew = |now: Option<u64>, then: Option<u64>| now.zip(then).filter(|(now, then)| now > then);
    match (item.is_exception, row.is_exception) {
        (false, true) => return Some(CauseChange::ExceptionRemoved),
        (true, false) => return Some(CauseChange::ExceptionMade),
        _ => {}
    }
    if let Some((now, then)) = grew(item.exposed, row.exposed) {
        return Some(CauseChange::MoreExposed { devices: now - then });
    }
    let (now, then) = grew(item.total, row.total)?;
    Some(CauseChange::MoreDevices { devices: now - then })
}

fn cause(item: &Recommendation, impact: f64, change: Option<CauseChange>) -> Cause {
    let counts = item.exposed.zip(item.total).map(|(count, total)| Counts { count, total });
    Cause {
        kind: CauseKind::Likely,
        title: item.name.clone(),
        category: item.category.clone(),
        points: Some(impact),
        counts,
        detail: change.as_ref().map(CauseChange::in_english),
        change,
        link: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn item(id: &str, impact: f64, exposed: u64, total: u64) -> Recommendation {
        Recommendation {
            id: id.to_owned(),
            name: format!("Do {id}"),
            is_configuration: true,
            config_impact: Some(impact),
            exposed: Some(exposed),
            total: Some(total),
            ..Recommendation::default()
        }
    }

    fn list(items: Vec<Recommendation>) -> RecommendationList {
        RecommendationList { items, is_complete: true }
    }

    /// Says it of a list against an earlier one, as `title: detail`.
    fn said(now: Vec<Recommendation>, before: Option<Vec<Recommendation>>) -> (String, Vec<String>) {
        let at = Timestamp::parse("2026-11-20T10:00:00Z").unwrap();
        let before = before.map(|items| RecommendationSnapshot::of(&list(items), Impact::DeviceScore, at));
        let reason = likely(&list(now), Impact::DeviceScore, before.as_ref(), false);
        let line = |cause: Cause| {
            assert_eq!(cause.kind, CauseKind::Likely);
            format!("{}: {}", cause.title, cause.detail.unwrap_or_default())
        };
        (reason.explanation().unwrap(), reason.causes.into_iter().map(line).collect())
    }

    #[test]
    fn without_a_snapshot_the_heaviest_are_likely_and_no_more_is_claimed() {
        let mut excepted = item("e", 99.0, 1, 1);
        excepted.is_exception = true;
        let items =
            vec![item("a", 1.0, 1, 9), item("b", 3.0, 1, 9), item("c", 2.0, 1, 9), item("d", 0.5, 1, 9), excepted];
        let (explanation, causes) = said(items, None);
        assert_eq!(
            explanation,
            "There is no earlier list of recommendations to compare with; those with the largest impact may have contributed."
        );
        assert_eq!(causes, ["Do b: ", "Do c: ", "Do a: "]);
    }

    #[test]
    fn what_worsened_since_the_snapshot_is_listed_by_impact() {
        let mut open = item("freed", 2.0, 1, 9);
        let mut excepted = open.clone();
        excepted.is_exception = true;
        for (now, before, causes) in [
            (vec![item("a", 9.0, 4, 9), item("n", 3.0, 1, 9)], vec![item("a", 9.0, 4, 9)], vec!["Do n: new"]),
            (
                vec![item("a", 1.0, 7, 9), item("b", 2.0, 5, 9)],
                vec![item("a", 1.0, 4, 9), item("b", 2.0, 4, 9)],
                vec!["Do b: 1 device more exposed than before", "Do a: 3 devices more exposed than before"],
            ),
            (vec![open.clone()], vec![excepted.clone()], vec!["Do freed: an exception was removed"]),
            (vec![excepted.clone()], vec![open.clone()], vec!["Do freed: an exception was made"]),
            (
                vec![item("a", 1.0, 4, 12)],
                vec![item("a", 1.0, 4, 9)],
                vec!["Do a: it is about 3 devices more than before"],
            ),
        ] {
            let (explanation, sentences) = said(now, Some(before));
            assert_eq!(sentences, causes);
            assert!(
                explanation.contains("changed for the worse since they were last read on 2026-11-20"),
                "{explanation}"
            );
        }
        open.exposed = Some(0);
        let (explanation, sentences) = said(vec![open.clone()], Some(vec![item("freed", 2.0, 1, 9)]));
        assert_eq!(sentences, ["Do freed: "], "fewer exposed devices are no reason");
        assert!(explanation.contains("No recommendation has changed for the worse"), "{explanation}");
    }

    #[test]
    fn what_was_cut_off_a_snapshot_is_not_called_new() {
        let before = RecommendationSnapshot {
            impact: Impact::DeviceScore,
            taken_at: Timestamp::EPOCH,
            is_complete: false,
            rows: Vec::new(),
        };
        let reason = likely(&list(vec![item("a", 1.0, 1, 1)]), Impact::DeviceScore, Some(&before), true);
        assert_eq!(reason.causes[0].detail, None);
        assert!(reason.explanation().unwrap().contains("whole tenant"));
    }

    #[test]
    fn recommendations_without_weight_say_so() {
        let (explanation, causes) = said(vec![item("a", 0.0, 1, 1)], None);
        assert_eq!(
            (explanation.as_str(), causes.len()),
            ("Defender lists no recommendation that affects this score.", 0)
        );
    }
}
