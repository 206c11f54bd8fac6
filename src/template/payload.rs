//! From a template's output to what is sent: what all receivers have in common.

use serde_json::Value;

use super::{Refusal, markup, text};

/// The body of a message that a template writes as JSON: `check` vets it and escapes the values in it.
pub(crate) fn json(output: &str, check: fn(&mut Value) -> Result<(), Refusal>) -> Result<Vec<u8>, Refusal> {
    write(parsed(output)?, check)
}

/// What a template writes as JSON, with its values still marked.
pub(crate) fn parsed(output: &str) -> Result<Value, Refusal> {
    serde_json::from_str(output).map_err(|error| Refusal::Invalid(format!("the output is not JSON: {error}")))
}

/// The body of a message in which values are marked: `check` vets it and escapes them.
pub(crate) fn write(mut message: Value, check: fn(&mut Value) -> Result<(), Refusal>) -> Result<Vec<u8>, Refusal> {
    check(&mut message)?;
    Ok(message.to_string().into_bytes())
}

/// Lines as one text, each of them a marked value.
pub(crate) fn marked_lines(lines: &[String]) -> String {
    lines.iter().map(|line| text::mark(line)).collect::<Vec<_>>().join("\n")
}

/// A text from outside for a receiver that hands it on to others, of which nobody knows what they read in it: on one line, cut,
/// and without what chats take for a mention, a link or a tag.
#[must_use]
pub fn harmless(text: &str, characters_max: usize) -> String {
    let tame = text::tame(text, characters_max);
    // Without a link of an author's around it, nothing in it can be refused.
    let escaped = markup::escape(&text::mark(&tame), &markup::NONE).unwrap_or_default();
    escaped.replace("](", &format!("]{}(", text::INVISIBLE))
}

/// Takes the marks out of a link and makes sure that it is `https`.
pub(crate) fn link(url: &mut String) -> Result<(), Refusal> {
    *url = text::unmarked(url);
    match url::Url::parse(url) {
        Ok(parsed) if parsed.scheme() == "https" => Ok(()),
        _ => Refusal::invalid("a link must begin with `https://`"),
    }
}
