//! Text from outside: made harmless to look at, cut, and marked so that it is still known as such in the output.

use crate::domain::characters;

/// Stands before a value in a template's output. A private-use character, taken out of every value.
const BEGIN: char = '\u{E000}';
/// Stands after a value in a template's output.
const END: char = '\u{E001}';
/// Breaks a sequence without being seen.
pub(crate) const INVISIBLE: char = '\u{200B}';

/// Whether a character would reorder, hide or break the text around it.
fn is_unruly(letter: char) -> bool {
    matches!(letter, BEGIN | END) || characters::is_hidden(letter)
}

/// Signs that French and German keep on the line of the word before by a blank at which no line is broken.
const KEPT_BY_A_BLANK: [char; 6] = [':', ';', '!', '?', '%', '»'];

/// The text on one line: every blank is a space, except where typography wants one at which no line is broken.
fn on_one_line(text: &str) -> impl Iterator<Item = char> {
    let mut letters = text.chars().peekable();
    std::iter::from_fn(move || {
        let letter = letters.next()?;
        let is_typographic = matches!(letter, '\u{a0}' | '\u{202f}')
            && letters.peek().is_some_and(|next| KEPT_BY_A_BLANK.contains(next));
        Some(if letter.is_whitespace() && !is_typographic { ' ' } else { letter })
    })
}

/// One line of text without control or direction-changing characters, at most `characters_max` characters long.
pub(crate) fn tame(text: &str, characters_max: usize) -> String {
    let line = on_one_line(text);
    let tamed: String = line.filter(|&letter| !is_unruly(letter)).take(characters_max.saturating_add(1)).collect();
    cut(&tamed, characters_max)
}

/// At most that many characters; what is cut shows as `…`.
pub(super) fn cut(text: &str, characters_max: usize) -> String {
    if text.chars().count() <= characters_max {
        return text.to_owned();
    }
    text.chars().take(characters_max.saturating_sub(1)).chain(['…']).collect()
}

/// The inside of a JSON string.
pub(crate) fn json_inside(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The inside of a JSON string, with its beginning and end marked.
pub(crate) fn marked(text: &str) -> String {
    format!("{BEGIN}{}{END}", json_inside(&unmarked(text)))
}

/// One line of text, tamed, with its beginning and end marked.
pub(crate) fn marked_line(text: &str) -> String {
    format!("{BEGIN}{}{END}", tame(text, usize::MAX))
}

/// A value, not within JSON, with its beginning and end marked.
pub(crate) fn mark(text: &str) -> String {
    format!("{BEGIN}{}{END}", unmarked(text))
}

/// A part of a template's output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<'text> {
    /// Written by the template's author.
    Own(&'text str),
    /// A value of the notification.
    Value(&'text str),
}

/// Takes a string of the output apart.
pub(crate) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut found = Vec::new();
    for piece in text.split(BEGIN).enumerate() {
        let (value, own) = match piece {
            (0, own) => ("", own),
            (_, marked) => marked.split_once(END).unwrap_or((marked, "")),
        };
        if !value.is_empty() {
            found.push(Part::Value(value));
        }
        if !own.is_empty() {
            found.push(Part::Own(own));
        }
    }
    found
}

/// The text without its marks.
pub(crate) fn unmarked(text: &str) -> String {
    text.chars().filter(|letter| !matches!(*letter, BEGIN | END)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_distinguished_from_the_authors_text() {
        let text = format!("a {} b", marked("x\"{y}"));
        let text: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
        assert_eq!(parts(&text), [Part::Own("a "), Part::Value("x\"{y}"), Part::Own(" b")]);
        assert_eq!(unmarked(&text), "a x\"{y} b");
        assert_eq!(parts(&marked("\u{E001} sly \u{E000}")), [Part::Value(" sly ")]);
    }

    #[test]
    fn unruly_characters_go_and_long_texts_end_in_an_ellipsis() {
        assert_eq!(tame("a\u{202E}b\u{0}\u{7}c\r\nd", 10), "abc  d");
        assert_eq!(tame("depuis le 24\u{a0}: a\u{a0}b, 5\u{202f}%", 40), "depuis le 24\u{a0}: a b, 5\u{202f}%");
        assert_eq!(tame("abcdef", 4), "abc…");
        assert_eq!(tame("abcd", 4), "abcd");
    }
}
