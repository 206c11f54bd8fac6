//! What is said of controls that do not count.

use super::{language::Words, notification::ExcludedControl};
use crate::domain::Timestamp;

/// Controls that do not count until the same day for the same reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExcludedGroup<'a> {
    /// How many there are.
    pub count: usize,
    /// When they count again; `None`: from the next check on.
    pub until: Option<Timestamp>,
    /// Why they do not count; `None`: that is not shown.
    pub reason: Option<&'a str>,
}

/// The controls by end and reason, those that end first first.
#[must_use]
pub fn groups(controls: &[ExcludedControl]) -> Vec<ExcludedGroup<'_>> {
    let mut groups: Vec<ExcludedGroup<'_>> = Vec::new();
    for ExcludedControl { until, reason, .. } in controls {
        let reason = reason.as_deref();
        match groups.iter_mut().find(|group| group.until == *until && group.reason == reason) {
            Some(group) => group.count += 1,
            None => groups.push(ExcludedGroup { count: 1, until: *until, reason }),
        }
    }
    groups.sort_by_key(|group| group.until);
    groups
}

/// What is said of them, as one sentence without its full stop: `2 controls are excluded until 2027-03-01: Okta enforces MFA`.
/// `None`: there are none.
#[must_use]
pub(crate) fn sentence(controls: &[ExcludedControl], words: &Words) -> Option<String> {
    let until = |group: &ExcludedGroup<'_>| {
        let until_next_check = || words.alert.until_next_check.to_owned();
        group.until.map_or_else(until_next_check, |at| (words.alert.until_day)(&words.day(at)))
    };
    let reason = |group: &ExcludedGroup<'_>| group.reason.map(|reason| reason.trim_end_matches('.').to_owned());
    if controls.is_empty() {
        return None;
    }
    let all = (words.alert.are_excluded)(controls.len());
    let groups = groups(controls);
    if let [only] = groups.as_slice() {
        let excluded = format!("{all} {}", until(only));
        return Some(reason(only).map_or_else(|| excluded.clone(), |reason| words.labelled(&excluded, &reason)));
    }
    let part = |group: &ExcludedGroup<'_>| {
        let why = reason(group).map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{} {}{why}", group.count, until(group))
    };
    Some(words.labelled(&all, &groups.iter().map(part).collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Language;

    #[test]
    fn excluded_controls_are_counted_in_one_sentence() {
        let one = |until: Option<&str>, reason: Option<&str>| ExcludedControl {
            control: "MFA".to_owned(),
            until: until.map(|day| Timestamp::parse(&format!("{day}T00:00:00Z")).unwrap()),
            reason: reason.map(str::to_owned),
        };
        let (march, june) = (Some("2027-03-01"), Some("2027-06-01"));
        for (controls, said) in [
            (vec![], None),
            (vec![one(march, None)], Some("1 control is excluded until 2027-03-01")),
            (
                vec![one(march, Some("Okta enforces MFA.")); 2],
                Some("2 controls are excluded until 2027-03-01: Okta enforces MFA"),
            ),
            (
                vec![one(june, Some("Not licensed")), one(march, Some("Okta")), one(june, Some("Not licensed"))],
                Some("3 controls are excluded: 1 until 2027-03-01 (Okta), 2 until 2027-06-01 (Not licensed)"),
            ),
            (vec![one(None, None)], Some("1 control is excluded until the next check")),
        ] {
            assert_eq!(sentence(&controls, Words::of(Language::En)).as_deref(), said);
        }
    }
}
