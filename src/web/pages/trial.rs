//! What a backtest found, as written and as tried, side by side.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    answer::Visit,
    chart::{self, Row},
    tenant::POINTS,
    words::{self, Clockface},
};
use crate::{
    config::Config,
    domain::{Severity, TenantId},
    notify::NotificationType,
    query::{
        self,
        backtest::{Line, Moment, Report, Tried},
        samples::{self, AlertSpan, Level, LevelKind, SeriesWindow},
    },
    rule::{Condition, Recover, Rule},
    web::replay::Replayed,
};

/// The most tenants of the comparison.
const TENANTS_MAX: usize = 20;

/// What the template `rule` shows of it.
pub(super) async fn view(
    visit: &Visit,
    rule: &Rule,
    tried: &Tried,
    replayed: &Replayed,
) -> Result<Value, query::Error> {
    let (face, config) = (visit.face(), visit.app.config());
    let Some(written) = &replayed.written else { return Ok(Value::Null) };
    let as_tried = replayed.tried.as_ref();
    let changed = tried.apply(rule)?;
    let noisiest = as_tried.into_iter().chain([written]).find_map(|report| report.tenants.first());
    let drawn = match noisiest {
        Some(line) => {
            drawings(
                visit,
                RuleReport { rule, report: written },
                as_tried.map(|report| RuleReport { rule: &changed, report }),
                &line.of,
            )
            .await?
        }
        None => Value::Null,
    };
    Ok(json!({
        "as_written": super::reasons::definition(rule),
        "as_tried": as_tried.map(|_| super::reasons::definition(&changed)),
        "yaml": as_tried.map(|_| yaml(&changed, rule)),
        "from": face.full(written.since),
        "until": face.full(written.until),
        "readings": words::counted(written.readings, "reading"),
        "is_all": visit.scope().is_all(),
        "partly": (written.tenants_replayed < written.tenants_asked).then(|| {
            format!("{} of {}", written.tenants_replayed, words::counted(written.tenants_asked, "tenant"))
        }),
        "counts": counts(written, as_tried),
        "channels": channels(written, as_tried),
        "tenants": tenants(&config, written, as_tried),
        "bars": over_time(written, as_tried, &face),
        "drawn": drawn,
    }))
}

/// What to write in the rule's file to keep what was tried.
fn yaml(changed: &Rule, written: &Rule) -> String {
    let from = |change: &crate::rule::Change| match change.to_string().split_once(" from ") {
        Some((_, from)) => format!(", from: {from}"),
        None => String::new(),
    };
    let length = crate::domain::format_duration;
    let when = match &changed.when {
        Condition::Below(bound) => format!("below: {bound}"),
        Condition::Above(bound) => format!("above: {bound}"),
        Condition::Drop(change) => format!("drop: {}, within: {}{}", change.size, length(change.within), from(change)),
        Condition::Rise(change) => format!("rise: {}, within: {}{}", change.size, length(change.within), from(change)),
        Condition::NoData(silence) => format!("no_data: {}", length(*silence)),
    };
    let mut lines = vec![format!("when: {{ {when} }}")];
    if changed.hold != written.hold {
        lines.push(format!("for: {}", length(changed.hold)));
    }
    if let Some(recover) = changed.recover.filter(|_| changed.recover != written.recover) {
        let recover = match recover {
            Recover::Above(mark) => format!("above: {mark}"),
            Recover::Below(mark) => format!("below: {mark}"),
            Recover::Regained(percent) => format!("regained: {percent}%"),
        };
        lines.push(format!("recover: {{ {recover} }}"));
    }
    lines.join("\n")
}

/// A count of a rule's line.
type Count = fn(&Line<String>) -> usize;

fn counts(written: &Report, tried: Option<&Report>) -> Vec<Value> {
    let sum = |report: &Report, of: Count| report.rules.iter().map(of).sum::<usize>();
    let rows: [(&str, Count); 7] = [
        ("Alerts fired", |line| line.firing),
        ("Got worse", |line| line.worsened),
        ("Reminders", |line| line.reminder),
        ("Escalated", |line| line.escalated),
        ("Unstable", |line| line.unstable),
        ("Resolved", |line| line.resolved),
        ("Notifications in all", |line| line.all),
    ];
    let row = |(name, of): (&str, Count)| {
        let (written, tried) = (sum(written, of), tried.map(|tried| sum(tried, of)));
        let is_shown = written > 0 || tried.is_some_and(|tried| tried > 0) || name == "Alerts fired";
        is_shown.then(|| json!({ "name": name, "written": written, "tried": tried }))
    };
    rows.into_iter().filter_map(row).collect()
}

fn channels(written: &Report, tried: Option<&Report>) -> Vec<Value> {
    let messages = |report: &Report| -> BTreeMap<String, usize> {
        report.channels.iter().map(|line| (line.channel.to_string(), line.messages)).collect()
    };
    let (written, tried) = (messages(written), tried.map(messages));
    let names: BTreeSet<&String> = written.keys().chain(tried.iter().flat_map(BTreeMap::keys)).collect();
    let of = |all: &BTreeMap<String, usize>, name: &String| all.get(name).copied().unwrap_or(0);
    let row = |name: &String| json!({ "name": name, "written": of(&written, name), "tried": tried.as_ref().map(|tried| of(tried, name)) });
    names.into_iter().map(row).collect()
}

fn tenants(config: &Config, written: &Report, tried: Option<&Report>) -> Value {
    let all = |report: &Report| -> BTreeMap<TenantId, usize> {
        report.tenants.iter().map(|line| (line.of.clone(), line.all)).collect()
    };
    let (written, tried) = (all(written), tried.map(all));
    let of = |all: &BTreeMap<TenantId, usize>, id: &TenantId| all.get(id).copied().unwrap_or(0);
    let ids: BTreeSet<&TenantId> = written.keys().chain(tried.iter().flat_map(BTreeMap::keys)).collect();
    let mut rows: Vec<(usize, Option<usize>, &TenantId)> =
        ids.into_iter().map(|id| (of(&written, id), tried.as_ref().map(|tried| of(tried, id)), id)).collect();
    rows.sort_by_key(|(written, tried, id)| (std::cmp::Reverse((*written).max(tried.unwrap_or(0))), *id));
    let count = rows.len();
    let row = |(written, tried, id): &(usize, Option<usize>, &TenantId)| {
        let name = config.tenants.get(*id).map_or_else(|| id.to_string(), |tenant| tenant.name.to_string());
        json!({ "id": id, "name": name, "written": written, "tried": tried })
    };
    json!({
        "rows": rows.iter().take(TENANTS_MAX).map(row).collect::<Vec<_>>(),
        "more": count.checked_sub(TENANTS_MAX).filter(|more| *more > 0),
    })
}

fn over_time(written: &Report, tried: Option<&Report>, face: &Clockface) -> Value {
    let sum = |report: &Report| words::counted(report.over_time.iter().sum(), "notification");
    let said = match tried {
        Some(tried) => format!("Notifications over time: {} as written, {} as tried", sum(written), sum(tried)),
        None => format!("Notifications over time: {}", sum(written)),
    };
    let mut rows = vec![Row { class: "written", counts: &written.over_time }];
    rows.extend(tried.map(|tried| Row { class: "tried", counts: &tried.over_time }));
    chart::bars(&rows, written.since, written.until, &said, face)
}

/// A rule, and what it would have sent.
#[derive(Clone, Copy)]
struct RuleReport<'a> {
    rule: &'a Rule,
    report: &'a Report,
}

/// The score of one tenant with what would have fired, as written and as tried.
async fn drawings(
    visit: &Visit,
    written: RuleReport<'_>,
    tried: Option<RuleReport<'_>>,
    tenant: &TenantId,
) -> Result<Value, query::Error> {
    let (config, face) = (visit.app.config(), visit.face());
    let RuleReport { rule, report } = written;
    let question = samples::Question {
        tenant: tenant.to_string(),
        score: rule.score,
        subject: None,
        from: report.since,
        until: report.until,
        points: POINTS,
    };
    let windows = samples::samples(visit.store(), &config, visit.scope(), &question, face.now).await?;
    let is_about = |window: &SeriesWindow, moment: &Moment| {
        moment.tenant == *tenant
            && (moment.score.is_none() || moment.score == Some(window.score) && moment.subject == window.subject)
    };
    let moments = || tried.map(|tried| tried.report).into_iter().chain([report]).flat_map(|report| &report.moments);
    let Some(window) = windows.iter().max_by_key(|window| moments().filter(|moment| is_about(window, moment)).count())
    else {
        return Ok(Value::Null);
    };
    let draw = |RuleReport { rule, report }: RuleReport<'_>| {
        let alerts = spans(rule.severity, report.moments.iter().filter(|moment| is_about(window, moment)));
        let levels = level(rule).into_iter().collect();
        chart::view(&SeriesWindow { levels, alerts, ..window.clone() }, &face, visit.scope())
    };
    let name = config.tenants.get(tenant).map_or_else(|| tenant.to_string(), |tenant| tenant.name.to_string());
    Ok(json!({ "tenant": tenant, "name": name, "written": draw(written), "tried": tried.map(draw) }))
}

/// The threshold, if it is a value of the score.
fn level(rule: &Rule) -> Option<Level> {
    let (kind, value) = match rule.when {
        Condition::Below(value) => (LevelKind::Below, value),
        Condition::Above(value) => (LevelKind::Above, value),
        Condition::Drop(_) | Condition::Rise(_) | Condition::NoData(_) => return None,
    };
    Some(Level { rule: rule.name.to_string(), severity: rule.severity, kind, value })
}

/// From when until when alerts would have fired.
fn spans<'a>(severity: Severity, moments: impl Iterator<Item = &'a Moment>) -> Vec<AlertSpan> {
    let mut spans: Vec<AlertSpan> = Vec::new();
    for moment in moments {
        match moment.kind {
            NotificationType::AlertFiring => spans.push(AlertSpan {
                id: String::new(),
                short_id: String::new(),
                rule: moment.rule.clone(),
                severity,
                state: "firing",
                from: moment.at,
                until: None,
            }),
            NotificationType::AlertResolved => {
                if let Some(open) = spans.last_mut().filter(|span| span.until.is_none()) {
                    (open.state, open.until) = ("resolved", Some(moment.at));
                }
            }
            _ => {}
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use NotificationType::{AlertFiring, AlertReminder, AlertResolved};

    use super::*;
    use crate::{
        domain::{ScoreKind, Timestamp},
        rule::RuleName,
    };

    #[test]
    fn an_alert_lasts_from_when_it_fires_until_it_is_resolved() {
        let moment = |seconds, kind| Moment {
            at: Timestamp::from_seconds(seconds),
            tenant: TenantId::parse("contoso").unwrap(),
            rule: "drop".to_owned(),
            score: Some(ScoreKind::SecureScore),
            subject: None,
            kind,
        };
        let moments = [(0, AlertResolved), (1, AlertFiring), (2, AlertReminder), (3, AlertResolved), (4, AlertFiring)]
            .map(|(at, kind)| moment(at, kind));
        let spans = spans(Severity::Critical, moments.iter());
        let said: Vec<_> =
            spans.iter().map(|span| (span.from.as_seconds(), span.until.map(Timestamp::as_seconds))).collect();
        assert_eq!(said, [(1, Some(3)), (4, None)]);
    }

    #[test]
    fn what_was_tried_is_said_as_the_file_has_it() {
        for (condition, hold, said) in [
            ("drop 3% within 12h", 0, "when: { drop: 3%, within: 12h }"),
            ("rise 2pts within 7d from previous", 3_600, "when: { rise: 2pts, within: 7d, from: previous }\nfor: 1h"),
            ("below 280.5", 0, "when: { below: 280.5 }"),
            ("no data for 6h", 0, "when: { no_data: 6h }"),
        ] {
            let rule = |hold| Rule {
                hold: Duration::from_secs(hold),
                ..Rule::new(RuleName::parse("rule").unwrap(), Condition::from_words(condition).unwrap())
            };
            assert_eq!(yaml(&rule(hold), &rule(0)), said);
        }
    }
}
