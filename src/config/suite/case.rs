//! One test: written → meant.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Case, held, instant, interval, named,
    notation::{self, Calendar, Check},
};
use crate::{
    config::{
        draft::Draft,
        field::{Field, Word},
        maintenance::maintenance,
        raw::{RawCase, RawCaseTenant, RawExpected, RawSeries},
        scope::Scope,
        spelling::nearest,
        words::{Names, labels, name, notify, one_of, score, visible},
    },
    domain::{Complaint, ScoreKind, Severity, Subject, TenantId, Timestamp},
    notify::NotificationType,
    replay::{History, Look, Plan, ScoreHistory, SeriesHistory, expect::Expected, history},
    schedule::Zone,
};

/// What a test can expect to be sent.
const KINDS: [NotificationType; 8] = [
    NotificationType::AlertFiring,
    NotificationType::AlertWorsened,
    NotificationType::AlertReminder,
    NotificationType::AlertEscalated,
    NotificationType::AlertUnstable,
    NotificationType::AlertResolved,
    NotificationType::Digest,
    NotificationType::FleetShift,
];

/// Most tenants of one test.
const TENANTS_MAX: usize = 1000;

/// What the tests of a file share.
pub(super) struct Setting<'a> {
    pub(super) plan: &'a Plan,
    pub(super) channels: &'a Names,
    pub(super) zone: Zone,
    pub(super) start: Timestamp,
    pub(super) every: Duration,
}

/// A series as read: the checks, and when the next would be.
struct Strip {
    score: ScoreKind,
    subject: Option<Subject>,
    history: Vec<f64>,
    checks: Vec<Check>,
    end: Timestamp,
}

/// Takes the channels that tenants of these tests name for known.
pub(super) fn name_channels(tests: &Field<Vec<Field<RawCase>>>, names: &mut Names) {
    let Field::Good(tests) = tests else { return };
    for field in tests {
        let Field::Good(RawCase { tenants: Field::Good(tenants), .. }) = field else { continue };
        for tenant in tenants {
            if let Field::Good(tenant) = tenant {
                named(tenant.notify.clone(), names);
            }
        }
    }
}

impl Setting<'_> {
    pub(super) fn case(&self, raw: RawCase, at: &Scope<'_>, draft: &mut Draft) -> Option<Case> {
        at.only(RawCase::KEYS, draft);
        let name = draft.require(raw.name, &at.key("name"), "a fall is reported once").map(|Word(name)| name);
        let start = draft.parse(raw.start, &at.key("start"), instant).unwrap_or(self.start);
        let every = draft.parse(raw.every, &at.key("every"), interval).unwrap_or(self.every);
        let calendar = Calendar { start, every, zone: &self.zone };
        let list = at.key("tenants");
        let written = raw.tenants.count();
        let tenants = draft.items(raw.tenants, &list);
        if tenants.is_empty() {
            draft.error(&list, "a test needs a tenant", "write `tenants: [{ id: contoso, series: \"400 340\" }]`");
        } else if tenants.len() > TENANTS_MAX {
            draft.error(&list, format!("a test has at most {TENANTS_MAX} tenants"), "write fewer");
            return None;
        }
        let tenants = tenants.into_iter().map(|(index, raw)| self.tenant(raw, calendar, &list.item(index), draft));
        let (mut histories, ends): (Vec<History>, Vec<Timestamp>) =
            tenants.collect::<Vec<_>>().into_iter().flatten().unzip();
        check_unique(&histories, &list, draft);
        let (expected, quiet) = self.expectations(raw.expect, calendar, &histories, &at.key("expect"), draft);
        let until = draft.parse(raw.until, &at.key("until"), |text| notation::time(text, calendar));
        let times = expected.iter().map(|expected| expected.at).chain(quiet.iter().map(|(_, until)| *until));
        let until = times.chain(until).chain(ends).max().unwrap_or(start);
        for history in &mut histories {
            history.until = until;
        }
        let strict = draft.take(raw.strict, &at.key("strict")).unwrap_or(true);
        let all_read = written == Some(histories.len());
        let known = held::known(self.plan, histories.iter(), all_read);
        let silences = held::silences(raw.silences, &at.key("silences"), calendar, &known, draft);
        let maintenance = maintenance(raw.maintenance, &at.key("maintenance"), &known, &self.zone, draft);
        let (name, place) = (name.filter(|_| all_read)?, at.place());
        Some(Case { name, place, start, histories, silences, maintenance, expected, quiet, strict })
    }

    /// A tenant, and when its last check is over.
    fn tenant(
        &self,
        raw: RawCaseTenant,
        calendar: Calendar<'_>,
        at: &Scope<'_>,
        draft: &mut Draft,
    ) -> Option<(History, Timestamp)> {
        at.only(RawCaseTenant::KEYS, draft);
        let id = draft.require(raw.id, &at.key("id"), "contoso");
        let id = id.and_then(|Word(text)| name(&text, &at.key("id"), TenantId::parse, draft));
        let display = draft.parse(raw.name, &at.key("name"), visible);
        let labels = labels(raw.labels, &at.key("labels"), draft);
        let notify = notify(raw.notify, &at.key("notify"), self.channels, draft);
        let mut strips = Vec::new();
        if raw.series.is_written() || !raw.scores.is_written() {
            let one = RawSeries { score: raw.score, subject: Field::Absent, series: raw.series, history: raw.history };
            strips.extend(strip(one, true, calendar, at, draft));
        }
        let list = at.key("scores");
        for (index, raw) in draft.items(raw.scores, &list) {
            let here = list.item(index);
            here.only(RawSeries::KEYS, draft);
            strips.extend(strip(raw, false, calendar, &here, draft));
        }
        let end = strips.iter().map(|strip| strip.end).max()?;
        let id = id?;
        let history = History {
            name: display.unwrap_or_else(|| id.to_string()).into(),
            tenant: id,
            labels: labels.into(),
            notify,
            poll_interval: calendar.every,
            scores: scores(strips, calendar),
            downtimes: Vec::new(),
            until: end,
        };
        Some((history, end))
    }

    fn expectations(
        &self,
        raw: Field<Vec<Field<RawExpected>>>,
        calendar: Calendar<'_>,
        histories: &[History],
        list: &Scope<'_>,
        draft: &mut Draft,
    ) -> (Vec<Expected>, Vec<(Timestamp, Timestamp)>) {
        if !raw.is_written() {
            draft.error(list, "`expect` is missing", "write what is to be sent, or `expect: []` for nothing");
        }
        let (mut expected, mut quiet) = (Vec::new(), Vec::new());
        let mut after = calendar.start;
        for (index, raw) in draft.items(raw, list) {
            let here = list.item(index);
            here.only(RawExpected::KEYS, draft);
            let time = |text: &str| notation::time(text, calendar);
            if raw.quiet_until.is_written() {
                if raw.at.is_written() {
                    draft.error(
                        &here,
                        "`at` and `quiet_until` stand together",
                        "write one of them, each in an item of its own",
                    );
                }
                if let Some(until) = draft.parse(raw.quiet_until, &here.key("quiet_until"), time) {
                    quiet.push((after, until));
                    after = until;
                }
                continue;
            }
            let at = draft.require(raw.at.clone(), &here.key("at"), "2h15m");
            let at = at.and_then(|word| draft.parse(Field::Good(word), &here.key("at"), time));
            let wanted = self.expected(raw, at.unwrap_or(after), histories, &here, draft);
            after = wanted.at;
            expected.push(wanted);
        }
        (expected, quiet)
    }

    fn expected(
        &self,
        raw: RawExpected,
        at: Timestamp,
        histories: &[History],
        here: &Scope<'_>,
        draft: &mut Draft,
    ) -> Expected {
        let mut known = |field: Field<Word>, key: &str, words: Vec<&str>| {
            let Word(text) = draft.take(field, &here.key(key))?;
            if !words.contains(&text.as_str()) {
                let instead =
                    nearest(&text, words.iter().copied()).map(|suggested| format!("did you mean `{suggested}`?"));
                let instead = instead.unwrap_or_else(|| "write one that this file defines or names".to_owned());
                draft.error(&here.key(key), format!("there is no {key} `{text}`"), instead);
            }
            Some(text)
        };
        let tenant = known(raw.tenant, "tenant", histories.iter().map(|history| history.tenant.as_str()).collect());
        let rule = known(raw.rule, "rule", self.plan.rules.iter().map(|rule| rule.name.as_str()).collect());
        let channel = known(raw.channel, "channel", self.channels.keys().map(String::as_str).collect());
        Expected {
            at,
            tenant,
            kind: one_of(raw.r#type, &here.key("type"), &KINDS.map(|kind| (kind.as_str(), kind)), draft),
            rule,
            subject: draft.take(raw.subject, &here.key("subject")).map(|Word(text)| text),
            severity: one_of(raw.severity, &here.key("severity"), &Severity::ALL.map(|one| (one.as_str(), one)), draft),
            channel: channel.and_then(|channel| self.channels.get(&channel).cloned().flatten()),
            text: draft.take(raw.text, &here.key("text")).map(|Word(text)| text),
        }
    }
}

fn check_unique(histories: &[History], at: &Scope<'_>, draft: &mut Draft) {
    let mut seen = BTreeSet::new();
    for history in histories.iter().filter(|history| !seen.insert(&history.tenant)) {
        draft.error(at, format!("tenant `{}` is here twice", history.tenant), "give each an `id` of its own");
    }
}

/// One series, of the tenant itself or of its list.
fn strip(raw: RawSeries, is_short: bool, calendar: Calendar<'_>, at: &Scope<'_>, draft: &mut Draft) -> Option<Strip> {
    let kind = match (draft.take(raw.score, &at.key("score")), is_short) {
        (Some(Word(text)), _) => score(&text, &at.key("score"), draft)?,
        (None, true) => ScoreKind::DeviceSecureScore,
        (None, false) => {
            draft.error(&at.key("score"), "`score` is missing", "write `score: device-secure-score`");
            return None;
        }
    };
    let subject = draft.take(raw.subject, &at.key("subject")).map(|Word(text)| Subject(text.into()));
    if subject.is_some() != kind.has_subjects() {
        let (what, instead) = if kind.has_subjects() {
            ("has several values at once", "write it under `scores:`, with a `subject:`")
        } else {
            ("has one value only", "delete `subject`")
        };
        draft.error(at, format!("`{kind}` {what}"), instead);
        return None;
    }
    // A record is a day's; a check that comes more often sees it again.
    let calendar = Calendar { every: calendar.every.max(kind.record_interval()), ..calendar };
    let series = draft.require(raw.series, &at.key("series"), "\"400x8 340\"");
    let series = series
        .and_then(|word| draft.parse(Field::Good(word), &at.key("series"), |text| notation::read(text, calendar)));
    let history = draft.parse(raw.history, &at.key("history"), |text| {
        if kind.record_interval().is_zero() {
            return Err(Complaint::new(format!("the source of `{kind}` keeps no history"), "delete `history`"));
        }
        let (checks, _) = notation::read(text, calendar)?;
        let values: Option<Vec<f64>> = checks.iter().map(|(_, value)| *value).collect();
        values.ok_or_else(|| Complaint::new("history has no failed checks", "write values only"))
    });
    let (checks, end) = series?;
    Some(Strip { score: kind, subject, history: history.unwrap_or_default(), checks, end })
}

/// Series by score, with the checks that gave none of them a new reading.
fn scores(strips: Vec<Strip>, calendar: Calendar<'_>) -> Vec<ScoreHistory> {
    let mut scores: Vec<ScoreHistory> = Vec::new();
    for strip in strips {
        let every = calendar.every.max(strip.score.record_interval());
        let Strip { score, subject, history, checks, .. } = strip;
        let place = scores.iter().position(|known| known.score == score).unwrap_or_else(|| {
            scores.push(ScoreHistory { score, series: Vec::new(), looks: Vec::new() });
            scores.len() - 1
        });
        let first = checks.iter().find_map(|(at, value)| value.map(|_| *at)).unwrap_or(calendar.start);
        let days = (1_u32..).zip(history.iter().rev());
        let mut samples: Vec<_> = days
            .map(|(day, &value)| crate::domain::Sample { at: first.minus(every.saturating_mul(day)), value })
            .collect();
        samples.reverse();
        let imported = samples.len();
        for &(at, value) in &checks {
            let looks = &mut scores[place].looks;
            if let Some(value) = value {
                samples.push(crate::domain::Sample { at, value });
                looks.extend(history::seen_again(score, calendar.every, at, at.plus(every)));
            } else {
                let failed = std::iter::successors(Some(at), |look| Some(look.plus(calendar.every)));
                let failed = failed.take_while(|look| *look < at.plus(every));
                looks.extend(failed.map(|at| Look { at, is_good: false }));
            }
        }
        scores[place].series.push(SeriesHistory {
            subject,
            samples,
            read_at: Vec::new(),
            imported,
            averages: Vec::new(),
        });
    }
    for score in &mut scores {
        // An answer for one subject is an answer; what is new in one series is not a check without a reading in another.
        let read: BTreeSet<Timestamp> =
            score.series.iter().flat_map(|series| &series.samples).map(|sample| sample.at).collect();
        score.looks.sort_by_key(|look| (look.at, !look.is_good));
        score.looks.dedup_by_key(|look| look.at);
        score.looks.retain(|look| !read.contains(&look.at));
    }
    scores
}
