//! Characters that look like others, as word processors and web pages leave them behind: the cause why a value can't be read.

/// Quotation marks that YAML takes for a part of the text.
const QUOTES: [char; 8] = ['“', '”', '„', '‟', '‘', '’', '‚', '«'];

/// Blanks at which no text is broken into lines: U+00A0 and two that are narrower or as wide as a digit.
const NO_BREAK_SPACES: [char; 3] = ['\u{a0}', '\u{202f}', '\u{2007}'];

/// What is wrong with a text in which there is such a blank, and what to do. `None`: there is none.
pub(super) fn no_break_space(text: &str) -> Option<(String, &'static str)> {
    let letter = text.chars().find(|letter| NO_BREAK_SPACES.contains(letter))?;
    let what = format!("this holds a no-break space (U+{:04X}), which looks like a space", u32::from(letter));
    let is_at_edge = text.starts_with(NO_BREAK_SPACES) || text.ends_with(NO_BREAK_SPACES);
    Some((what, if is_at_edge { "delete it" } else { "write a space instead, or delete it" }))
}

/// What is disguised in a text that can't be read: what is wrong, and what to do. `None`: nothing.
pub(super) fn of(text: &str) -> Option<(String, &'static str)> {
    if let Some(found) = no_break_space(text) {
        return Some(found);
    }
    if let Some(letter) = text.chars().next().filter(|letter| QUOTES.contains(letter)) {
        let what = format!("`{letter}` is a typographic quotation mark, and a part of the text");
        return Some((what, "write straight quotes: `\"` or `'`"));
    }
    if text.contains(['–', '—', '−']) {
        return Some(("this holds a dash that is not a hyphen".to_owned(), "write `-` instead"));
    }
    None
}
