//! What a template sees: the notification's JSON with every optional field present, and under `words` the same as prepared text.

use serde_json::{Value, json};

use super::{text, words};
use crate::notify::Notification;

/// How much of a message is shown. A payload that is above its receiver's limit is written again at the next, shorter level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    /// So many causes.
    pub(super) causes: usize,
    /// So many labels.
    pub(super) labels: usize,
    /// So many characters of any text from outside.
    pub(super) text_characters: usize,
}

/// First causes are left out, then labels, then texts are cut.
pub(super) const LEVELS: [Level; 6] = [
    Level { causes: 5, labels: 8, text_characters: 300 },
    Level { causes: 2, labels: 8, text_characters: 300 },
    Level { causes: 0, labels: 8, text_characters: 300 },
    Level { causes: 0, labels: 0, text_characters: 300 },
    Level { causes: 0, labels: 0, text_characters: 80 },
    Level { causes: 0, labels: 0, text_characters: 24 },
];

/// Writes the context; `None` if the notification can't be written as JSON, which no notification does.
pub(super) fn context(notification: &Notification, level: Level) -> Option<Value> {
    let shown = shortened(notification, level);
    let mut context = serde_json::to_value(&shown).ok()?;
    let data = context.get_mut("data")?.as_object_mut()?;
    data.entry("operator").or_insert(Value::Null);
    if let Some(links) = data.get_mut("links").and_then(Value::as_object_mut) {
        links.entry("confirm").or_insert(Value::Null);
    }
    if let Some(alert) = data.get_mut("alert").and_then(Value::as_object_mut) {
        alert.entry("resolution").or_insert(Value::Null);
    }
    if let Some(operator) = data.get_mut("operator").and_then(Value::as_object_mut) {
        for key in ["channel", "from", "until"] {
            operator.entry(key).or_insert(Value::Null);
        }
    }
    context.as_object_mut()?.insert("words".to_owned(), json!(words::words(&shown)));
    Some(context)
}

/// The notification with every text tamed and cut, and lists as long as the level allows.
fn shortened(notification: &Notification, level: Level) -> Notification {
    let mut shown = notification.clone();
    let cut = |whole: &mut String| *whole = text::tame(whole, level.text_characters);
    let data = &mut shown.data;
    data.causes.truncate(level.causes);
    for cause in &mut data.causes {
        cut(&mut cause.title);
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
    }
    if let Some(rule) = &mut data.rule {
        cut(&mut rule.name);
        cut(&mut rule.condition);
    }
    if let Some(alert) = &mut data.alert {
        alert.reason.iter_mut().for_each(cut);
    }
    if let Some(operator) = &mut data.operator {
        cut(&mut operator.summary);
        cut(&mut operator.class);
        operator.hint.iter_mut().chain(operator.channel.iter_mut()).for_each(cut);
    }
    data.links.confirm = data.links.confirm.as_deref().and_then(safe_link);
    data.links.dashboard = data.links.dashboard.as_deref().and_then(safe_link);
    data.links.portal = data.links.portal.as_deref().and_then(safe_link);
    shown
}

/// Longest link that is shown, in bytes (a Slack button's limit is 3,000 characters).
const LINK_BYTES_MAX: usize = 1500;

/// The link, if it is `https` and not too long, without any character that could end it in Slack's markup.
fn safe_link(link: &str) -> Option<String> {
    let parsed = url::Url::parse(link).ok()?;
    let is_plain = parsed.scheme() == "https" && parsed.username().is_empty() && parsed.password().is_none();
    let mut safe = String::with_capacity(link.len());
    for letter in parsed.as_str().chars() {
        match letter {
            '|' => safe.push_str("%7C"),
            '<' => safe.push_str("%3C"),
            '>' => safe.push_str("%3E"),
            '{' => safe.push_str("%7B"),
            '}' => safe.push_str("%7D"),
            _ => safe.push(letter),
        }
    }
    (is_plain && safe.len() <= LINK_BYTES_MAX).then_some(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_https_and_can_t_end_early() {
        assert_eq!(safe_link("https://a.example/x?a=b|c>d").as_deref(), Some("https://a.example/x?a=b%7Cc%3Ed"));
        for bad in ["http://a.example/", "javascript:alert(1)", "https://user@a.example/", "nothing"] {
            assert_eq!(safe_link(bad), None, "{bad}");
        }
    }
}
