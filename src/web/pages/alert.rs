//! `GET /alerts/{id}`, by the alert's id, the short id of one of its messages, or the first letters of either: why it fires or does not,
//! what was sent of it, and what can be done about it. Messages link here.

use std::time::Duration;

use axum::extract::{Path, Query};
use serde_json::{Value, json};

use super::{
    alert_table,
    alerts::done,
    answer::{Answer, Visit, go},
    chart,
    chrome::Place,
    params::Params,
    reasons,
    search::of_shift,
    tenant,
    words::{self, Clockface},
};
use crate::{
    check::blind::OPERATOR_BLIND,
    domain::{Role, Scope, Timestamp},
    notify::{Notification, NotificationType},
    query::{
        self, alerts,
        alerts::{AlertLine, Which},
        explain::{self, Message, SeriesTrace},
        find,
        ids::{self, Named},
        samples,
    },
    rule::{AlertState, Guide, Rule},
    store::AlertRow,
    template::summary,
};

/// What is drawn at least.
const SPAN_MIN: Duration = Duration::from_hours(3 * 24);
/// What is drawn at most.
const SPAN_MAX: Duration = Duration::from_hours(90 * 24);
/// How long a silence lasts that is made here.
pub(super) const LENGTHS: [(&str, &str); 6] =
    [("1h", "1 hour"), ("4h", "4 hours"), ("8h", "8 hours"), ("24h", "1 day"), ("7d", "7 days"), ("30d", "30 days")];

/// `GET /alerts/{id}`.
pub(super) async fn page(visit: Visit, Path(id): Path<String>, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
    let shown = async {
        let which = match ids::named(visit.store(), visit.scope(), &id).await? {
            Named::Alert(which) => which,
            Named::Shift(shift) => return Ok(Shown::Shift(shift)),
        };
        let row = alerts::show(visit.store(), visit.scope(), &which).await?;
        let (config, face) = (visit.app.config(), visit.face());
        let lines = alerts::lines(visit.store(), &config, visit.scope(), vec![row.clone()]).await?;
        let line = lines.first().ok_or_else(|| query::Error::NoAlert("there is no such alert".to_owned()))?;
        let mut page = view(&visit, line);
        page["done"] = json!(done(&params));
        page["chart"] = drawn(&visit, &face, &row).await?;
        page["trace"] = trace(&visit, &face, &which, &row).await?;
        // A reminder does not repeat why the score fell. A tenant that is gone has no trace, and none must be made up.
        if page["trace"].is_object() && page["causes"].as_array().is_none_or(Vec::is_empty) {
            let causes = page["trace"]["causes"].take();
            page["causes"] = if causes.is_array() { causes } else { json!([]) };
        }
        Ok::<_, query::Error>(Shown::Alert(format!("{} · {}", line.short_id, which.rule), page))
    };
    match shown.await {
        Ok(Shown::Shift(shift)) => Ok(go(&of_shift(&shift))),
        Ok(Shown::Alert(title, page)) => visit.show(Place::Alerts, &title, "alert", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// What is shown of an id.
enum Shown {
    /// The title of an alert's page, and the page.
    Alert(String, Value),
    /// What belongs to a fleet shift.
    Shift(String),
}

fn view(visit: &Visit, line: &AlertLine) -> Value {
    let row = &line.row;
    let now = row.last_notification.as_ref().map(|last| present(last, line));
    let said = now.as_ref().map(|now| summary(now, &visit.face().locale()));
    // A message has no words for a score that is back where it was while its alert waits to be over.
    let is_back = row.alert.is_firing() && line.loss.is_some_and(|loss| loss <= 0.0);
    let has_level = row.alert.firing().is_some_and(|firing| firing.terms.when.change().is_some());
    let may_act = visit.caller.may(Role::Analyst);
    let is_firing = row.alert.is_firing();
    let links = said.iter().flat_map(|said| &said.links).filter(|link| link.url.starts_with("https://"));
    json!({
        "alert": alert_table::rows(visit, std::slice::from_ref(line))[0],
        "headline": said.as_ref().map(|said| said.headline.clone()).filter(|headline| !headline.is_empty() && !is_back),
        "note": said.as_ref().and_then(|said| said.note.clone()),
        "causes": said.as_ref().map(|said| said.causes.clone()).unwrap_or_default(),
        "facts": said.as_ref().map(|said| {
            said.facts.iter().map(|fact| json!({ "name": fact.name, "value": fact.value })).collect::<Vec<_>>()
        }).unwrap_or_default(),
        "links": links.map(|link| json!({ "title": link.title, "url": link.url })).collect::<Vec<_>>(),
        "notified": row.notified_channels,
        "may_act": may_act,
        "may_acknowledge": may_act && is_firing && row.acknowledged.is_none(),
        "may_take_back": may_act && is_firing && row.acknowledged.is_some(),
        "may_silence": may_act && row.alert.state != AlertState::Inactive && row.key.rule.as_str() != OPERATOR_BLIND,
        "may_accept": may_act && has_level,
        "may_not_act": is_firing && !may_act,
        "lengths": LENGTHS.map(|(value, text)| json!({ "value": value, "text": text, "is_default": value == "4h" })),
    })
}

/// The newest message about an alert that fires, as if it were written now: with the score as it is, and what is lost of it now. Of an
/// alert that is over, the message says how it ended.
fn present(last: &Notification, line: &AlertLine) -> Notification {
    let mut now = last.clone();
    let Some(value) = line.value.filter(|_| line.row.alert.is_firing() && last.data.operator.is_none()) else {
        return now;
    };
    let Some(score) = now.data.score.as_mut().filter(|score| !score.all) else { return now };
    let has_moved = score.value != Some(value);
    (score.value, score.loss, score.loss_percent) = (Some(value), line.loss, line.loss_percent);
    if has_moved {
        // These are of the reading that the message was about.
        (score.observed_at, score.points, score.previous) = (None, None, None);
        now.data.breakdown = None;
    }
    if matches!(
        last.kind,
        NotificationType::AlertReminder | NotificationType::AlertWorsened | NotificationType::AlertEscalated
    ) {
        now.kind = NotificationType::AlertFiring;
    }
    now
}

/// Draws the series from some time before the alert began.
async fn drawn(visit: &Visit, face: &Clockface, row: &AlertRow) -> Result<Value, query::Error> {
    let Some(score) = row.key.score else { return Ok(Value::Null) };
    let now = visit.app.now();
    let since = began(row).map_or(Duration::ZERO, |since| now.since(since));
    let span = (since + since / 2).clamp(SPAN_MIN, SPAN_MAX);
    let question = samples::Question {
        tenant: row.key.tenant.to_string(),
        score: Some(score),
        subject: row.key.subject.as_ref().map(ToString::to_string),
        from: now.minus(span),
        until: now,
        points: tenant::POINTS,
    };
    let config = visit.app.config();
    // The tenant may have left the configuration.
    if find::tenant(&config, visit.scope(), row.key.tenant.as_str()).is_err() {
        return Ok(Value::Null);
    }
    let windows = samples::samples(visit.store(), &config, visit.scope(), &question, now).await?;
    let window = windows.iter().find(|window| window.subject == row.key.subject && !window.points.is_empty());
    Ok(window.map_or(Value::Null, |window| chart::view(window, face, visit.scope())))
}

fn began(row: &AlertRow) -> Option<Timestamp> {
    match &row.alert.state {
        AlertState::Firing(firing) => Some(firing.since),
        AlertState::Pending(pending) => Some(pending.since),
        AlertState::Inactive => Some(row.last_notification.as_ref()?.data.alert.as_ref()?.started_at),
    }
}

/// All of `explain`; null where the tenant or the rule has left the configuration.
async fn trace(visit: &Visit, face: &Clockface, which: &Which, row: &AlertRow) -> Result<Value, query::Error> {
    let (config, now) = (visit.app.config(), visit.app.now());
    if find::tenant(&config, visit.scope(), &which.tenant).is_err() {
        return Ok(Value::Null);
    }
    if which.rule == OPERATOR_BLIND {
        let blind = explain::blindness(visit.store(), &config, visit.scope(), &which.tenant, now).await?;
        return Ok(json!({
            "rule": null,
            "verdict": null,
            "sentences": [],
            "decisions": decisions(&blind.decisions),
            "notified": blind.notified,
            "nobody": nobody(visit.scope()),
            "readings": [],
            "causes": [],
            "messages": blind.messages.iter().map(|message| of_message(face, message)).collect::<Vec<_>>(),
        }));
    }
    let Ok(rule) = find::rule(&config, visit.scope(), &which.rule) else { return Ok(Value::Null) };
    let question =
        explain::Question { tenant: which.tenant.clone(), rule: which.rule.clone(), subject: which.subject.clone() };
    let explained = explain::explain(visit.store(), &config, visit.scope(), &question, now).await?;
    let is_it = |series: &&SeriesTrace| series.score == row.key.score && series.subject == row.key.subject;
    let series = explained.series.iter().find(is_it);
    Ok(json!({
        "rule": of_rule(visit.scope(), rule),
        "verdict": series.map(reasons::verdict),
        "sentences": series.map(|series| reasons::sentences(series, rule, face)).unwrap_or_default(),
        "decisions": decisions(&explained.decisions),
        "notified": explained.notified,
        "nobody": nobody(visit.scope()),
        "readings": series.map(|series| readings(series, face)).unwrap_or_default(),
        "causes": series.map(|series| causes(series, face)).unwrap_or_default(),
        "messages": series.map(|series| {
            series.messages.iter().map(|message| of_message(face, message)).collect::<Vec<_>>()
        }).unwrap_or_default(),
    }))
}

/// What is said if no channel is named.
const fn nobody(scope: &Scope) -> &'static str {
    if scope.is_all() { "nobody" } else { "no channel of yours" }
}

fn of_rule(scope: &Scope, rule: &Rule) -> Value {
    let guide = if scope.sees_about() { rule.guide.clone() } else { Guide::default() };
    let runbook = guide.runbook.as_deref();
    json!({
        "name": rule.name,
        "definition": reasons::definition(rule),
        "about": guide.about,
        "runbook": runbook,
        "is_link": runbook.is_some_and(|runbook| runbook.starts_with("https://")),
    })
}

fn decisions(decisions: &[explain::Decision]) -> Vec<Value> {
    let shown = |decision: &explain::Decision| json!({ "says": decision.says, "word": if decision.blocks { "holds it back" } else { "note" }, "class": if decision.blocks { "blocks" } else { "" } });
    decisions.iter().map(shown).collect()
}

/// The newest readings, newest first.
fn readings(series: &SeriesTrace, face: &Clockface) -> Vec<Value> {
    let Some(kind) = series.score else { return Vec::new() };
    let reading = |(index, sample): (usize, &crate::domain::Sample)| {
        let before = index.checked_sub(1).map(|before| sample.value - series.readings[before].value);
        json!({
            "at": face.moment(sample.at),
            "value": words::value(kind, sample.value),
            "change": words::change(kind, before),
        })
    };
    series.readings.iter().enumerate().rev().map(reading).collect()
}

/// What regressed, as the newest message says that does.
fn causes(series: &SeriesTrace, face: &Clockface) -> Vec<String> {
    let said = series.messages.iter().find(|message| !message.notification.data.causes.is_empty());
    said.map(|message| summary(&message.notification, &face.locale()).causes).unwrap_or_default()
}

fn of_message(face: &Clockface, message: &Message) -> Value {
    let Message { delivery, channel, state, merged_into, attempts, notification, .. } = message;
    json!({
        "delivery": delivery,
        "short_id": notification.data.notification.short_id,
        "type": notification.kind.as_str(),
        "at": face.moment(notification.timestamp),
        "channel": channel,
        "state": state,
        "merged_into": merged_into,
        "error": attempts.iter().rev().find_map(|attempt| attempt.error.clone()),
    })
}
