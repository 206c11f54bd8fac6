//! What a template sees: the notification's JSON with every optional field present, and under `words` the same as prepared text.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::{
    link::safe_link,
    month, outage,
    phrases::is_link,
    reading, report, text,
    words::{self, Shown},
};
use crate::notify::{
    DeliveryId, Notification, NotificationType,
    digest::{self, LINES_MAX, Waiting},
    language::Locale,
    notification::{DigestItem, DigestRest},
};

/// How much of a message is shown. A payload that is above its receiver's limit is written again at the next, shorter level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    /// The most causes that are shown.
    pub(super) causes: usize,
    /// The most labels that are shown.
    pub(super) labels: usize,
    /// The most items of a digest.
    pub(super) items: usize,
    /// The most characters of any text from outside.
    pub(super) text_characters: usize,
}

/// First causes are left out, then labels, then texts are cut, then items are left out, the least grave first.
pub(super) const LEVELS: [Level; 16] = [
    level(5, 8, LINES_MAX, 300),
    level(2, 8, LINES_MAX, 300),
    level(0, 8, LINES_MAX, 300),
    level(0, 0, LINES_MAX, 300),
    level(0, 0, LINES_MAX, 80),
    level(0, 0, LINES_MAX, 24),
    level(0, 0, 45, 24),
    level(0, 0, 40, 24),
    level(0, 0, 35, 24),
    level(0, 0, 30, 24),
    level(0, 0, 25, 24),
    level(0, 0, 20, 24),
    level(0, 0, 15, 24),
    level(0, 0, 10, 24),
    level(0, 0, 6, 24),
    level(0, 0, 3, 24),
];
/// The most characters of any text from outside that are shown in a line of a digest.
const LINE_TEXT_CHARACTERS: usize = 60;

const fn level(causes: usize, labels: usize, items: usize, text_characters: usize) -> Level {
    Level { causes, labels, items, text_characters }
}

/// Writes the context; `None` if the notification can't be written as JSON, which no notification does.
pub(super) fn context(notification: &Notification, level: Level, locale: &Locale) -> Option<Value> {
    let shown = shortened(notification, level);
    let mut context = serde_json::to_value(&shown.notification).ok()?;
    let data = context.get_mut("data")?;
    complete(data);
    data.as_object_mut()?.entry("items").or_insert_with(|| json!([]));
    data.as_object_mut()?.entry("breakdown").or_insert(Value::Null);
    for cause in data.get_mut("causes").and_then(Value::as_array_mut).into_iter().flatten() {
        for key in ["category", "counts", "detail"] {
            cause.as_object_mut()?.entry(key).or_insert(Value::Null);
        }
    }
    data.get_mut("items")?.as_array_mut()?.iter_mut().for_each(complete);
    context.as_object_mut()?.insert("words".to_owned(), json!(words::words(&shown, locale)));
    Some(context)
}

/// Puts in what the JSON leaves out, so that a template may name every field.
fn complete(facts: &mut Value) {
    let Some(facts) = facts.as_object_mut() else { return };
    facts.entry("operator").or_insert(Value::Null);
    facts.entry("fleet").or_insert(Value::Null);
    facts.entry("digest").or_insert(Value::Null);
    facts.entry("report").or_insert(Value::Null);
    facts.entry("month").or_insert(Value::Null);
    facts.entry("explanation").or_insert(Value::Null);
    if let Some(score) = facts.get_mut("score").and_then(Value::as_object_mut) {
        for key in ["points", "comparison", "previous", "excluded"] {
            score.entry(key).or_insert(Value::Null);
        }
    }
    if let Some(links) = facts.get_mut("links").and_then(Value::as_object_mut) {
        for key in ["confirm", "fix"] {
            links.entry(key).or_insert(Value::Null);
        }
    }
    if let Some(alert) = facts.get_mut("alert").and_then(Value::as_object_mut) {
        for key in ["escalation", "resolution", "resolved_by"] {
            alert.entry(key).or_insert(Value::Null);
        }
    }
    if let Some(rule) = facts.get_mut("rule").and_then(Value::as_object_mut) {
        for key in ["about", "runbook"] {
            rule.entry(key).or_insert(Value::Null);
        }
    }
    if let Some(operator) = facts.get_mut("operator").and_then(Value::as_object_mut) {
        for key in ["headline", "detail", "channel", "from", "until"] {
            operator.entry(key).or_insert(Value::Null);
        }
    }
}

/// The notification with every text tamed and cut, and lists as long as the level allows.
pub(super) fn shortened(notification: &Notification, level: Level) -> Shown {
    // Then the first of them is the message itself.
    let says_one_reading = reading::as_one(notification).is_some();
    let mut notification = notification.clone();
    let mut items = std::mem::take(&mut notification.data.items);
    // What is over is the least grave, whatever it was; an outage explains what is below it.
    let is_over = |item: &DigestItem| item.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_some());
    items.sort_by_key(|item| (is_over(item), !outage::is_outage(item)));
    let left_out = items.len().saturating_sub(level.items);
    if notification.kind == NotificationType::Digest {
        count_left_out(&mut notification, &items, level.items);
    }
    items.truncate(level.items);
    let line_max = if says_one_reading { level.text_characters } else { LINE_TEXT_CHARACTERS };
    let of_lines = Level { text_characters: level.text_characters.min(line_max), ..level };
    notification = cut_texts(notification, level);
    let cut = |item: DigestItem| {
        let level = if outage::is_outage(&item) { level } else { of_lines };
        DigestItem::from(cut_texts(Notification::from(item), level))
    };
    notification.data.items = items.into_iter().map(cut).collect();
    Shown { notification, left_out, lines_max: level.items }
}

/// Counts the lines of a digest that this level leaves out with those that it left out before.
fn count_left_out(notification: &mut Notification, items: &[DigestItem], shown: usize) {
    let of_item = |item: &DigestItem| Waiting::of(DeliveryId(0), &Notification::from(item.clone()));
    let lines: Vec<Waiting> = items.iter().map(of_item).collect();
    let facts = notification.data.digest.get_or_insert_with(|| digest::facts_of(&lines));
    for one in digest::rest(lines.iter().skip(shown)) {
        let is_same = |more: &&mut DigestRest| {
            (more.severity, &more.rule, more.is_over) == (one.severity, &one.rule, one.is_over)
        };
        match facts.more.iter_mut().find(is_same) {
            Some(more) => more.count += one.count,
            None => facts.more.push(one),
        }
    }
    facts.more.sort_by_key(|more| (more.is_over, Reverse(more.severity), Reverse(more.count)));
}

fn cut_texts(mut shown: Notification, level: Level) -> Notification {
    let cut = |whole: &mut String| *whole = text::tame(whole, level.text_characters);
    let data = &mut shown.data;
    data.explanation.iter_mut().for_each(cut);
    data.causes.truncate(level.causes);
    for cause in &mut data.causes {
        cut(&mut cause.title);
        cause.category.iter_mut().chain(cause.detail.iter_mut()).for_each(cut);
        cause.link = cause.link.as_deref().and_then(safe_link);
    }
    if let Some(tenant) = &mut data.tenant {
        cut(&mut tenant.name);
        cut(&mut tenant.id);
        let labels = tenant.labels.iter().take(level.labels);
        tenant.labels = labels
            .map(|(key, value)| {
                let tamed = |whole: &str| text::tame(whole, level.text_characters).into();
                (tamed(key), tamed(value))
            })
            .collect();
    }
    if let Some(score) = &mut data.score {
        score.subject.iter_mut().for_each(cut);
        for excluded in score.excluded.iter_mut().flat_map(|excluded| &mut excluded.controls) {
            cut(&mut excluded.control);
            excluded.reason.iter_mut().for_each(cut);
        }
    }
    if let Some(rule) = &mut data.rule {
        cut(&mut rule.name);
        cut(&mut rule.condition);
        rule.about.iter_mut().for_each(cut);
        rule.runbook = rule.runbook.take().and_then(|text| if is_link(&text) { safe_link(&text) } else { Some(text) });
        rule.runbook.iter_mut().filter(|text| !is_link(text)).for_each(cut);
    }
    if let Some(alert) = &mut data.alert {
        alert.reason.iter_mut().chain(alert.resolved_by.iter_mut()).for_each(cut);
    }
    if let Some(digest) = &mut data.digest {
        let in_line = level.text_characters.min(LINE_TEXT_CHARACTERS);
        for rule in digest.more.iter_mut().filter_map(|more| more.rule.as_mut()) {
            *rule = text::tame(rule, in_line);
        }
    }
    if let Some(fleet) = &mut data.fleet {
        fleet.subject.iter_mut().for_each(cut);
        // Slugs are ours; the lines name the tenants.
        fleet.tenants.truncate(level.items);
        fleet.apart.truncate(level.items);
        fleet.notified_before.truncate(level.items);
        fleet.evidence.controls.iter_mut().for_each(|control| cut(&mut control.title));
    }
    if let Some(report) = &mut data.report {
        report::cut(report, level.items, level.text_characters.min(LINE_TEXT_CHARACTERS));
    }
    if let Some(facts) = &mut data.month {
        month::cut(facts, level.text_characters);
    }
    if let Some(operator) = &mut data.operator {
        cut(&mut operator.summary);
        cut(&mut operator.class);
        let texts = [&mut operator.headline, &mut operator.detail, &mut operator.hint, &mut operator.channel];
        texts.into_iter().flatten().for_each(cut);
    }
    data.links.confirm = data.links.confirm.as_deref().and_then(safe_link);
    data.links.dashboard = data.links.dashboard.as_deref().and_then(safe_link);
    data.links.portal = data.links.portal.as_deref().and_then(safe_link);
    data.links.fix = data.links.fix.as_deref().and_then(safe_link);
    shown
}
