//! Comments that switch a warning off: `# scorewatch: allow(NAME)`, on the line that the warning is about or above it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{marks::Mark, spelling::nearest};
use crate::diagnostic::{Place, Problem, Warning};

/// What such a comment holds after its `#`.
const ALLOW: &str = "scorewatch: allow(";

/// The warnings that are switched off, by file and line.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed(BTreeMap<PathBuf, BTreeMap<usize, Vec<Warning>>>);

impl Allowed {
    /// Notes the comments of a file. Gives a warning for each name in them that is not the name of a warning.
    pub(super) fn note(&mut self, file: &Path, text: &str) -> Vec<Problem> {
        let mut unknown = Vec::new();
        if !text.contains(ALLOW) {
            return unknown;
        }
        let mut lines = BTreeMap::new();
        // What the comments above a line name.
        let mut above = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let mut here = Vec::new();
            for (column, name) in names(text) {
                match Warning::from_name(name) {
                    Some(warning) => here.push(warning),
                    None => unknown.push(complaint(file, Mark { line, column }, name)),
                }
            }
            if text.trim_start().starts_with('#') {
                above.append(&mut here);
                continue;
            }
            here.append(&mut above);
            if !here.is_empty() {
                lines.insert(line, here);
            }
        }
        self.0.insert(file.to_owned(), lines);
        unknown
    }

    /// Whether a comment switches this problem off. None does that with an error.
    pub(super) fn covers(&self, problem: &Problem) -> bool {
        let Some(warning) = problem.warning else { return false };
        let of_file = self.0.get(&problem.place.file);
        of_file.and_then(|lines| lines.get(&problem.place.line)).is_some_and(|names| names.contains(&warning))
    }
}

/// The names in a line's comment, each with its column.
fn names(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let begin = line.find(ALLOW).filter(|begin| line[..*begin].trim_end().ends_with('#'));
    let inner = begin.map(|begin| begin + ALLOW.len()).and_then(|from| Some((from, line[from..].split_once(')')?.0)));
    let (from, inner) = inner.unwrap_or_default();
    let mut at = line[..from].chars().count() + 1;
    inner.split(',').filter_map(move |part| {
        let column = at + part.chars().take_while(|letter| letter.is_whitespace()).count();
        at += part.chars().count() + 1;
        Some((column, part.trim())).filter(|(_, name)| !name.is_empty())
    })
}

fn complaint(file: &Path, mark: Mark, name: &str) -> Problem {
    let place = Place { file: file.to_owned(), line: mark.line, column: mark.column };
    let instead = match nearest(name, Warning::ALL.iter().map(|warning| warning.name())) {
        Some(suggested) => format!("did you mean `{suggested}`?"),
        None => "write the name that the warning shows in brackets".to_owned(),
    };
    let what = crate::secret::redact::echoed(&format!("there is no warning `{name}`"));
    Problem::warning(Warning::UnknownAllow, place, "", what, instead)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &str) -> (Allowed, Vec<Problem>) {
        let mut allowed = Allowed::default();
        let unknown = allowed.note(Path::new("a.yaml"), text);
        (allowed, unknown)
    }

    #[test]
    fn a_comment_covers_its_own_line_or_the_one_below() {
        for (text, line) in [
            ("spare: 1 # scorewatch: allow(channel-unused)\n", Some(1)),
            ("# scorewatch: allow(channel-unused)\nspare: 1\n", Some(2)),
            ("  # scorewatch: allow(no-rules, channel-unused) not yet\n  # more\n  spare: 1\nnext: 2\n", Some(3)),
            ("spare: 'scorewatch: allow(channel-unused)'\n", None),
            ("# scorewatch: allow(no-rules)\nspare: 1\n", None),
            ("# scorewatch: allow(channel-unused\nspare: 1\n", None),
        ] {
            let (allowed, unknown) = allowed(text);
            let lines: Vec<usize> = (1..6)
                .filter(|line| {
                    let place = Place { file: "a.yaml".into(), line: *line, column: 1 };
                    allowed.covers(&Problem::warning(Warning::ChannelUnused, place, "", "", ""))
                })
                .collect();
            assert_eq!((lines.first().copied(), lines.len() < 2), (line, true), "{text}");
            assert_eq!(unknown, [], "{text}");
        }
    }

    #[test]
    fn no_comment_covers_an_error() {
        let (allowed, _) = allowed("a: 1 # scorewatch: allow(channel-unused)");
        let place = Place { file: "a.yaml".into(), line: 1, column: 1 };
        assert!(!allowed.covers(&Problem::error(place, "", "", "")));
    }

    #[test]
    fn a_name_that_is_not_known_is_a_warning_at_its_place() {
        let (_, unknown) = allowed("é: 1 # scorewatch: allow(no-rules, chanel-unused, x)");
        let reported: Vec<_> = unknown.iter().map(|one| (one.place.column, one.what.as_str(), &*one.instead)).collect();
        assert_eq!(
            reported,
            [
                (36, "there is no warning `chanel-unused`", "did you mean `channel-unused`?"),
                (51, "there is no warning `x`", "write the name that the warning shows in brackets")
            ]
        );
    }
}
