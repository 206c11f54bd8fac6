//! Where in the files the validation stands, and the problems that it has found.

use std::{path::Path, sync::Arc};

use super::{
    Watched,
    field::{Field, Word},
    import::Pending,
    marks::{Content, Mark, Node},
    secret_stores::Stores,
};
use crate::{
    diagnostic::{Gravity, Place, Problem},
    domain::parse_duration,
    secret::redact::{echo, echoed},
};

/// A key or list item, with the way to it. Costs nothing until something is wrong there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    file: &'a Arc<Path>,
    mark: Mark,
    node: Option<&'a Node>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a Scope<'a>, &'a str),
    Item(&'a Scope<'a>, usize),
}

impl<'a> Scope<'a> {
    /// A whole file.
    pub(super) fn root(file: &'a Arc<Path>, node: Option<&'a Node>) -> Self {
        Self { file, mark: node.map_or(Mark::START, |node| node.mark), node, step: Step::Root }
    }

    /// What stands under a key; where it is absent, problems point at the mapping.
    pub(super) fn key(&'a self, key: &'a str) -> Self {
        self.child(self.node.and_then(|node| node.get(key)), Step::Key(self, key))
    }

    /// An item of a list.
    pub(super) fn item(&'a self, index: usize) -> Self {
        self.child(self.node.and_then(|node| node.item(index)), Step::Item(self, index))
    }

    fn child(&self, node: Option<&'a Node>, step: Step<'a>) -> Self {
        Self { file: self.file, mark: node.map_or(self.mark, |node| node.mark), node, step }
    }

    /// The folder that relative paths start from.
    pub(super) fn folder(&self) -> &'a Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// The place.
    pub(super) fn place(&self) -> Place {
        Place { file: self.file.to_path_buf(), line: self.mark.line, column: self.mark.column }
    }

    /// The place, cheaply kept.
    pub(super) fn spot(&self) -> Spot {
        Spot { file: Arc::clone(self.file), mark: self.mark }
    }

    /// The way from the top of the file: `rules[1].when.below`.
    pub(super) fn path(&self) -> String {
        match self.step {
            Step::Root => String::new(),
            Step::Key(parent, key) => {
                let path = parent.path();
                let key = echo(key);
                if path.is_empty() { key.into_owned() } else { format!("{path}.{key}") }
            }
            Step::Item(parent, index) => format!("{}[{index}]", parent.path()),
        }
    }

    /// Complains of every key that is none of these.
    pub(super) fn only(&self, known: &[&str], problems: &mut Problems) {
        let Some(Node { content: Content::Mapping(entries), .. }) = self.node else { return };
        let known: Vec<&str> = known.iter().map(|key| key.trim_start_matches("r#")).collect();
        for entry in entries.iter().filter(|entry| !known.contains(&&*entry.key)) {
            let here = Scope { mark: entry.mark, ..self.key(&entry.key) };
            let instead = match nearest(&entry.key, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("use one of {}", quoted(&known)),
            };
            problems.error(&here, format!("`{}` is no key that is known here", entry.key), instead);
        }
    }
}

/// A place of which there are many: the file's name is shared.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    file: Arc<Path>,
    mark: Mark,
}

impl Spot {
    /// The place.
    pub(super) fn place(&self) -> Place {
        Place { file: self.file.to_path_buf(), line: self.mark.line, column: self.mark.column }
    }
}

/// All that was found wrong.
#[derive(Debug, Default)]
pub(super) struct Problems {
    /// In the order in which they were found.
    pub(super) list: Vec<Problem>,
    /// Where a change may mend them, or make others.
    pub(super) watched: Watched,
    /// The secret stores, which references name.
    pub(super) stores: Stores,
    /// Files that are not there yet, and are read as if they were.
    pub(super) pending: Pending,
}

impl Problems {
    /// Something because of which the configuration is not taken.
    pub(super) fn error(&mut self, at: &Scope<'_>, what: impl Into<String>, instead: impl Into<String>) {
        self.add(at, Gravity::Error, &what.into(), instead.into());
    }

    /// Something that is probably not meant.
    pub(super) fn warning(&mut self, at: &Scope<'_>, what: impl Into<String>, instead: impl Into<String>) {
        self.add(at, Gravity::Warning, &what.into(), instead.into());
    }

    fn add(&mut self, at: &Scope<'_>, gravity: Gravity, what: &str, instead: String) {
        self.list.push(Problem { place: at.place(), key: at.path(), gravity, what: echoed(what), instead });
    }

    /// Whether the configuration can't be taken.
    pub(super) fn any_error(&self) -> bool {
        self.list.iter().any(|problem| problem.gravity == Gravity::Error)
    }

    /// The value of a field of the right shape; complains of another shape.
    pub(super) fn take<T>(&mut self, field: Field<T>, at: &Scope<'_>) -> Option<T> {
        match field {
            Field::Absent => None,
            Field::Good(value) => Some(value),
            Field::Bad(what) => {
                let instead = if what.contains("where a list") { "write a list: `[one, two]`" } else { SHAPE };
                self.error(at, what, instead);
                None
            }
        }
    }

    /// The value of a field that must be there.
    pub(super) fn require<T>(&mut self, field: Field<T>, at: &Scope<'_>, example: &str) -> Option<T> {
        if !field.is_written() {
            let path = at.path();
            let key = path.rsplit('.').next().unwrap_or_default();
            self.error(at, format!("`{key}` is missing"), format!("write `{key}: {example}`"));
        }
        self.take(field, at)
    }

    /// The items of a list that have the right shape, each with its position.
    pub(super) fn items<T>(&mut self, field: Field<Vec<Field<T>>>, at: &Scope<'_>) -> Vec<(usize, T)> {
        let items = self.take(field, at).unwrap_or_default();
        let numbered = items.into_iter().enumerate();
        numbered.filter_map(|(index, item)| Some((index, self.take(item, &at.item(index))?))).collect()
    }

    /// Reads a word; where it can't be read, complains with the reader's sentence, which is `what; instead`.
    pub(super) fn parse<T>(
        &mut self,
        field: Field<Word>,
        at: &Scope<'_>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let Word(text) = self.take(field, at)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(sentence) => {
                self.sentence(at, &sentence);
                None
            }
        }
    }

    /// An error by a reader's sentence, which is `what; instead`.
    pub(super) fn sentence(&mut self, at: &Scope<'_>, sentence: &str) {
        let (what, instead) = sentence.split_once("; ").unwrap_or((sentence, SHAPE));
        // The reader's sentence may repeat what was written.
        self.error(at, what, echoed(instead));
    }

    /// A duration above zero, or the default.
    pub(super) fn duration(
        &mut self,
        field: Field<Word>,
        at: &Scope<'_>,
        default: std::time::Duration,
    ) -> std::time::Duration {
        let read = |text: &str| match parse_duration(text)? {
            std::time::Duration::ZERO => Err("it can't be zero; write a duration like `10s` or `5m`".to_owned()),
            duration => Ok(duration),
        };
        self.parse(field, at, read).unwrap_or(default)
    }
}

/// What to do about a value of the wrong shape.
const SHAPE: &str = "see the example in the documentation, or `scorewatch schema`";

/// Most known words that are compared with a misspelt one; there are some 600 time zones.
const CANDIDATES_MAX: usize = 1_000;

/// The known word that was probably meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Long texts are no slips of the pen, and the distance costs the product of both lengths.
    if word.len() > 64 {
        return None;
    }
    let lower = word.to_lowercase().replace('-', "_");
    let distances = known.into_iter().take(CANDIDATES_MAX).map(|candidate| {
        let plain = candidate.to_lowercase().replace('-', "_");
        (distance(&lower, &plain), candidate)
    });
    let limit = (word.chars().count() / 3).clamp(1, 3);
    distances.filter(|(distance, _)| *distance <= limit).min_by_key(|(distance, _)| *distance).map(|(_, meant)| meant)
}

/// How many letters must be added, dropped, changed or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let changed = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

/// Words in a row: `` `a`, `b`, `c` ``.
pub(super) fn quoted(words: &[impl AsRef<str>]) -> String {
    words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(", ")
}
