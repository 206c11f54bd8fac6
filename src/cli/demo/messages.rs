//! The demo's messages as a person would see them in the channel, each short enough that an act fits one screen.

use serde_json::Value;

use crate::{
    cli::{
        Failure,
        output::{self, Ink},
    },
    simulation::receiver::Received,
};

/// The most lines of one message.
const LINES_MAX: usize = 11;
/// The most characters of one line.
const LETTERS_MAX: usize = 110;

/// Shows what receivers got in one act: of each channel the first message, and how many more there are.
pub(super) fn show(received: &[std::sync::Arc<Received>], payloads: bool) -> Result<(), Failure> {
    let mut channels: Vec<&str> = Vec::new();
    for message in received.iter().filter(|message| message.accepted()) {
        if !channels.contains(&&*message.channel) {
            channels.push(&message.channel);
        }
    }
    for channel in channels {
        let of_channel: Vec<_> =
            received.iter().filter(|message| message.accepted() && &*message.channel == channel).collect();
        // Machines get every message; the newest of a chat is what a person reads.
        let shown = if payloads { of_channel.as_slice() } else { &of_channel[..1] };
        for message in shown {
            output::say_in(Ink::Cyan, &format!("  ▸ {channel} gets:"));
            one(&message.json(), payloads)?;
        }
        let more = of_channel.len() - shown.len();
        if more > 0 {
            output::say_in(Ink::Faint, &format!("    … and {}", output::counted(more, "more message")));
        }
    }
    Ok(())
}

fn one(json: &Value, payloads: bool) -> Result<(), Failure> {
    let lines = texts(json);
    for (index, line) in lines.iter().take(LINES_MAX).enumerate() {
        let short: String = line.chars().take(LETTERS_MAX).collect();
        let text = format!("      {}{}", output::visible(&short), if short.len() < line.len() { "…" } else { "" });
        match index {
            0 => output::say_in(ink(json, line), &text),
            _ => output::say(&text),
        }
    }
    if lines.len() > LINES_MAX {
        output::say_in(Ink::Faint, &format!("      … {} more lines", lines.len() - LINES_MAX));
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
    found
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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
