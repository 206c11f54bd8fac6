//! Where each key and value of a YAML file stands, so that a problem can name its line and column.

use std::borrow::Cow;

use granit_parser::Span;

/// Mappings with more keys than this are searched by an index: a file may hold a hundred thousand keys side by side.
const UNINDEXED_KEYS_MAX: usize = 16;

/// A line and a column, from one; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) mark: Mark,
    pub(super) content: Content,
}

/// What a value is made of.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A text, number, boolean or nothing.
    Scalar,
    /// A list of nodes.
    List(Vec<Node>),
    /// A mapping from keys to nodes.
    Mapping(Entries),
}

/// The keys and values of a mapping, in file order.
#[derive(Debug, Clone)]
pub(super) struct Entries {
    list: Vec<Entry>,
    /// Positions in `list`, sorted by key; empty for a mapping of few keys.
    by_key: Box<[u32]>,
}

/// One key of a mapping and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: Box<str>,
    pub(super) mark: Mark,
    pub(super) value: Node,
}

/// Why a file can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) mark: Mark,
    pub(super) what: String,
    pub(super) instead: Cow<'static, str>,
}

impl Mark {
    /// The beginning of a file.
    pub(super) const START: Self = Self { line: 1, column: 1 };

    pub(super) fn of(span: &Span) -> Self {
        Self { line: span.start.line().max(1), column: span.start.col() + 1 }
    }
}

impl Entries {
    pub(super) fn new(list: Vec<Entry>) -> Self {
        let mut by_key: Vec<u32> = Vec::new();
        if list.len() > UNINDEXED_KEYS_MAX {
            by_key = (0_u32..).take(list.len()).collect();
            by_key.sort_by_key(|index| list.get(*index as usize).map(|entry| &*entry.key));
        }
        Self { list, by_key: by_key.into() }
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.list.iter()
    }

    fn get(&self, key: &str) -> Option<&Entry> {
        if self.by_key.is_empty() {
            return self.list.iter().find(|entry| &*entry.key == key);
        }
        let at = |index: &u32| self.list.get(*index as usize);
        let found = self.by_key.binary_search_by_key(&Some(key), |index| at(index).map(|entry| &*entry.key)).ok()?;
        self.by_key.get(found).and_then(at)
    }
}

impl Node {
    /// The value of that key, if this is a mapping that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.content {
            Content::Mapping(entries) => entries.get(key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// The value at that position, if this is a list that has it.
    pub(super) fn item(&self, index: usize) -> Option<&Self> {
        match &self.content {
            Content::List(items) => items.get(index),
            _ => None,
        }
    }
}
