//! Where in the files the validation stands, and the problems that it has found.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use super::{
    disguise,
    examples::{self, Misfit},
    field::{Field, Word},
    marks::{Content, Mark, Node},
    repeated,
    spelling::{nearest, quoted},
};
use crate::{
    diagnostic::{Level, Place, Problem, Warning},
    domain::{Complaint, parse_duration},
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
    /// The scope of a whole file.
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

    /// Whether this is a mapping that has that key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.node.is_some_and(|node| node.get(key).is_some())
    }

    fn child(&self, node: Option<&'a Node>, step: Step<'a>) -> Self {
        Self { file: self.file, mark: node.map_or(self.mark, |node| node.mark), node, step }
    }

    /// The folder that relative paths start from.
    pub(super) fn folder(&self) -> &'a Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// The place in the file, for problems.
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

    /// Complains of every key that is none of these. What follows from it is not reported: see [`Problems::missing`].
    pub(super) fn only(&self, known: &[&'static str], problems: &mut Problems) {
        self.only_near(known, known, problems);
    }

    /// The same, where not every known key is worth proposing.
    pub(super) fn only_near(&self, known: &[&'static str], near: &[&'static str], problems: &mut Problems) {
        let Some(Node { content: Content::Mapping(entries), .. }) = self.node else { return };
        let plain = |keys: &[&'static str]| -> Vec<&'static str> {
            keys.iter().map(|key| key.trim_start_matches("r#")).collect()
        };
        let (known, near) = (plain(known), plain(near));
        // What belongs elsewhere as a whole lacks everything here.
        let is_foreign = !entries.iter().any(|entry| known.contains(&&*entry.key));
        for entry in entries.iter().filter(|entry| !known.contains(&&*entry.key)) {
            let here = Scope { mark: entry.mark, ..self.key(&entry.key) };
            if let Some((what, instead)) = disguise::of(&entry.key) {
                problems.add_unknown_keys(self, 1);
                problems.error(&here, what, instead);
                continue;
            }
            let absent = near.iter().copied().filter(|key| !self.has(key));
            let elsewhere = examples::elsewhere(&entry.key, &near);
            let suggested = match elsewhere {
                Some(_) => None,
                None => nearest(&entry.key, absent).or_else(|| nearest(&entry.key, near.iter().copied())),
            };
            if let Some((what, instead)) = joined(&entry.key, &near).or_else(|| disguised(&entry.key, suggested)) {
                let meant = suggested.or_else(|| near.iter().copied().find(|key| entry.key.starts_with(key)));
                if let Some(meant) = meant {
                    problems.misspelt.insert(self.key(meant).identity());
                }
                problems.error(&here, what, instead);
                continue;
            }
            let instead = match (elsewhere, suggested) {
                (Some(elsewhere), _) => elsewhere.to_owned(),
                (None, Some(suggested)) => format!("did you mean `{suggested}`?"),
                (None, None) => format!("use one of {}", quoted(&near)),
            };
            match suggested {
                Some(suggested) => drop(problems.misspelt.insert(self.key(suggested).identity())),
                None if elsewhere.is_none() => problems.add_unknown_keys(self, 1),
                None if is_foreign => problems.add_unknown_keys(self, usize::MAX),
                None => {}
            }
            problems.error(&here, format!("unknown key `{}`", entry.key), instead);
        }
    }

    /// The mapping that this is a key of.
    const fn mapping(&self) -> Option<&'a Scope<'a>> {
        match self.step {
            Step::Key(parent, _) => Some(parent),
            Step::Root | Step::Item(..) => None,
        }
    }

    /// What distinguishes it from everything else in the files.
    fn identity(&self) -> (Arc<Path>, String) {
        (Arc::clone(self.file), self.path())
    }
}

/// A key that YAML reads together with its value, since no space follows the colon: what is wrong, and what to write.
fn joined(key: &str, known: &[&str]) -> Option<(String, String)> {
    let (name, value) = key.split_once(':')?;
    let name = known.iter().find(|known| **known == name)?;
    let what = format!("no space follows `{name}:`, so YAML reads `{key}` as one word");
    Some((what, format!("write a space after the colon: `{name}: {value}`")))
}

/// A key with a letter of another alphabet that looks like one of its own: what is wrong, and what to write.
fn disguised(key: &str, suggested: Option<&str>) -> Option<(String, String)> {
    let (suggested, letter) = (suggested?, key.chars().find(|letter| letter.is_alphabetic() && !letter.is_ascii())?);
    let what = format!(
        "unknown key `{key}`: its `{letter}` (U+{:04X}) is a letter of another alphabet that looks like a Latin one",
        u32::from(letter)
    );
    Some((what, format!("type it again: `{suggested}`")))
}

/// A place of which there are many: the file's name is shared.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    file: Arc<Path>,
    mark: Mark,
}

impl Spot {
    /// The place in the file, for problems.
    pub(super) fn place(&self) -> Place {
        Place { file: self.file.to_path_buf(), line: self.mark.line, column: self.mark.column }
    }
}

/// All that was found wrong.
#[derive(Debug, Default)]
pub(super) struct Problems {
    /// In the order in which they were found.
    pub(super) list: Vec<Problem>,
    /// Keys that misspelt ones were probably meant for.
    misspelt: HashSet<(Arc<Path>, String)>,
    /// How many unknown keys a mapping has that may be meant for anything.
    unknown_keys: HashMap<(Arc<Path>, String), usize>,
    /// What is reported once, with all places at which it is found.
    one_for_all_places: HashSet<String>,
    /// Whether the names of the channels are not known, because what holds them can't be read.
    pub(super) channels_unread: bool,
}

impl Problems {
    /// Something because of which the configuration is not taken.
    pub(super) fn error(&mut self, at: &Scope<'_>, what: impl Into<String>, instead: impl Into<String>) {
        self.list.push(Problem::error(at.place(), at.path(), echoed(&what.into()), instead));
    }

    /// Something that is probably not meant.
    pub(super) fn warning(
        &mut self,
        warning: Warning,
        at: &Scope<'_>,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) {
        self.list.push(Problem::warning(warning, at.place(), at.path(), echoed(&what.into()), instead));
    }

    /// Puts them into file order, each once.
    pub(super) fn settle(&mut self) {
        self.list.sort();
        self.list.dedup();
        self.list = repeated::merge(std::mem::take(&mut self.list), &self.one_for_all_places);
    }

    /// Leaves out that there is no tenant or no rule where it is reported that a pattern matches no file, from which that follows.
    pub(super) fn leave_out_consequences(&mut self) {
        let causes = self.list.iter().filter(|problem| problem.warning == Some(Warning::PatternMatchesNothing));
        let keys: Vec<String> = causes.filter_map(|cause| Some(cause.key.split_once('[')?.0.to_owned())).collect();
        let follows = |problem: &Problem| {
            matches!(problem.warning, Some(Warning::NoTenants | Warning::NoRules)) && keys.contains(&problem.key)
        };
        self.list.retain(|problem| !follows(problem));
    }

    /// How many errors there are.
    pub(super) fn errors(&self) -> usize {
        self.list.iter().filter(|problem| problem.level == Level::Error).count()
    }

    /// Whether the configuration can't be taken.
    pub(super) fn any_error(&self) -> bool {
        self.list.iter().any(|problem| problem.level == Level::Error)
    }

    /// The value of a field of the right shape; complains of another shape.
    pub(super) fn take<T>(&mut self, field: Field<T>, at: &Scope<'_>) -> Option<T> {
        match field {
            Field::Absent => None,
            Field::Good(value) => Some(value),
            Field::Bad(Misfit { disguised: Some((what, instead)), .. }) => {
                self.error(at, what, instead);
                None
            }
            Field::Bad(misfit) => {
                let instead = examples::instead(&at.path(), &misfit);
                self.error(at, misfit.what, instead);
                None
            }
        }
    }

    /// Something is not there. That is not reported where an unknown key may be meant for it: the cause was. Each unknown key explains
    /// one missing key.
    pub(super) fn missing(&mut self, at: &Scope<'_>, what: impl Into<String>, instead: impl Into<String>) {
        if !self.is_misspelt(at) && !at.mapping().is_some_and(|mapping| self.is_unknown_key_meant(mapping)) {
            self.error(at, what, instead);
        }
    }

    /// Whether an unknown key of a mapping may be meant for one of these keys, none of which is there.
    pub(super) fn is_one_meant(&mut self, mapping: &Scope<'_>, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.is_misspelt(&mapping.key(key))) || self.is_unknown_key_meant(mapping)
    }

    /// Whether the mapping has an unknown key that explains no other missing key yet and may be meant for anything.
    fn is_unknown_key_meant(&mut self, mapping: &Scope<'_>) -> bool {
        if self.unknown_keys.is_empty() {
            return false;
        }
        let Some(left) = self.unknown_keys.get_mut(&mapping.identity()).filter(|left| **left > 0) else { return false };
        *left = if *left == usize::MAX { *left } else { *left - 1 };
        true
    }

    fn add_unknown_keys(&mut self, mapping: &Scope<'_>, count: usize) {
        let known = self.unknown_keys.entry(mapping.identity()).or_default();
        *known = known.saturating_add(count);
    }

    /// Whether a misspelt key was probably meant for this key.
    pub(super) fn is_misspelt(&self, at: &Scope<'_>) -> bool {
        !self.misspelt.is_empty() && self.misspelt.contains(&at.identity())
    }

    /// The value of a field that must be there.
    pub(super) fn require<T>(&mut self, field: Field<T>, at: &Scope<'_>, example: &str) -> Option<T> {
        if !field.is_written() {
            let path = at.path();
            let key = path.rsplit('.').next().unwrap_or_default();
            self.missing(at, format!("`{key}` is missing"), format!("write `{key}: {example}`"));
        }
        self.take(field, at)
    }

    /// The items of a list that have the right shape, each with its position.
    pub(super) fn items<T>(&mut self, field: Field<Vec<Field<T>>>, at: &Scope<'_>) -> Vec<(usize, T)> {
        let items = self.take(field, at).unwrap_or_default();
        let numbered = items.into_iter().enumerate();
        numbered.filter_map(|(index, item)| Some((index, self.take(item, &at.item(index))?))).collect()
    }

    /// Reads a word; where it can't be read, passes on the reader's complaint.
    pub(super) fn parse<T>(
        &mut self,
        field: Field<Word>,
        at: &Scope<'_>,
        read: impl FnOnce(&str) -> Result<T, Complaint>,
    ) -> Option<T> {
        let Word(text) = self.take(field, at)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(complaint) => {
                match disguise::of(&text) {
                    Some((what, instead)) => self.error(at, what, instead),
                    None => self.complain(at, complaint),
                }
                None
            }
        }
    }

    /// An error by what is disguised in a text that can't be read, or else by what the reader says of it.
    pub(super) fn refuse(&mut self, text: &str, at: &Scope<'_>, what: impl Into<String>, instead: impl Into<String>) {
        match disguise::of(text) {
            Some((what, instead)) => self.error(at, what, instead),
            None => self.error(at, what, instead),
        }
    }

    /// A name that is used at this place and perhaps at others, and is not defined anywhere: one error for all of them.
    pub(super) fn undefined(&mut self, name: &str, at: &Scope<'_>, what: String, instead: impl Into<String>) {
        self.one_for_all_places.insert(echoed(&what));
        self.refuse(name, at, what, instead);
    }

    /// An error by a reader's complaint.
    pub(super) fn complain(&mut self, at: &Scope<'_>, Complaint { what, instead }: Complaint) {
        // What to write may repeat what was written.
        self.error(at, what, echoed(&instead));
    }

    /// A duration above zero, or the default.
    pub(super) fn duration(
        &mut self,
        field: Field<Word>,
        at: &Scope<'_>,
        default: std::time::Duration,
    ) -> std::time::Duration {
        let read = |text: &str| match parse_duration(text)? {
            std::time::Duration::ZERO => Err(Complaint::new("it can't be zero", "write a duration like `10s` or `5m`")),
            duration => Ok(duration),
        };
        self.parse(field, at, read).unwrap_or(default)
    }
}
