//! Characters that look like others, as word processors and web pages leave them behind: the cause why a value can't be read.

/// Quotation marks that YAML takes for a part of the text.
const QUOTES: [char; 8] = ['“', '”', '„', '‟', '‘', '’', '‚', '«'];

/// What is disguised in a text that can't be read: what is wrong, and what to do. `None`: nothing.
pub(super) fn of(text: &str) -> Option<(String, &'static str)> {
    if text.contains(['\u{a0}', '\u{202f}', '\u{2007}']) {
        return Some((
            "this holds a no-break space (U+00A0), which looks like a blank".to_owned(),
            "write a blank instead",
        ));
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
