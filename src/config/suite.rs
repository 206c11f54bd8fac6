//! Tests of rules: a file of them, read and validated as configuration is.

mod case;
mod held;
mod notation;

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use serde::Deserialize;

use self::case::Setting;
use super::{
    channel::whole,
    draft::Draft,
    excerpt,
    field::{Field, Word},
    files::{self, Source},
    gather::read_rules,
    maintenance::maintenance,
    raw::{OneOrMany, RawRules, RawSuite, RawSuiteChannel},
    scope::Scope,
    settings::{flapping, fleet},
    times::zone,
    words::{Names, labels, name},
};
use crate::{
    diagnostic::{Excerpts, Place, Problem},
    domain::{ChannelName, Complaint, Selector, TenantId, Timestamp, parse_duration},
    notify::{Maintenance, Silence, fleet::FleetSettings, route::Audience},
    replay::{History, Plan, Receiver, expect::Expected},
    rule::FlapLimit,
    zones::{self, Zones},
};

/// When tests begin that say nothing of it: 2026-01-05T00:00:00Z, a Monday.
const START: Timestamp = Timestamp::from_seconds(1_767_571_200);
/// The gap between two checks in tests that say nothing of it.
const EVERY: Duration = Duration::from_mins(15);
/// More notifications than this go out as one, in tests that say nothing of it.
const DIGEST_OVER: usize = 20;

/// A file with tests.
#[derive(Debug, Clone)]
pub struct Suite {
    /// The rules under test, and whom they may notify.
    pub plan: Plan,
    /// The tests, in file order.
    pub cases: Vec<Case>,
}

/// One case of a test file.
#[derive(Debug, Clone)]
pub struct Case {
    /// The case's name: the promise that it checks.
    pub name: String,
    /// The place of the case in its file.
    pub place: Place,
    /// The time at which the replay starts.
    pub start: Timestamp,
    /// What happens to each tenant.
    pub histories: Vec<History>,
    /// The silences in which it happens.
    pub silences: Vec<Silence>,
    /// The maintenance windows, in addition to those of the file.
    pub maintenance: Vec<Maintenance>,
    /// What is to be sent.
    pub expected: Vec<Expected>,
    /// Up to these times nothing but what is expected may be sent, though the test is not strict; each with where it stands.
    pub quiet: Vec<(Timestamp, Timestamp)>,
    /// Whether nothing but what is expected may be sent at all.
    pub strict: bool,
}

impl Suite {
    /// What holds for one of its tests.
    #[must_use]
    pub fn plan_of(&self, case: &Case) -> Plan {
        let maintenance = [&self.plan.maintenance[..], &case.maintenance].concat();
        Plan { maintenance, silences: case.silences.clone(), ..self.plan.clone() }
    }
}

/// What reading a file with tests gave.
#[derive(Debug)]
pub struct LoadedSuite {
    /// The tests; `None` when a problem is an error.
    pub suite: Option<Suite>,
    /// All problems, errors and warnings, in file order; of the rule files too.
    pub problems: Vec<Problem>,
    /// The lines of those problems, where they can be shown.
    pub excerpts: Excerpts,
}

/// Reads and validates a file with tests and the rules that it names. Every problem is reported, not only the first.
#[must_use]
pub fn load_suite(file: &Path) -> LoadedSuite {
    let mut draft = Draft { zones: Zones::newer(&zones::system_folder()), ..Draft::default() };
    let suite = files::read(file, &mut draft).and_then(|source| suite(&source, &mut draft));
    draft.note_zones();
    draft.settle();
    let suite = suite.filter(|_| !draft.any_error());
    LoadedSuite { suite, excerpts: excerpt::of(&draft.list), problems: draft.problems.list }
}

/// Reads rule files for a replay, without a configuration around them: every channel that they name is known, and `known` are too.
#[must_use]
pub fn load_rules(file: &Path, known: &[ChannelName]) -> (Vec<Arc<crate::rule::Rule>>, Vec<Problem>, Excerpts) {
    let mut draft = Draft::default();
    let mut names: Names = known.iter().map(|name| (name.to_string(), Some(name.clone()))).collect();
    let here: Arc<Path> = file.into();
    let top = Scope::root(&here, None);
    let pattern = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let list = || Field::Good(vec![Field::Good(Word(pattern.clone()))]);
    name_channels(list(), &top, &mut names);
    let rules = read_rules(list(), &top, &names, FlapLimit::default(), &mut draft);
    draft.settle();
    let rules = if draft.any_error() { Vec::new() } else { rules.into_iter().map(|(rule, _)| rule).collect() };
    (rules, draft.list.clone(), excerpt::of(&draft.list))
}

fn suite(source: &Source, draft: &mut Draft) -> Option<Suite> {
    let top = source.scope();
    let mut raw = match RawSuite::deserialize(&source.value) {
        Ok(raw) if !source.is_list() => raw,
        _ => {
            draft.error(
                &top,
                "expected a mapping at the top of the file",
                "write `rules: […]` and `tests:` at the top",
            );
            return None;
        }
    };
    top.only(RawSuite::KEYS, draft);
    let open = !raw.channels.is_written();
    let written = draft.take(std::mem::take(&mut raw.channels), &top.key("channels")).unwrap_or_default();
    let mut names: Names = written.keys().map(|name| (name.clone(), ChannelName::parse(name).ok())).collect();
    let receivers = channels(written, &top.key("channels"), draft);
    if !raw.rules.is_written() {
        draft.error(
            &top.key("rules"),
            "`rules` is missing",
            "name the rule files under test: `rules: [../starter.yaml]`",
        );
    }
    if open {
        name_channels(raw.rules.clone(), &top.key("rules"), &mut names);
        case::name_channels(&raw.tests, &mut names);
    }
    let flapping = flapping(std::mem::take(&mut raw.flapping), &top.key("flapping"), draft);
    let rules = read_rules(std::mem::take(&mut raw.rules), &top.key("rules"), &names, flapping, draft);
    let waits = raw.fleet.is_written();
    let fleet = fleet(std::mem::take(&mut raw.fleet), &top.key("fleet"), Duration::ZERO, draft);
    let plan = Plan {
        rules: rules.into_iter().map(|(rule, _)| rule).collect(),
        receivers: if open { all_open(&names) } else { receivers },
        fleet: if waits { fleet } else { FleetSettings { hold: Duration::ZERO, ..fleet } },
        ..Plan::default()
    };
    let setting = Setting {
        plan: &plan,
        channels: &names,
        zone: zone(raw.timezone, &top.key("timezone"), draft).unwrap_or_default(),
        start: draft.parse(raw.start, &top.key("start"), instant).unwrap_or(START),
        every: draft.parse(raw.every, &top.key("every"), interval).unwrap_or(EVERY),
    };
    let list = top.key("tests");
    if !raw.tests.is_written() {
        draft.error(&list, "there are no `tests`", "write `tests:` and below it `- name: …`");
    }
    let written = raw.tests.count();
    let tests = draft.items(raw.tests, &list);
    let cases: Vec<Case> =
        tests.into_iter().filter_map(|(index, raw)| setting.case(raw, &list.item(index), draft)).collect();
    let known = held::known(&plan, cases.iter().flat_map(|case| &case.histories), written == Some(cases.len()));
    let maintenance = maintenance(raw.maintenance, &top.key("maintenance"), &known, &setting.zone, draft);
    Some(Suite { plan: Plan { maintenance, ..plan }, cases })
}

/// The channels as written.
fn channels(
    written: BTreeMap<String, Field<RawSuiteChannel>>,
    at: &Scope<'_>,
    draft: &mut Draft,
) -> BTreeMap<ChannelName, Receiver> {
    let mut receivers = BTreeMap::new();
    for (text, field) in written {
        let here = at.key(&text);
        let channel = name(&text, &here, ChannelName::parse, draft);
        let Some(raw) = draft.take(field, &here) else { continue };
        here.only(RawSuiteChannel::KEYS, draft);
        let tenants = raw.tenants.is_written().then(|| {
            let list = here.key("tenants");
            let ids = draft.items(raw.tenants, &list);
            ids.into_iter()
                .filter_map(|(index, Word(id))| name(&id, &list.item(index), TenantId::parse, draft))
                .collect()
        });
        let audience = Audience { tenants, labels: Selector(labels(raw.labels, &here.key("labels"), draft)) };
        let digest = here.key("digest");
        let raw = draft.take(raw.digest, &digest).unwrap_or_default();
        digest.only(super::raw::RawDigest::KEYS, draft);
        let over = draft.parse(raw.over, &digest.key("over"), whole).unwrap_or(DIGEST_OVER);
        if let Some(channel) = channel {
            receivers.insert(channel, Receiver { audience, digest_over: Some(over), ..Receiver::default() });
        }
    }
    receivers
}

fn all_open(names: &Names) -> BTreeMap<ChannelName, Receiver> {
    let open = Receiver { digest_over: Some(DIGEST_OVER), ..Receiver::default() };
    names.values().flatten().map(|name| (name.clone(), open.clone())).collect()
}

/// Treats every channel that rule files name as known. Problems of the files are reported when their rules are read.
fn name_channels(raw: Field<Vec<Field<Word>>>, at: &Scope<'_>, names: &mut Names) {
    let mut unheard = Draft::default();
    for (index, Word(pattern)) in unheard.items(raw, at) {
        for path in files::find(&pattern, &at.item(index), &mut unheard) {
            let Some(source) = files::read(&path, &mut unheard) else { continue };
            let Ok(raw) = RawRules::deserialize(&source.value) else { continue };
            let top = source.scope();
            for (_, rule) in unheard.items(raw.rules, &top) {
                named(rule.notify, names);
                match unheard.take(rule.escalate, &top) {
                    Some(OneOrMany::One(step)) => named(step.notify, names),
                    Some(OneOrMany::Many(steps)) => {
                        let steps = unheard.items(Field::Good(steps), &top);
                        for (_, step) in steps {
                            named(step.notify, names);
                        }
                    }
                    None => {}
                }
            }
        }
    }
}

/// Takes the channels of one list for known.
fn named(notify: Field<Vec<Field<Word>>>, names: &mut Names) {
    let Field::Good(list) = notify else { return };
    for field in list {
        let Field::Good(Word(text)) = field else { continue };
        let name = ChannelName::parse(&text).ok();
        // Text that is not a name stays unknown, and is reported as such.
        if name.is_some() {
            names.insert(text, name);
        }
    }
}

fn instant(text: &str) -> Result<Timestamp, Complaint> {
    Timestamp::parse(text).ok_or_else(|| {
        Complaint::new(format!("`{text}` is not a time"), "write the date, `T`, the time and `Z`, as RFC 3339 does")
    })
}

fn interval(text: &str) -> Result<Duration, Complaint> {
    match parse_duration(text)? {
        interval if interval < Duration::from_secs(1) => {
            Err(Complaint::new("checks are a second apart or more", "write `15m`"))
        }
        interval => Ok(interval),
    }
}

#[cfg(test)]
mod tests;
