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

/// A key with such a blank after its colon, which therefore is no key: where it begins in the text, in bytes, what is wrong, and what to
/// do. `None`: there is none.
pub(super) fn unread_key(text: &str) -> Option<(usize, String, &'static str)> {
    let is_in_key = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let blanks = text.char_indices().filter(|(_, letter)| NO_BREAK_SPACES.contains(letter));
    let mut keys = blanks.filter_map(|(at, letter)| {
        let before = text[..at].strip_suffix(':')?;
        let begin = before.len() - before.chars().rev().take_while(is_in_key).count();
        let lead = before[..begin].trim_end();
        let is_key = begin < before.len() && (lead.is_empty() || lead.ends_with(['-', '{', ',']));
        is_key.then(|| (begin, &before[begin..], letter))
    });
    let (begin, key, letter) = keys.next()?;
    let what = format!(
        "a no-break space (U+{:04X}) follows `{key}:`, so YAML does not take `{key}` for a key",
        u32::from(letter)
    );
    Some((begin, what, "write a space instead"))
}

/// What is disguised in a text that can't be read: what is wrong, and what to do. `None`: nothing.
pub(super) fn of(text: &str) -> Option<(String, &'static str)> {
    if let Some((_, what, instead)) = unread_key(text) {
        return Some((what, instead));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_where_a_no_break_space_follows_its_colon() {
        for (text, found) in [
            ("below:\u{a0}300", Some((0, "`below:`"))),
            ("  - id:\u{202f}contoso", Some((4, "`id:`"))),
            ("when: { drop: 5%, within:\u{a0}24h }", Some((18, "`within:`"))),
            ("about: Attention:\u{a0}ceci", None),
            ("Europe/Berlin\u{a0}", None),
            (":\u{a0}300", None),
            ("below: 300", None),
        ] {
            let said = unread_key(text);
            assert_eq!(said.as_ref().map(|(begin, ..)| *begin), found.map(|(begin, _)| begin), "{text:?}");
            let is_named = said.is_none_or(|(_, what, _)| found.is_some_and(|(_, key)| what.contains(key)));
            assert!(is_named, "{text:?}");
        }
    }
}
