//! Maintenance windows: silences that come round.

use std::{collections::BTreeSet, time::Duration};

use chrono_tz::Tz;

use super::{
    Config,
    field::{Field, Word},
    raw::{OneOrMany, RawMaintenance, RawTenants},
    scope::{Problems, Scope, nearest, quoted},
    tenants::Tenants,
    words::{labels, name, score, zone},
};
use crate::{
    domain::{Selector, Severity, TenantId, Timestamp, name::check_name, parse_duration},
    notify::{
        Maintenance, Silence, maintenance,
        silence::{About, Matchers},
    },
    rule::RuleName,
    schedule::{Schedule, Window, WindowEnd},
};

/// The rule by which the operator hears that we are blind; no file defines it.
const OPERATOR_BLIND: &str = "operator.blind";
/// A window that goes on so many times without a gap never ends.
const OCCURRENCES_MAX: usize = 64;

impl Config {
    /// Until when these silences and the maintenance windows of this configuration cover this, one after the other; `None`: it is
    /// to be told now.
    #[must_use]
    pub fn covering(&self, silences: &[Silence], about: &About<'_>, now: Timestamp) -> Option<Timestamp> {
        maintenance::covering(&self.maintenance, silences, about, now)
    }
}

/// What is known when maintenance windows are read.
pub(super) struct Known<'a> {
    pub(super) tenants: &'a Tenants,
    pub(super) rules: Vec<&'a RuleName>,
    pub(super) timezone: Tz,
}

/// Every maintenance window.
pub(super) fn maintenance(
    raw: Field<Vec<Field<RawMaintenance>>>,
    at: &Scope<'_>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Vec<Maintenance> {
    let mut names = BTreeSet::new();
    let mut windows = Vec::new();
    for (index, raw) in problems.items(raw, at) {
        let here = at.item(index);
        let Some(read) = one(raw, &here, known, problems) else { continue };
        if !names.insert(read.name.clone()) {
            problems.error(&here.key("name"), format!("there are two called `{}`", read.name), "choose another name");
        }
        windows.push(read);
    }
    windows
}

fn one(raw: RawMaintenance, at: &Scope<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Maintenance> {
    at.only(RawMaintenance::KEYS, problems);
    let name_at = at.key("name");
    let parse = |text: &str| check_name(text).map(|()| text.to_owned());
    let name = problems
        .require(raw.name, &name_at, "patch-night")
        .and_then(|Word(text)| name(&text, &name_at, parse, problems));
    let given = [raw.tenants.is_written(), raw.rules.is_written(), raw.scores.is_written(), raw.severity.is_written()];
    if !given.contains(&true) {
        problems.error(at, "this says not what it covers", "write `tenants: all` if it is for everybody");
    }
    let (tenants, labels) = whose(raw.tenants, &at.key("tenants"), known, problems);
    let here = at.key("rules");
    let rules = words(raw.rules, &here, problems, |text, at, problems| rule(text, at, known, problems));
    let scores = words(raw.scores, &at.key("scores"), problems, score);
    let severities = words(raw.severity, &at.key("severity"), problems, severity);
    let timezone = problems.parse(raw.timezone, &at.key("timezone"), zone).unwrap_or(known.timezone);
    let window = window((raw.from, raw.r#for, raw.until), at, timezone, problems);
    let matchers = Matchers { tenants, labels, rules, scores, severities };
    Some(Maintenance { name: name?, matchers, window: window? })
}

fn window(
    (from, length, until): (Field<Word>, Field<Word>, Field<Word>),
    at: &Scope<'_>,
    timezone: Tz,
    problems: &mut Problems,
) -> Option<Window> {
    let schedule = |text: &str| Schedule::parse(text, timezone);
    let written = problems.require(from, &at.key("from"), "\"0 0 22 * * FRI\"");
    let from = written.and_then(|word| problems.parse(Field::Good(word), &at.key("from"), schedule));
    if length.is_written() == until.is_written() {
        problems.error(at, "a window has one end", "write one of `for: 6h` and `until: \"0 0 6 * * MON\"`");
        return None;
    }
    let above_zero = |text: &str| match parse_duration(text)? {
        Duration::ZERO => Err("it can't be zero; write a duration like `6h`".to_owned()),
        duration => Ok(duration),
    };
    let length = problems.parse(length, &at.key("for"), above_zero).map(WindowEnd::After);
    let until = problems.parse(until, &at.key("until"), schedule).map(WindowEnd::At);
    let window = Window::new(from?, length.or(until)?);
    if never_ends(&window) {
        let what = "it begins again before it is over, and so never ends";
        problems.error(&at.key("from"), what, "let it end earlier, or take the rule or the tenant out");
        return None;
    }
    Some(window)
}

/// Whether one occurrence follows the other without a gap, for as long as anybody looks.
fn never_ends(window: &Window) -> bool {
    let first = window.first_begin();
    let ends = std::iter::successors(first, |at| window.covers(*at));
    ends.take(OCCURRENCES_MAX).count() == OCCURRENCES_MAX
}

/// Of whom: everybody, some by id, or some by label.
fn whose(
    raw: Field<RawTenants>,
    at: &Scope<'_>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> (BTreeSet<TenantId>, Selector) {
    let (mut tenants, mut selector) = (BTreeSet::new(), Selector::default());
    match problems.take(raw, at) {
        None | Some(RawTenants::All) => {}
        Some(RawTenants::Labels(written)) => {
            selector.0 = labels(Field::Good(written), at, problems);
            if selector.0.is_empty() {
                problems.error(at, "there is no label here", "write `tenants: all`, or labels like `{ tier: gold }`");
            } else if !known.tenants.by_id.values().any(|tenant| selector.matches(&tenant.labels)) {
                problems.warning(at, "no tenant has these labels", "check them against the tenants' `labels:`");
            }
        }
        Some(RawTenants::Ids(written)) => {
            for (index, Word(text)) in problems.items(Field::Good(written), at) {
                tenants.extend(tenant(&text, &at.item(index), known, problems));
            }
            if tenants.is_empty() {
                problems.error(at, "there is no tenant here", "write `tenants: all`, or ids of tenants");
            }
        }
    }
    (tenants, selector)
}

fn tenant(text: &str, at: &Scope<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<TenantId> {
    let id = name(text, at, TenantId::parse, problems)?;
    if !known.tenants.nameless && !known.tenants.places.contains_key(&id) {
        let instead = match nearest(text, known.tenants.places.keys().map(TenantId::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "write the `id` of a tenant".to_owned(),
        };
        problems.error(at, format!("there is no tenant `{text}`"), instead);
    }
    Some(id)
}

fn rule(text: &str, at: &Scope<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<RuleName> {
    let rule = name(text, at, RuleName::parse, problems)?;
    if text != OPERATOR_BLIND && !known.rules.contains(&&rule) {
        let instead = match nearest(text, known.rules.iter().map(|rule| rule.as_str())) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "write the name of a rule".to_owned(),
        };
        problems.error(at, format!("there is no rule `{text}`"), instead);
    }
    Some(rule)
}

fn severity(text: &str, at: &Scope<'_>, problems: &mut Problems) -> Option<Severity> {
    let known = Severity::ALL.into_iter().find(|severity| severity.as_str() == text);
    if known.is_none() {
        let instead = format!("use one of {}", quoted(&Severity::ALL.map(Severity::as_str)));
        problems.error(at, format!("`{text}` is no severity"), instead);
    }
    known
}

/// One word or several, each as it is read.
fn words<T: Ord>(
    raw: Field<OneOrMany<Word>>,
    at: &Scope<'_>,
    problems: &mut Problems,
    read: impl Fn(&str, &Scope<'_>, &mut Problems) -> Option<T>,
) -> BTreeSet<T> {
    match problems.take(raw, at) {
        None => BTreeSet::new(),
        Some(OneOrMany::One(word)) => read(&word.0, at, problems).into_iter().collect(),
        Some(OneOrMany::Many(written)) => {
            let mut found = BTreeSet::new();
            if written.is_empty() {
                problems.error(at, "the list is empty", "write what it covers, or delete the key");
            }
            for (index, Word(text)) in problems.items(Field::Good(written), at) {
                found.extend(read(&text, &at.item(index), problems));
            }
            found
        }
    }
}
