//! Problems as people and machines read them.

use std::{collections::BTreeSet, fmt::Write};

use super::{Gravity, Problem};

/// `FILE:LINE:COLUMN: error: what; instead`, one line each, in file order, and how many there are. Nothing from outside can
/// drive the terminal; the lines of the files are not repeated, because they may hold secrets.
#[must_use]
pub fn terminal(problems: &[Problem], colour: bool) -> String {
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort();
    let mut text = String::new();
    for problem in &sorted {
        let (word, paint) = match problem.gravity {
            Gravity::Error => ("error", "\x1b[1;31m"),
            Gravity::Warning => ("warning", "\x1b[1;33m"),
        };
        let word = if colour { format!("{paint}{word}\x1b[0m") } else { word.to_owned() };
        let (place, key) = (visible(&problem.place.to_string()), visible(&problem.key));
        let key = if key.is_empty() { key } else { format!("{key}: ") };
        // Writing to a `String` can't fail.
        let _ = writeln!(text, "{place}: {word}: {key}{}; {}", visible(&problem.what), visible(&problem.instead));
    }
    let files: BTreeSet<_> = sorted.iter().map(|problem| &problem.place.file).collect();
    let _ = write!(text, "{} in {}", counted(sorted.len(), "problem"), counted(files.len(), "file"));
    text
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn visible(text: &str) -> String {
    // Bidirectional overrides turn a line around; they are no control characters to `char`.
    let hides =
        |letter: char| letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if hides(letter) { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    shown
}
