//! What moved a score, in words: one line for each cause, and a title that claims no more than they show.

use serde::Serialize;

use crate::{
    domain::Counts,
    notify::{language::Words, notification::Cause, reason::CauseKind},
};

/// What stands over the causes.
pub(super) fn title(causes: &[Cause], words: &Words) -> &'static str {
    let all = |kind| causes.iter().all(|cause| cause.kind == kind);
    if all(CauseKind::Lost) {
        words.alert.regressed
    } else if all(CauseKind::Likely) {
        words.alert.likely
    } else {
        words.alert.changed
    }
}

/// One cause in parts.
#[derive(Debug, Serialize)]
pub(super) struct LinkedCause {
    /// What; text from outside.
    title: String,
    /// Its category, how much, on how many, and how it changed.
    detail: Option<String>,
    /// Where to look; `https` only.
    url: Option<String>,
}

/// One cause: what, how much, on how many, and how it changed.
pub(super) fn cause(cause: &Cause, words: &Words) -> String {
    let category = cause.category.as_ref().map(|category| format!(" · {category}")).unwrap_or_default();
    let facts = facts(cause, words);
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    format!("{}{category}{facts}", title_of(cause, words))
}

/// The same in parts, so that the title can be a link.
pub(super) fn linked(cause: &Cause, words: &Words) -> LinkedCause {
    let detail: Vec<String> = cause.category.clone().into_iter().chain(facts(cause, words)).collect();
    LinkedCause {
        title: title_of(cause, words),
        detail: (!detail.is_empty()).then(|| detail.join(", ")),
        url: cause.link.clone(),
    }
}

fn title_of(cause: &Cause, words: &Words) -> String {
    let mark = match cause.kind {
        CauseKind::Added => words.alert.new_mark,
        CauseKind::Retired => words.alert.retired_mark,
        _ => "",
    };
    format!("{mark}{}", cause.title)
}

fn facts(cause: &Cause, words: &Words) -> Vec<String> {
    let points = cause.points.map(|points| {
        let worth = words.worth(points);
        match cause.kind {
            CauseKind::Added => (words.alert.to_earn)(&worth),
            CauseKind::Likely => (words.alert.up_to)(&worth),
            _ => format!("{}{worth}", if points < 0.0 { "+" } else { "−" }),
        }
    });
    let counts = cause.counts.map(|Counts { count, total }| match cause.kind {
        CauseKind::Likely => (words.alert.exposed)(count, total),
        _ => (words.alert.of)(&count.to_string(), &total.to_string()),
    });
    points.into_iter().chain(counts).chain(cause.detail.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_says_what_how_much_and_on_how_many() {
        let words = Words::of(crate::domain::Language::En);
        let whole = Cause {
            title: "Require MFA".to_owned(),
            category: Some("Identity".to_owned()),
            points: Some(9.5),
            counts: Some(Counts { count: 50, total: 69 }),
            ..Cause::default()
        };
        let sentence = |kind, detail: Option<&str>| {
            cause(&Cause { kind, detail: detail.map(str::to_owned), ..whole.clone() }, words)
        };
        for (kind, detail, text) in [
            (CauseKind::Lost, None, "Require MFA · Identity (−9.5 points, 50 of 69)"),
            (CauseKind::Added, None, "New: Require MFA · Identity (9.5 points to earn, 50 of 69)"),
            (CauseKind::Retired, None, "Retired: Require MFA · Identity (−9.5 points, 50 of 69)"),
            (
                CauseKind::Likely,
                Some("new"),
                "Require MFA · Identity (up to 9.5 points, 50 of 69 devices exposed, new)",
            ),
        ] {
            assert_eq!(sentence(kind, detail), text);
        }
        assert_eq!(cause(&Cause { title: "MFA".to_owned(), ..Cause::default() }, words), "MFA");
        let kinds = |kinds: &[CauseKind]| {
            title(&kinds.iter().map(|&kind| Cause { kind, ..Cause::default() }).collect::<Vec<_>>(), words)
        };
        assert_eq!(kinds(&[CauseKind::Lost, CauseKind::Lost]), "What regressed");
        assert_eq!(kinds(&[CauseKind::Likely]), "Likely contributors");
        assert_eq!(kinds(&[CauseKind::Lost, CauseKind::Added]), "What changed");
    }
}
