//! Where each key and value of a YAML file stands, and whether the file may be read at all.
//!
//! The YAML reader keeps no places, lets the last of two equal keys win in untyped values, and spends seconds on nesting bombs.
//! So this pass goes first: it bounds size, depth and aliases, refuses what would be misread, and remembers every place.

use std::collections::HashMap;

use granit_parser::{Event, Parser, Span, Tag};

/// Largest file, in bytes: 10,000 tenants of 400 bytes.
pub(super) const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Deepest nesting; a configuration needs six.
const DEPTH_MAX: usize = 64;
/// Most nodes that aliases may add to what is written.
const ALIAS_NODES_MAX: usize = 100_000;

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
    /// A list.
    List(Vec<Node>),
    /// A mapping, in file order.
    Mapping(Vec<Entry>),
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
    pub(super) instead: &'static str,
}

impl Mark {
    /// The beginning of a file.
    pub(super) const START: Self = Self { line: 1, column: 1 };

    fn of(span: &Span) -> Self {
        Self { line: span.start.line().max(1), column: span.start.col() + 1 }
    }
}

impl Node {
    /// The value of that key, if this is a mapping that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.content {
            Content::Mapping(entries) => entries.iter().find(|entry| &*entry.key == key).map(|entry| &entry.value),
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

    fn size(&self) -> usize {
        1 + match &self.content {
            Content::Scalar => 0,
            Content::List(items) => items.iter().map(Self::size).sum(),
            Content::Mapping(entries) => entries.iter().map(|entry| entry.value.size()).sum(),
        }
    }
}

/// Reads the places of a file. `None`: it holds nothing but comments.
///
/// # Errors
/// All [`Fault`]s up to the first that ends the reading.
pub(super) fn read(text: &str) -> Result<Option<Node>, Vec<Fault>> {
    let mut builder = Builder::default();
    for next in Parser::new_from_str(text) {
        let outcome = match next {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => {
                let marker = error.marker();
                Err(Fault {
                    mark: Mark { line: marker.line().max(1), column: marker.col() + 1 },
                    what: format!("this is no YAML: {}", error.info()),
                    instead: "check indentation (blanks, not tabs), quotes and brackets here and on the line above",
                })
            }
        };
        if let Err(fault) = outcome {
            builder.faults.push(fault);
            break;
        }
    }
    if builder.faults.is_empty() { Ok(builder.root) } else { Err(builder.faults) }
}

/// A collection that is not yet closed.
struct Open {
    mark: Mark,
    anchor: usize,
    content: Content,
    /// Where each key stood, to find it twice without comparing with all.
    seen: HashMap<Box<str>, Mark>,
    /// The key whose value comes next.
    key: Option<(Box<str>, Mark)>,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    alias_nodes: usize,
    documents: usize,
    root: Option<Node>,
    faults: Vec<Fault>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fault> {
        let mark = Mark::of(span);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(fault(mark, "a second document begins here", "keep one document per file"));
                }
            }
            Event::Scalar(text, _, anchor, tag) => {
                check_tag(tag.as_deref(), mark)?;
                if self.wants_key() {
                    self.take_key(&text, mark)?;
                } else {
                    self.place(Node { mark, content: Content::Scalar }, anchor);
                }
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), mark)?;
                self.begin(mark, anchor, Content::List(Vec::new()))?;
            }
            Event::MappingStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), mark)?;
                self.begin(mark, anchor, Content::Mapping(Vec::new()))?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { mark, anchor, content, .. }) = self.open.pop() {
                    self.place(Node { mark, content }, anchor);
                }
            }
            Event::Alias(anchor) => self.take_alias(anchor, mark)?,
            _ => {}
        }
        Ok(())
    }

    fn wants_key(&self) -> bool {
        self.open.last().is_some_and(|open| matches!(open.content, Content::Mapping(_)) && open.key.is_none())
    }

    fn take_key(&mut self, text: &str, mark: Mark) -> Result<(), Fault> {
        if text == "<<" {
            return Err(fault(
                mark,
                "merge keys (`<<`) are not read",
                "write the keys out, or name a whole value with `&name` and repeat it with `*name`",
            ));
        }
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        if let Some(first) = open.seen.insert(text.into(), mark) {
            open.seen.insert(text.into(), first);
            self.faults.push(Fault {
                mark,
                what: format!(
                    "`{text}` stands here a second time; the first is on line {}, column {}",
                    first.line, first.column
                ),
                instead: "keep one of the two",
            });
        }
        open.key = Some((text.into(), mark));
        Ok(())
    }

    fn take_alias(&mut self, anchor: usize, mark: Mark) -> Result<(), Fault> {
        if self.wants_key() {
            return Err(fault(mark, "an alias stands where a key belongs", "write the key out"));
        }
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(fault(mark, "this alias refers to itself", "write the value out"));
        };
        self.alias_nodes += node.size();
        if self.alias_nodes > ALIAS_NODES_MAX {
            return Err(Fault {
                mark,
                what: format!("aliases repeat more than {ALIAS_NODES_MAX} values"),
                instead: "write the values out, or split the file",
            });
        }
        let depth = self.open.len() + node_depth(node);
        if depth > DEPTH_MAX {
            return Err(too_deep(mark));
        }
        let node = node.clone();
        self.place(node, 0);
        Ok(())
    }

    fn begin(&mut self, mark: Mark, anchor: usize, content: Content) -> Result<(), Fault> {
        if self.wants_key() {
            return Err(fault(
                mark,
                "a list or mapping stands where a key belongs",
                "write a plain word before the colon",
            ));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(mark));
        }
        self.open.push(Open { mark, anchor, content, seen: HashMap::new(), key: None });
        Ok(())
    }

    /// Puts a complete value where it belongs.
    fn place(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(open) => match &mut open.content {
                Content::List(items) => items.push(node),
                Content::Mapping(entries) => {
                    if let Some((key, mark)) = open.key.take() {
                        entries.push(Entry { key, mark, value: node });
                    }
                }
                Content::Scalar => {}
            },
        }
    }
}

fn node_depth(node: &Node) -> usize {
    match &node.content {
        Content::Scalar => 0,
        Content::List(items) => 1 + items.iter().map(node_depth).max().unwrap_or(0),
        Content::Mapping(entries) => 1 + entries.iter().map(|entry| node_depth(&entry.value)).max().unwrap_or(0),
    }
}

fn check_tag(tag: Option<&Tag>, mark: Mark) -> Result<(), Fault> {
    match tag {
        Some(_) => {
            Err(fault(mark, "tags (`!name`) are not read", "delete the tag; put the value in quotes if it is a text"))
        }
        None => Ok(()),
    }
}

fn too_deep(mark: Mark) -> Fault {
    Fault {
        mark,
        what: format!("values are nested more than {DEPTH_MAX} deep"),
        instead: "check the brackets; a configuration needs six levels",
    }
}

fn fault(mark: Mark, what: &str, instead: &'static str) -> Fault {
    Fault { mark, what: what.to_owned(), instead }
}
