//! The demo's messages as a person would see them in the channel, each short enough that an act fits one screen.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    cli::{
        Failure,
        output::{self, Ink},
    },
    rule::display,
    simulation::receiver::Received,
};

/// The most lines of an act's messages together, so that the act fits one screen.
const LINES_MAX: usize = 34;
/// The most lines of one message.
const MESSAGE_LINES_MAX: usize = 16;
/// The most messages of one channel; the others are counted.
const MESSAGES_MAX: usize = 2;
/// The most characters of one line.
const LETTERS_MAX: usize = 110;

/// Shows what receivers got in one act: of each channel the first messages, and how many more there are.
pub(super) fn show(received: &[Arc<Received>], payloads: bool) -> Result<(), Failure> {
    let mut channels: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in received.iter().filter(|message| message.accepted()) {
        match channels.iter_mut().find(|(channel, _)| *channel == &*message.channel) {
            Some((_, messages)) => messages.push(message.json()),
            None => channels.push((&message.channel, vec![message.json()])),
        }
    }
    let long = |(_, messages): &(&str, Vec<Value>)| {
        messages.iter().take(MESSAGES_MAX).filter(|json| texts(json).len() > 1).count()
    };
    let room = LINES_MAX / channels.iter().map(long).sum::<usize>().max(1);
    for (channel, messages) in &channels {
        output::say_in(Ink::Cyan, &format!("  ▸ {channel} gets:"));
        let shown = if payloads { messages.len() } else { messages.len().min(MESSAGES_MAX) };
        for json in &messages[..shown] {
            one(json, room.min(MESSAGE_LINES_MAX), payloads)?;
        }
        if shown < messages.len() {
            let more = output::counted(messages.len() - shown, "more message");
            output::say_in(Ink::Faint, &format!("      … and {more}"));
        }
    }
    Ok(())
}

fn one(json: &Value, lines_max: usize, payloads: bool) -> Result<(), Failure> {
    let lines = texts(json);
    for (index, line) in lines.iter().take(lines_max).enumerate() {
        let short: String = line.chars().take(LETTERS_MAX).collect();
        let text = format!("      {}{}", output::visible(&short), if short.len() < line.len() { "…" } else { "" });
        match index {
            0 => output::say_in(ink(json, line), &text),
            _ => output::say(&text),
        }
    }
    if lines.len() > lines_max {
        output::say_in(Ink::Faint, &format!("      … {} more lines", lines.len() - lines_max));
    }
    if payloads { output::json(json) } else { Ok(()) }
}

/// The color of a headline.
fn ink(json: &Value, headline: &str) -> Ink {
    let kind = json.get("type").and_then(Value::as_str).unwrap_or_default();
    let is_over = kind.ends_with("resolved")
        || ["resolved", "recovered", "can be read again"].iter().any(|word| headline.contains(word));
    if is_over { Ink::Green } else { Ink::Red }
}

/// The texts of a card, of blocks, or of a webhook's body, in reading order.
fn texts(json: &Value) -> Vec<String> {
    if let Some(kind) = json.get("type").and_then(Value::as_str).filter(|_| json.get("data").is_some()) {
        let fact = |pointer: &str| json.pointer(pointer).map_or_else(|| "-".to_owned(), plain);
        return vec![format!(
            "{kind} {} {}: value {}, baseline {}",
            fact("/data/tenant/id"),
            fact("/data/rule/name"),
            fact("/data/score/value"),
            fact("/data/score/baseline")
        )];
    }
    let mut found = Vec::new();
    let content = json.pointer("/attachments/0/content/body").or_else(|| json.get("blocks")).unwrap_or(json);
    collect(content, &mut found);
    labelled(found)
}

/// Puts a label and the value that follows it on one line.
fn labelled(lines: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::with_capacity(lines.len());
    for line in lines {
        match joined.last_mut().filter(|last| last.ends_with(':')) {
            Some(label) => {
                label.push(' ');
                label.push_str(&line);
            }
            None => joined.push(line),
        }
    }
    joined
}

/// A value for people: a number is rounded as everywhere.
fn plain(value: &Value) -> String {
    match (value.as_str(), value.as_f64()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(number)) => display::number(number),
        (None, None) => value.to_string(),
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            let parts: Vec<String> = items.iter().map_while(inline).collect();
            if parts.len() == items.len() && !parts.is_empty() {
                found.push(parts.concat());
            } else {
                for item in items {
                    collect(item, found);
                }
            }
        }
        Value::Object(fields) => match (fields.get("title"), fields.get("value"), fields.get("text")) {
            (Some(Value::String(title)), Some(Value::String(value)), _) => found.push(format!("{title}: {value}")),
            (_, _, Some(Value::String(text))) => found.extend(text.lines().map(str::to_owned)),
            _ => fields
                .values()
                .filter(|field| field.is_array() || field.is_object())
                .for_each(|field| collect(field, found)),
        },
        _ => {}
    }
}

/// The text of a run inside a line of rich text.
fn inline(item: &Value) -> Option<String> {
    let text = item.get("text").and_then(Value::as_str)?;
    (item.get("type").and_then(Value::as_str) == Some("TextRun")).then(|| text.to_owned())
}
