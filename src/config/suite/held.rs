//! What holds messages back in tests: silences and maintenance windows.

use super::notation::{self, Calendar};
use crate::{
    config::{
        draft::Draft,
        field::{Field, Word},
        maintenance::above_zero,
        matchers::{Known, Written, matchers},
        raw::RawSilence,
        scope::Scope,
    },
    domain::{DURATION_MAX, Timestamp},
    notify::{Silence, SilenceId},
    replay::{History, Plan},
};

/// What tests of these tenants may name. `all_read`: there are no others.
pub(super) fn known<'a>(plan: &'a Plan, histories: impl Iterator<Item = &'a History>, all_read: bool) -> Known<'a> {
    Known {
        tenants: histories.map(|history| (&history.tenant, Some(&*history.labels))).collect(),
        has_nameless: !all_read,
        rules: plan.rules.iter().map(|rule| &rule.name).collect(),
        lacks_rules: false,
    }
}

/// The silences of one test, numbered as they stand there.
pub(super) fn silences(
    raw: Field<Vec<Field<RawSilence>>>,
    list: &Scope<'_>,
    calendar: Calendar<'_>,
    known: &Known<'_>,
    draft: &mut Draft,
) -> Vec<Silence> {
    let written = draft.items(raw, list).into_iter();
    let numbered = written.zip(1_i64..);
    let read = numbered
        .filter_map(|((index, raw), number)| one(raw, SilenceId(number), &list.item(index), calendar, known, draft));
    read.collect()
}

fn one(
    raw: RawSilence,
    id: SilenceId,
    at: &Scope<'_>,
    calendar: Calendar<'_>,
    known: &Known<'_>,
    draft: &mut Draft,
) -> Option<Silence> {
    at.only(RawSilence::KEYS, draft);
    let written = Written { tenants: raw.tenants, rules: raw.rules, scores: raw.scores, severity: raw.severity };
    let matchers = matchers(written, at, known, draft);
    let (starts_at, ends_at) = span(raw.from, raw.r#for, raw.until, at, calendar, draft)?;
    let (author, comment) = ("test".to_owned(), String::new());
    Some(Silence { id, matchers, starts_at, ends_at, author, comment })
}

/// From when until when.
fn span(
    from: Field<Word>,
    length: Field<Word>,
    until: Field<Word>,
    at: &Scope<'_>,
    calendar: Calendar<'_>,
    draft: &mut Draft,
) -> Option<(Timestamp, Timestamp)> {
    let time = |text: &str| notation::time(text, calendar);
    let starts_at = match from {
        Field::Absent => Some(calendar.start),
        from => draft.parse(from, &at.key("from"), time),
    };
    if length.is_written() == until.is_written() {
        draft.error(at, "a silence has one end", "write one of `for: 2h` and `until: 6h`");
        return None;
    }
    let place = at.key(if length.is_written() { "for" } else { "until" });
    let length = draft.parse(length, &place, above_zero);
    let until = draft.parse(until, &place, time);
    let starts_at = starts_at?;
    let ends_at = until.or_else(|| Some(starts_at.plus(length?)))?;
    if ends_at <= starts_at {
        draft.error(&place, "it ends before it begins", format!("write a time after {starts_at}"));
        return None;
    }
    if ends_at.since(starts_at) > DURATION_MAX {
        draft.error(&place, "it is longer than ten years", "write an earlier end");
        return None;
    }
    Some((starts_at, ends_at))
}
