//! Maintenance windows: silences that come round.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Config,
    draft::Draft,
    field::{Field, Word},
    matchers::{Known, Written, matchers},
    raw::RawMaintenance,
    scope::Scope,
    times::{schedule, zone},
    words::name,
};
use crate::{
    domain::{Complaint, Timestamp, name::check_name, parse_duration},
    notify::{Maintenance, Silence, maintenance, silence::MatchTarget},
    schedule::{Window, WindowEnd, Zone},
};

/// A window that goes on that many times without a gap never ends.
const OCCURRENCES_MAX: usize = 64;

impl Config {
    /// Until when these silences and the maintenance windows of this configuration cover this, one after the other; `None`: it is
    /// to be sent now.
    #[must_use]
    pub fn covering(&self, silences: &[Silence], target: &MatchTarget<'_>, now: Timestamp) -> Option<Timestamp> {
        maintenance::covering(&self.maintenance, silences, target, now)
    }
}

/// Every maintenance window; those that name no zone go by this one.
pub(super) fn maintenance(
    raw: Field<Vec<Field<RawMaintenance>>>,
    at: &Scope<'_>,
    known: &Known<'_>,
    zone: &Zone,
    draft: &mut Draft,
) -> Vec<Maintenance> {
    let mut names = BTreeSet::new();
    let mut windows = Vec::new();
    for (index, raw) in draft.items(raw, at) {
        let here = at.item(index);
        let Some(read) = one(raw, &here, known, zone, draft) else { continue };
        if !names.insert(read.name.clone()) {
            draft.error(&here.key("name"), format!("there are two called `{}`", read.name), "choose another name");
        }
        windows.push(read);
    }
    windows
}

fn one(
    raw: RawMaintenance,
    at: &Scope<'_>,
    known: &Known<'_>,
    default_zone: &Zone,
    draft: &mut Draft,
) -> Option<Maintenance> {
    at.only(RawMaintenance::KEYS, draft);
    let name_at = at.key("name");
    let parse = |text: &str| check_name(text).map(|()| text.to_owned());
    let name =
        draft.require(raw.name, &name_at, "patch-night").and_then(|Word(text)| name(&text, &name_at, parse, draft));
    let written = Written { tenants: raw.tenants, rules: raw.rules, scores: raw.scores, severity: raw.severity };
    let matchers = matchers(written, at, known, draft);
    let timezone = zone(raw.timezone, &at.key("timezone"), draft).unwrap_or_else(|| default_zone.clone());
    let window = window(raw.from, raw.r#for, raw.until, at, &timezone, draft);
    Some(Maintenance { name: name?, matchers, window: window? })
}

fn window(
    from: Field<Word>,
    length: Field<Word>,
    until: Field<Word>,
    at: &Scope<'_>,
    timezone: &Zone,
    draft: &mut Draft,
) -> Option<Window> {
    let written = draft.require(from, &at.key("from"), "\"0 0 22 * * FRI\"");
    let from = written.and_then(|word| schedule(Field::Good(word), &at.key("from"), timezone, draft));
    if length.is_written() == until.is_written() {
        if !until.is_written() && draft.is_one_meant(at, &["for", "until"]) {
            return None;
        }
        draft.error(at, "a window has one end", "write one of `for: 6h` and `until: \"0 0 6 * * MON\"`");
        return None;
    }
    let length = draft.parse(length, &at.key("for"), above_zero).map(WindowEnd::After);
    let until = schedule(until, &at.key("until"), timezone, draft).map(WindowEnd::At);
    let window = Window::new(from?, length.or(until)?);
    if never_ends(&window) {
        let what = "it begins again before it is over, and so never ends";
        draft.error(&at.key("from"), what, "let it end earlier, or take the rule or the tenant out");
        return None;
    }
    Some(window)
}

/// How long a window or a silence lasts.
pub(super) fn above_zero(text: &str) -> Result<Duration, Complaint> {
    match parse_duration(text)? {
        Duration::ZERO => Err(Complaint::new("it can't be zero", "write a duration like `6h`")),
        duration => Ok(duration),
    }
}

/// Whether one occurrence follows the other without a gap, for as long as anybody looks.
fn never_ends(window: &Window) -> bool {
    let first = window.first_begin();
    let ends = std::iter::successors(first, |at| window.covers(*at));
    ends.take(OCCURRENCES_MAX).count() == OCCURRENCES_MAX
}
