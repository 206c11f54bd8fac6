//! Characters that drive a terminal, break a line, turn text around or hide in it. Configured names may not hold them, and
//! nothing prints them: this is the one place that says which they are and how they are shown.

use std::{borrow::Cow, fmt::Write};

use super::Complaint;

/// Whether the character drives a terminal, breaks a line or changes the direction of the text around it: control characters
/// (C0, DEL, C1), line and paragraph separators, bidirectional controls, byte order marks, annotations and tags.
#[must_use]
pub fn is_disruptive(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{206F}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Whether the character takes no space, so that two names that differ by it look the same. The joiners U+200C and U+200D are
/// not among them: Persian, the languages of India and emoji need them; see [`first_hidden`].
#[must_use]
pub const fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'
        | '\u{2060}'..='\u{2065}' | '\u{3164}' | '\u{FFA0}')
}

/// Whether nothing may print the character as it is.
#[must_use]
pub fn is_hidden(letter: char) -> bool {
    is_disruptive(letter) || is_invisible(letter)
}

/// A character that does not belong into a name, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hidden {
    /// The character that was found.
    pub letter: char,
    /// Its position in the text, in characters, from 1.
    pub position: usize,
}

/// The first hidden character of a text. A joiner (U+200C, U+200D) counts as one unless it joins two characters outside ASCII.
#[must_use]
pub fn first_hidden(text: &str) -> Option<Hidden> {
    let mut before = ' ';
    let mut letters = text.chars().enumerate().peekable();
    while let Some((index, letter)) = letters.next() {
        let after = letters.peek().map_or(' ', |(_, after)| *after);
        let joins = !before.is_ascii() && !after.is_ascii();
        if is_hidden(letter) || (matches!(letter, '\u{200C}' | '\u{200D}') && !joins) {
            return Some(Hidden { letter, position: index + 1 });
        }
        before = letter;
    }
    None
}

/// Refuses a name or text of the configuration that holds a hidden character.
///
/// # Errors
/// A complaint that names the character and its position.
pub fn refuse_hidden(text: &str) -> Result<(), Complaint> {
    match first_hidden(text) {
        None => Ok(()),
        Some(Hidden { letter, position }) => {
            Err(Complaint::new(format!("character {position} is {}, which nobody can see", name(letter)), "delete it"))
        }
    }
}

/// How messages name a character: `U+202E (right-to-left override)`.
#[must_use]
pub fn name(letter: char) -> String {
    let known = match letter {
        '\t' => "tab",
        '\n' => "line feed",
        '\r' => "carriage return",
        '\u{1B}' => "escape",
        '\u{7F}' => "delete",
        '\u{85}' => "next line",
        '\u{AD}' => "soft hyphen",
        '\u{61C}' => "Arabic letter mark",
        '\u{200B}' => "zero width space",
        '\u{200C}' => "zero width non-joiner",
        '\u{200D}' => "zero width joiner",
        '\u{200E}' => "left-to-right mark",
        '\u{200F}' => "right-to-left mark",
        '\u{2028}' => "line separator",
        '\u{2029}' => "paragraph separator",
        '\u{202A}' => "left-to-right embedding",
        '\u{202B}' => "right-to-left embedding",
        '\u{202C}' => "pop directional formatting",
        '\u{202D}' => "left-to-right override",
        '\u{202E}' => "right-to-left override",
        '\u{2060}' => "word joiner",
        '\u{2066}' => "left-to-right isolate",
        '\u{2067}' => "right-to-left isolate",
        '\u{2068}' => "first strong isolate",
        '\u{2069}' => "pop directional isolate",
        '\u{FEFF}' => "byte order mark",
        letter if letter.is_control() => "control character",
        _ => "invisible character",
    };
    format!("U+{:04X} ({known})", u32::from(letter))
}

/// The text on one line for a terminal or a log: each hidden character is shown by its escape, as in `\u{202e}` or `\n`.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if !is_hidden(letter) {
            shown.push(letter);
        } else if letter.is_control() {
            shown.extend(letter.escape_default());
        } else {
            shown.extend(letter.escape_unicode());
        }
    }
    Cow::Owned(shown)
}

/// The same for a text of several lines: line feeds stay.
#[must_use]
pub fn shown_lines(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|letter| letter != '\n' && is_hidden(letter)) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<Cow<'_, str>> = text.split('\n').map(shown).collect();
    Cow::Owned(lines.join("\n"))
}

/// JSON text with each hidden character of its strings as `\uXXXX`: the same JSON, harmless on a terminal. Line feeds and blanks
/// between its parts stay.
#[must_use]
pub fn shown_json(json: &str) -> Cow<'_, str> {
    let needs_escape = |letter: char| letter != '\n' && is_hidden(letter);
    if !json.chars().any(needs_escape) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for letter in json.chars() {
        if needs_escape(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a `String` can't fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

/// A name from upstream on one line: whitespace and control characters become blanks, other hidden characters go.
#[must_use]
pub fn cleaned(text: &str) -> String {
    let is_blank = |letter: char| letter.is_whitespace() || letter.is_control();
    let kept = text.chars().filter(|letter| is_blank(*letter) || !is_hidden(*letter));
    kept.map(|letter| if is_blank(letter) { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_found_and_named() {
        for (text, position, named) in [
            ("a\u{202E}b", 2, "U+202E (right-to-left override)"),
            ("\u{85}", 1, "U+0085 (next line)"),
            ("Contoso\u{200B}", 8, "U+200B (zero width space)"),
            ("a\u{200D}b", 2, "U+200D (zero width joiner)"),
            ("é\u{200C}", 2, "U+200C (zero width non-joiner)"),
            ("a\u{7}", 2, "U+0007 (control character)"),
            ("\u{E0041}", 1, "U+E0041 (invisible character)"),
        ] {
            let refused = refuse_hidden(text).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("character {position} is {named}, which nobody can see; delete it")
            );
        }
        for text in ["Contoso Ltd", "Żółć", "می\u{200C}خواهم", "👩\u{200D}💻", "أهلا", "日本", ""]
        {
            assert_eq!(first_hidden(text), None, "{text}");
        }
    }

    #[test]
    fn hidden_characters_are_shown_by_their_escapes() {
        assert_eq!(shown("a\u{202E}b\n\u{1b}[2J"), "a\\u{202e}b\\n\\u{1b}[2J");
        assert_eq!(shown_lines("a\n\u{2028}b"), "a\n\\u{2028}b");
        assert_eq!(shown("plain — é"), "plain — é");
        let json = serde_json::json!({ "a\u{202E}": "\u{E0041}\u{9b}x\u{7f}\n" });
        let text = serde_json::to_string_pretty(&json).unwrap();
        let shown = shown_json(&text);
        assert!(shown.chars().all(|letter| letter == '\n' || !is_hidden(letter)), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), json);
    }

    #[test]
    fn names_from_upstream_are_cleaned() {
        assert_eq!(cleaned("a\u{202E}b\r\n\u{85}c\u{200B}d\u{2028}e"), "ab   cd e");
    }
}
