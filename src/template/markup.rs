//! How the chat applications read text, and how a value in it is kept from being read as anything but text.

use super::{
    refusal::Refusal,
    text::{INVISIBLE, Part, parts},
};

/// One application's language for text.
pub(crate) struct Markup {
    /// Signs that a backslash makes ordinary.
    pub(crate) escaped: &'static str,
    /// Signs that mean something only together with what follows, and are kept apart from it.
    pub(crate) parted: &'static str,
    /// Signs for which there is no escape, with their look-alikes.
    pub(crate) replaced: &'static [(char, char)],
    /// Whether a heading, list or quotation begins a line.
    pub(crate) begins_blocks: bool,
    /// What stands before and after the target of a link that the template's author writes.
    pub(crate) link: Option<(&'static str, &'static [&'static str])>,
}

/// A text that the receiver shows as it is.
pub(crate) const NONE: Markup = Markup { escaped: "", parted: "@<~#", replaced: &[], begins_blocks: false, link: None };

/// Escapes the values in a text.
pub(crate) fn escape(whole: &str, markup: &Markup) -> Result<String, Refusal> {
    let parts = parts(whole);
    let mut escaped = String::with_capacity(whole.len());
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Own(own) => escaped.push_str(own),
            Part::Value(value) if markup.is_target(&escaped, parts.get(index + 1)) => escaped.push_str(&target(value)?),
            Part::Value(value) => push(&mut escaped, value, markup),
        }
    }
    Ok(escaped)
}

/// A value as it is written into text of that language.
pub(crate) fn value(value: &str, markup: &Markup) -> String {
    let mut escaped = String::with_capacity(value.len());
    push(&mut escaped, value, markup);
    escaped
}

impl Markup {
    /// Whether a value that stands there is where a link leads. Values can't write what stands around it.
    pub(crate) fn is_target(&self, before: &str, after: Option<&Part<'_>>) -> bool {
        let (Some((opening, closings)), Some(Part::Own(after))) = (self.link, after) else { return false };
        before.ends_with(opening) && closings.iter().any(|closing| after.starts_with(closing))
    }
}

/// Where a link leads: `https` only, with nothing in it that could end it.
pub(crate) fn target(url: &str) -> Result<String, Refusal> {
    let parsed = url::Url::parse(url).ok().filter(|parsed| parsed.scheme() == "https");
    let Some(parsed) = parsed else { return Refusal::invalid("a link must begin with `https://`") };
    let is_risky = |letter: char| "()<>[]|\\*`".contains(letter);
    let kept = |letter: char| if is_risky(letter) { format!("%{:02X}", u32::from(letter)) } else { letter.into() };
    Ok(parsed.as_str().chars().map(kept).collect())
}

fn push(escaped: &mut String, value: &str, markup: &Markup) {
    let mut letters = value.chars().peekable();
    while let Some(letter) = letters.next() {
        if markup.begins_blocks && matches!(letter, '#' | '-' | '+' | '>' | '=' | ' ') && begins_line(escaped) {
            escaped.push(INVISIBLE);
        }
        if markup.escaped.contains(letter) {
            escaped.extend(['\\', letter]);
        } else if let Some((_, look_alike)) = markup.replaced.iter().find(|(sign, _)| *sign == letter) {
            escaped.push(*look_alike);
        } else {
            escaped.push(letter);
            if markup.parted.contains(letter) || makes_link(escaped, letter, letters.peek().copied()) {
                escaped.push(INVISIBLE);
            }
        }
    }
}

fn begins_line(text: &str) -> bool {
    text.rsplit('\n').next().is_none_or(|line| line.trim().is_empty())
}

/// Whether what has been written up to `letter` would become a link, or `:word:` a picture, with what follows.
fn makes_link(written: &str, letter: char, next: Option<char>) -> bool {
    match letter {
        ':' => next.is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '+' | '-' | '_')),
        '.' => {
            written.len().checked_sub(4).is_some_and(|from| written.as_bytes()[from..].eq_ignore_ascii_case(b"www."))
        }
        _ => false,
    }
}
