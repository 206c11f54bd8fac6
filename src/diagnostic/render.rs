//! Problems as people and machines read them.

use std::{collections::BTreeSet, fmt::Write};

use annotate_snippets::{AnnotationKind, Group, Level as Heading, Renderer, Snippet};

use super::{Excerpt, Excerpts, Level, Problem};
use crate::domain::characters::{self, shown as visible};

/// `FILE:LINE:COLUMN: error: what; instead` or `…: warning[NAME]: what; instead`, each followed by its line where there is an excerpt; in file order, and how many
/// there are. Nothing from outside can drive the terminal.
#[must_use]
pub fn terminal(problems: &[Problem], excerpts: &Excerpts, colour: bool) -> String {
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort();
    let mut text = String::new();
    for problem in &sorted {
        let (word, paint) = match problem.level {
            Level::Error => ("error", "\x1b[1;31m"),
            Level::Warning => ("warning", "\x1b[1;33m"),
        };
        let word = match problem.warning {
            Some(warning) => format!("{word}[{warning}]"),
            None => word.to_owned(),
        };
        let word = if colour { format!("{paint}{word}\x1b[0m") } else { word };
        let (place, key) = (problem.place.to_string(), visible(&problem.key));
        let place = visible(&place);
        let key = if key.is_empty() { key.into_owned() } else { format!("{key}: ") };
        // Writing to a `String` can't fail.
        let _ = writeln!(text, "{place}: {word}: {key}{}; {}", visible(&problem.what), visible(&problem.instead));
        if let Some(excerpt) = excerpts.get(&problem.place) {
            text.push_str(&drawn(problem, excerpt, colour));
            text.push('\n');
        }
    }
    let files: BTreeSet<_> = sorted.iter().map(|problem| &problem.place.file).collect();
    let _ = write!(text, "{} in {}", counted(sorted.len(), "problem"), counted(files.len(), "file"));
    text
}

/// The line with its number, and a mark below what the problem is about.
fn drawn(problem: &Problem, excerpt: &Excerpt, colour: bool) -> String {
    let level = match problem.level {
        Level::Error => Heading::ERROR,
        Level::Warning => Heading::WARNING,
    };
    let Excerpt { text, span } = excerpt;
    // Escapes would move the mark; a line with control characters is shown without them.
    let text: String = text.chars().map(|letter| if characters::is_hidden(letter) { ' ' } else { letter }).collect();
    let boundary = |at: usize| (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let span = boundary(span.start)..boundary(span.end.max(span.start));
    let snippet =
        Snippet::source(text.as_str()).line_start(problem.place.line).annotation(AnnotationKind::Primary.span(span));
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[Group::with_level(level).element(snippet)])
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
