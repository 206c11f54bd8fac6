//! The one reader of YAML: the values of a file, and where each stands.
//!
//! One parser reads the structure (YAML 1.2), so that no comment becomes configuration because a second parser sees a line break
//! where the first sees none. What other YAML readers would read differently is refused: hidden characters, directives, tags,
//! merge keys, several documents. Every limit is checked before the value that exceeds it is built, so that a small file can't
//! take much memory or time.

mod ambiguous;
mod causes;

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, options};
use serde_yaml::{Mapping, Number, Value};

use super::marks::{Content, Entries, Entry, Fault, Mark, Node};

/// Largest file, in bytes: 10,000 tenants of 400 bytes.
pub(super) const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Deepest nesting, in levels; a configuration needs six.
const DEPTH_MAX: usize = 64;
/// Most values in a file, those that aliases repeat included.
const VALUES_MAX: usize = 500_000;
/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 1024;
/// Most values that are given a name (`&name`).
const ANCHORS_MAX: usize = 1_000;
/// Most values that aliases may repeat.
const ALIAS_VALUES_MAX: usize = 100_000;
/// Most text that aliases may repeat, in bytes.
const ALIAS_BYTES_MAX: usize = FILE_BYTES_MAX;
/// Most keys that are reported as standing there twice.
const FAULTS_MAX: usize = 1_000;
/// A file's content: each value, and where it stands.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) node: Node,
    pub(super) value: Value,
}

/// Reads a file's text. `None`: it holds nothing but comments.
///
/// # Errors
/// All [`Fault`]s up to the first that ends the reading.
pub(super) fn read(text: &str) -> Result<Option<Document>, Vec<Fault>> {
    if text.len() > FILE_BYTES_MAX {
        return Err(vec![too_large()]);
    }
    let faults = ambiguous::characters_of(text);
    if !faults.is_empty() {
        return Err(faults);
    }
    if let Some(mark) = ambiguous::leading_end(text) {
        return Err(vec![fault(mark, "the document ends before anything is in it", "delete the `...`")]);
    }
    let mut builder = Builder { text, ..Builder::default() };
    let options = options! {
        disallow_directives: true,
        emit_comments: false,
        emit_anchor_events: true,
        block_scalar_eof_without_line_feed: true,
    };
    for next in Parser::new_from_str_with_options(text, options) {
        let outcome = match next {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => Err(syntax(&error, text)),
        };
        if let Err(fault) = outcome {
            builder.faults.push(fault);
            break;
        }
    }
    if builder.faults.is_empty() { Ok(builder.root) } else { Err(builder.faults) }
}

/// The file is larger than [`FILE_BYTES_MAX`].
pub(super) fn too_large() -> Fault {
    fault(
        Mark::START,
        "the file is larger than 4 MiB",
        "split it: `tenants:` and `rules:` take patterns like `tenants/*.yaml`",
    )
}

fn syntax(error: &ScanError, text: &str) -> Fault {
    let marker = error.marker();
    let mark = Mark { line: marker.line().max(1), column: marker.col() + 1 };
    if let Some(fault) = causes::unread_key(text, mark.line) {
        return fault;
    }
    if let Some(fault) = causes::swallowed(&error.info(), text, mark.line) {
        return fault;
    }
    let line = text.lines().nth(mark.line - 1).unwrap_or_default();
    let cause = causes::of(&error.info(), line);
    let (what, instead) = cause.unwrap_or_else(|| {
        let instead = "check indentation (spaces, not tabs), quotes and brackets here and on the line above";
        (format!("this is not YAML: {}", error.info()), instead)
    });
    Fault { mark, what, instead: instead.into() }
}

/// What the parser says of a value, as far as it is needed to build it; kept while it may be repeated by an alias.
#[derive(Clone)]
enum Token {
    Scalar { text: Box<str>, is_plain: bool, mark: Mark },
    Open { is_mapping: bool, mark: Mark },
    Close,
    Alias { anchor: usize, mark: Mark },
}

/// A collection that is not yet closed.
struct Open {
    mark: Mark,
    anchor: usize,
    building: Building,
}

enum Building {
    List {
        nodes: Vec<Node>,
        values: Vec<Value>,
    },
    Mapping {
        entries: Vec<Entry>,
        values: Mapping,
        /// Where each key stood, to find it twice without comparing with all.
        seen: HashMap<Box<str>, Mark>,
        /// The key whose value comes next.
        key: Option<(Box<str>, Mark)>,
    },
}

#[derive(Default)]
struct Builder<'text> {
    text: &'text str,
    open: Vec<Open>,
    /// What was read while a named value was open, or is named: what aliases repeat.
    kept: Vec<Token>,
    /// Which part of `kept` is the value of an anchor; without an end while it is open.
    anchors: HashMap<usize, (usize, Option<usize>)>,
    /// How many collections with an anchor are open.
    open_anchors: usize,
    values: usize,
    alias_values: usize,
    alias_bytes: usize,
    documents: usize,
    root: Option<Document>,
    faults: Vec<Fault>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fault> {
        let mark = Mark::of(span);
        let (token, anchor) = match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(fault(mark, "a second document begins here", "keep one document per file"));
                }
                return Ok(());
            }
            Event::Scalar(text, style, anchor, tag) => {
                ambiguous::check_tag(tag.as_deref(), mark)?;
                ambiguous::check_colon(self.text, style, span)?;
                ambiguous::check_scalar(&text, style, span, self.wants_key(), self.open.is_empty())?;
                let is_plain = style == ScalarStyle::Plain;
                (Token::Scalar { text: text.into(), is_plain, mark }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                ambiguous::check_tag(tag.as_deref(), mark)?;
                (Token::Open { is_mapping: false, mark }, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                ambiguous::check_tag(tag.as_deref(), mark)?;
                (Token::Open { is_mapping: true, mark }, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => (Token::Close, 0),
            Event::Alias(anchor) => (Token::Alias { anchor, mark }, 0),
            Event::Anchor(_, name) => return ambiguous::check_anchor(&name, self.text, span),
            _ => return Ok(()),
        };
        self.keep(&token, anchor, mark)?;
        self.apply(token, anchor)
    }

    /// Keeps what an alias may repeat.
    fn keep(&mut self, token: &Token, anchor: usize, mark: Mark) -> Result<(), Fault> {
        if anchor != 0 {
            if self.anchors.len() == ANCHORS_MAX {
                let what = format!("more than {ANCHORS_MAX} values are named with `&`");
                return Err(Fault { mark, what, instead: "write the values out, or split the file".into() });
            }
            let is_scalar = matches!(token, Token::Scalar { .. });
            let from = self.kept.len();
            self.anchors.insert(anchor, (from, is_scalar.then_some(from + 1)));
            self.open_anchors += usize::from(!is_scalar);
        }
        if anchor != 0 || self.open_anchors > 0 {
            self.kept.push(token.clone());
        }
        Ok(())
    }

    fn apply(&mut self, token: Token, anchor: usize) -> Result<(), Fault> {
        match token {
            Token::Scalar { text, is_plain, mark } if self.wants_key() => self.take_key(text, is_plain, mark),
            Token::Scalar { text, is_plain, mark } => {
                self.count(mark)?;
                let value = if is_plain { plain(&text) } else { Value::String(text.into()) };
                self.place(Node { mark, content: Content::Scalar }, value);
                Ok(())
            }
            Token::Open { is_mapping, mark } => self.begin(is_mapping, mark, anchor),
            Token::Close => {
                self.end();
                Ok(())
            }
            Token::Alias { anchor, mark } => self.repeat(anchor, mark),
        }
    }

    fn count(&mut self, mark: Mark) -> Result<(), Fault> {
        self.values += 1;
        if self.values <= VALUES_MAX {
            return Ok(());
        }
        let what = format!("the file holds more than {VALUES_MAX} values");
        Err(Fault {
            mark,
            what,
            instead: "split it: `tenants:` and `rules:` take patterns like `tenants/*.yaml`".into(),
        })
    }

    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { building: Building::Mapping { key: None, .. }, .. }))
    }

    fn take_key(&mut self, text: Box<str>, is_plain: bool, mark: Mark) -> Result<(), Fault> {
        if is_plain && &*text == "<<" {
            return Err(fault(
                mark,
                "merge keys (`<<`) are not read",
                "write the keys out, or name a whole value with `&name` and repeat it with `*name`",
            ));
        }
        if text.len() > KEY_BYTES_MAX {
            let what = format!("this key has {} bytes, more than {KEY_BYTES_MAX}", text.len());
            return Err(Fault { mark, what, instead: "write a plain word before the colon".into() });
        }
        let Some(Open { building: Building::Mapping { seen, key, .. }, .. }) = self.open.last_mut() else {
            return Ok(());
        };
        match seen.get(&text) {
            Some(_) if self.faults.len() >= FAULTS_MAX => {}
            Some(first) => {
                let what =
                    format!("duplicate key `{text}`; the first is on line {}, column {}", first.line, first.column);
                self.faults.push(Fault { mark, what, instead: "keep one of the two".into() });
            }
            None => drop(seen.insert(text.clone(), mark)),
        }
        *key = Some((text, mark));
        Ok(())
    }

    /// Reads the value of an anchor once more. Values are built from what was kept, never from copies of copies.
    fn repeat(&mut self, anchor: usize, mark: Mark) -> Result<(), Fault> {
        if self.wants_key() {
            return Err(fault(mark, "expected a key, found an alias", "write the key out"));
        }
        let Some(&(from, Some(until))) = self.anchors.get(&anchor) else {
            return Err(fault(mark, "this alias refers to itself", "write the value out"));
        };
        for index in from..until {
            let Some(token) = self.kept.get(index).cloned() else { continue };
            self.count_repeated(&token, mark)?;
            // An alias within the value stands deeper than its own anchor, so the depth bounds this recursion, too.
            self.apply(token, 0)?;
        }
        Ok(())
    }

    fn count_repeated(&mut self, token: &Token, mark: Mark) -> Result<(), Fault> {
        if let Token::Scalar { text, .. } = token {
            self.alias_bytes += text.len();
        }
        self.alias_values += 1;
        let what = if self.alias_values > ALIAS_VALUES_MAX {
            format!("aliases repeat more than {ALIAS_VALUES_MAX} values")
        } else if self.alias_bytes > ALIAS_BYTES_MAX {
            format!("aliases repeat more than {ALIAS_BYTES_MAX} bytes of text")
        } else {
            return Ok(());
        };
        Err(Fault { mark, what, instead: "write the values out, or split the file".into() })
    }

    fn begin(&mut self, is_mapping: bool, mark: Mark, anchor: usize) -> Result<(), Fault> {
        if self.wants_key() {
            return Err(fault(mark, "expected a key, found a list or mapping", "write a plain word before the colon"));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(Fault {
                mark,
                what: format!("values are nested more than {DEPTH_MAX} deep"),
                instead: "check the brackets; a configuration needs six levels".into(),
            });
        }
        self.count(mark)?;
        let building = if is_mapping {
            Building::Mapping { entries: Vec::new(), values: Mapping::new(), seen: HashMap::new(), key: None }
        } else {
            Building::List { nodes: Vec::new(), values: Vec::new() }
        };
        self.open.push(Open { mark, anchor, building });
        Ok(())
    }

    fn end(&mut self) {
        let Some(Open { mark, anchor, building }) = self.open.pop() else { return };
        if anchor != 0 {
            self.open_anchors = self.open_anchors.saturating_sub(1);
            let until = self.kept.len();
            self.anchors.entry(anchor).and_modify(|range| range.1 = Some(until));
        }
        match building {
            Building::List { nodes, values } => {
                self.place(Node { mark, content: Content::List(nodes) }, Value::Sequence(values));
            }
            Building::Mapping { entries, values, .. } => {
                self.faults.extend(causes::decimal_comma(&entries, &values));
                self.faults.extend(causes::bare_list(&entries, &values, self.text));
                let content = Content::Mapping(Entries::new(entries));
                self.place(Node { mark, content }, Value::Mapping(values));
            }
        }
    }

    /// Puts a complete value where it belongs.
    fn place(&mut self, node: Node, value: Value) {
        match self.open.last_mut().map(|open| &mut open.building) {
            None => self.root = Some(Document { node, value }),
            Some(Building::List { nodes, values }) => {
                nodes.push(node);
                values.push(value);
            }
            Some(Building::Mapping { entries, values, key, .. }) => {
                if let Some((key, mark)) = key.take() {
                    values.insert(Value::String(key.to_string()), value);
                    entries.push(Entry { key, mark, value: node });
                }
            }
        }
    }
}

/// What a scalar without quotes is: nothing, a truth value, a number, or the text as it is written (YAML 1.2, core schema). A
/// number in another notation than the usual one (`0x1F`, `1e3`, `1.50`) stays the text that it is written as: whoever needs a
/// number reads it, and a name stays what it is.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        text => match text.parse::<Number>() {
            Ok(number) if number.to_string() == text => Value::Number(number),
            _ => Value::String(text.to_owned()),
        },
    }
}

fn fault(mark: Mark, what: &str, instead: &'static str) -> Fault {
    Fault { mark, what: what.to_owned(), instead: instead.into() }
}

#[cfg(test)]
mod tests;
