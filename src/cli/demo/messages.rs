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

/// The lines of a terminal that nobody has enlarged.
const SCREEN_LINES: usize = 24;
/// Of these, what an act begins with: a blank line, its title, and what is worth a look.
const HEAD_LINES: usize = 3;
/// The fewest lines of a message that has several.
const MESSAGE_LINES_MIN: usize = 3;
/// The most messages of one channel; the others are counted.
const MESSAGES_MAX: usize = 2;
/// The most characters of one line: with its indentation and signs that are twice as wide, it fits 80 columns.
const LETTERS_MAX: usize = 72;

/// Shows what receivers got in one act: of each channel the first messages, and how many more there are.
pub(super) fn show(received: &[Arc<Received>], payloads: bool) -> Result<(), Failure> {
    let mut channels: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in received.iter().filter(|message| message.accepted()) {
        match channels.iter_mut().find(|(channel, _)| *channel == &*message.channel) {
            Some((_, messages)) => messages.push(message.json()),
            None => channels.push((&message.channel, vec![message.json()])),
        }
    }
    let room = room(&channels);
    for (channel, messages) in &channels {
        output::say_in(Ink::Cyan, &format!("  ▸ {channel} gets:"));
        let shown = if payloads { messages.len() } else { messages.len().min(MESSAGES_MAX) };
        for json in &messages[..shown] {
            one(json, room, payloads)?;
        }
        if shown < messages.len() {
            let more = output::counted(messages.len() - shown, "more message");
            output::say_in(Ink::Faint, &format!("      … and {more}"));
        }
    }
    Ok(())
}

/// How many lines each message gets that has several, so that the act fits one screen.
fn room(channels: &[(&str, Vec<Value>)]) -> usize {
    let shown = || channels.iter().flat_map(|(_, messages)| messages.iter().take(MESSAGES_MAX));
    let long = shown().filter(|json| texts(json).len() > 1).count();
    let left_out = channels.iter().filter(|(_, messages)| messages.len() > MESSAGES_MAX).count();
    let taken = HEAD_LINES + channels.len() + left_out + (shown().count() - long);
    (SCREEN_LINES.saturating_sub(taken) / long.max(1)).max(MESSAGE_LINES_MIN)
}

fn one(json: &Value, lines_max: usize, payloads: bool) -> Result<(), Failure> {
    let lines = texts(json);
    // The line that says how many more there are is one of them.
    let shown = if lines.len() > lines_max { lines_max - 1 } else { lines.len() };
    for (index, line) in lines[..shown].iter().enumerate() {
        let text = format!("      {}", output::visible(&short(line)));
        match index {
            0 => output::say_in(ink(json, line), &text),
            _ => output::say(&text),
        }
    }
    if lines.len() > shown {
        output::say_in(Ink::Faint, &format!("      … {} more lines", lines.len() - shown));
    }
    if payloads { output::json(json) } else { Ok(()) }
}

/// As much of a line as fits.
fn short(line: &str) -> String {
    match line.char_indices().nth(LETTERS_MAX) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line.to_owned(),
    }
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
