//! As much of Rust's grammar as the rules of the house need: comments apart from code, strings apart from both, paths.

/// A file's text, taken apart.
#[derive(Clone)]
pub(super) struct Source {
    /// The code, without comments and with empty strings.
    pub(super) code: String,
    /// What stands in strings, one after the other.
    pub(super) strings: String,
}

impl Source {
    pub(super) fn read(text: &str) -> Self {
        let mut source = Self { code: String::new(), strings: String::new() };
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let taken = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                block_comment(rest)
            } else if let Some((content, taken)) = string(rest, source.code.chars().last()) {
                source.code.push_str("\"\"");
                source.strings.push_str(content);
                source.strings.push('\n');
                taken
            } else if first == '\'' && is_character(rest) {
                1 + quoted(&rest[1..], '\'')
            } else {
                source.code.push(first);
                first.len_utf8()
            };
            rest = &rest[taken..];
        }
        source
    }

    /// The first names of all paths from the crate's root, in a file whose module lies that deep; `*` for a glob.
    pub(super) fn imports(&self, depth: usize) -> Vec<String> {
        let mut found = Vec::new();
        for root in ["crate::".to_owned(), "super::".repeat(depth)] {
            for (at, _) in self.code.match_indices(&root) {
                let before = self.code[..at].chars().last();
                let inside_a_word = before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
                // A test module lies one deeper, so its `super::*` is no path from the root.
                let first = first_names(&self.code[at + root.len()..]);
                if !inside_a_word {
                    found.extend(first.into_iter().filter(|name| name != "*" || root == "crate::"));
                }
            }
        }
        found
    }
}

/// `clock::Clock` gives `clock`; `{clock::Clock, store::{self}}` gives `clock` and `store`.
fn first_names(path: &str) -> Vec<String> {
    let Some(list) = path.strip_prefix('{') else { return vec![first_name(path)] };
    let mut names = vec![first_name(list)];
    let mut depth = 1;
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(first_name(&list[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn first_name(path: &str) -> String {
    let path = path.trim_start();
    if path.starts_with('*') {
        return "*".to_owned();
    }
    path.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// Bytes up to the end of the block comment, which may hold others.
fn block_comment(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// The content of the string that `text` begins with, and the bytes that it takes with its quotes.
fn string(text: &str, before: Option<char>) -> Option<(&str, usize)> {
    if let Some(rest) = text.strip_prefix('"') {
        let taken = quoted(rest, '"');
        return Some((&rest[..taken.saturating_sub(1)], taken + 1));
    }
    let in_a_word = before.is_some_and(|letter| letter.is_alphanumeric() && letter != 'b');
    let marks = text.strip_prefix('r').filter(|_| !in_a_word)?;
    let hashes = marks.len() - marks.trim_start_matches('#').len();
    let rest = marks[hashes..].strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(hashes));
    let length = rest.find(&closing).unwrap_or(rest.len());
    Some((&rest[..length], (hashes + 2 + length + closing.len()).min(text.len())))
}

/// Bytes up to and with the closing quote; a backslash hides what follows it.
fn quoted(text: &str, quote: char) -> usize {
    let mut hidden = false;
    for (at, letter) in text.char_indices() {
        if !hidden && letter == quote {
            return at + 1;
        }
        hidden = !hidden && letter == '\\';
    }
    text.len()
}

/// A character, not a lifetime.
fn is_character(text: &str) -> bool {
    let mut letters = text.chars().skip(1);
    letters.next() == Some('\\') || letters.next() == Some('\'')
}
