//! Random documents, read by us and by libyaml, which shares no code with our parser: a document is refused here, or both read the
//! same. So no editor, linter or deployment tool sees another configuration than the service does.

use std::fmt::{self, Write};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_yaml::{Number, Value};

/// Documents of each generator in one run.
const DOCUMENTS: usize = 10_000;

/// A document as a reader sees it, with keys as text.
#[derive(Debug, Clone, PartialEq)]
enum Tree {
    Nothing,
    Truth(bool),
    Number(String),
    Text(String),
    List(Vec<Tree>),
    Mapping(Vec<(String, Tree)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Nothing)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Truth(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }
    fn visit_i128<E>(self, value: i128) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }
    fn visit_u128<E>(self, value: u128) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(Number::from(value).to_string()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Tree, A::Error> {
        let mut mapping = Vec::new();
        while let Some(key) = fields.next_key::<String>()? {
            mapping.push((key, fields.next_value()?));
        }
        Ok(Tree::Mapping(mapping))
    }
}

fn ours(value: &Value) -> Tree {
    match value {
        Value::Null => Tree::Nothing,
        Value::Bool(truth) => Tree::Truth(*truth),
        Value::Number(number) => Tree::Number(number.to_string()),
        Value::String(text) => Tree::Text(text.clone()),
        Value::Sequence(items) => Tree::List(items.iter().map(ours).collect()),
        Value::Mapping(fields) => {
            Tree::Mapping(fields.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), ours(value))).collect())
        }
        Value::Tagged(_) => panic!("tags are refused"),
    }
}

/// Whether both read the same. A number in an unusual notation is a number to them, and the text as written to us.
fn agree(ours: &Tree, theirs: &Tree) -> bool {
    match (ours, theirs) {
        (Tree::Text(text), Tree::Number(number)) => {
            text.parse::<Number>().is_ok_and(|read| read.to_string() == *number) || text.parse::<u128>().is_ok()
        }
        (Tree::List(ours), Tree::List(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| agree(ours, theirs))
        }
        (Tree::Mapping(ours), Tree::Mapping(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| ours.0 == theirs.0 && agree(&ours.1, &theirs.1))
        }
        _ => ours == theirs,
    }
}

/// What documents of the first kind are strung together from.
const PIECES: [&str; 62] = [
    "\n",
    "\n",
    "\n",
    "\n  ",
    "\n    ",
    "\n- ",
    "\n  - ",
    " ",
    "  ",
    "\t",
    "\r",
    "\r\n",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{FEFF}",
    "\u{A0}",
    ": ",
    ":",
    "- ",
    "-",
    "? ",
    "?",
    ", ",
    ",",
    "[",
    "]",
    "{",
    "}",
    "#",
    " #",
    " # c",
    "&a ",
    "&b",
    "*a",
    "*b",
    "!t ",
    "!!str ",
    "|",
    ">",
    "|-",
    ">+",
    "|2\n",
    "'",
    "\"",
    "\\",
    "\\n",
    "''",
    "%",
    "%YAML 1.1",
    "---",
    "...",
    "@",
    "`",
    "<<",
    "a",
    "b",
    "a: b",
    "1",
    "0x1",
    "~",
    "yes",
];

fn soup(random: &mut StdRng) -> String {
    let count = random.random_range(1..24);
    (0..count).map(|_| PIECES[random.random_range(0..PIECES.len())]).collect()
}

const SCALARS: [&str; 26] = [
    "a",
    "b c",
    "x: ",
    "'it''s'",
    "\"a\\nb\"",
    "\"a\\u2028b\"",
    "\"two\n  lines\"",
    "'two\n\n  lines'",
    "two\n  lines",
    "5",
    "1.5",
    "1e3",
    "0x1f",
    "010",
    "true",
    "yes",
    "null",
    "~",
    "",
    "http://a.example/b#c",
    "a#b",
    "-1",
    "- a",
    "\u{e9}\u{1F600}",
    "a\u{2028}b",
    "%a",
];
const COMMENTS: [&str; 8] = ["", "", "", " # plain", " # a: b", " #\u{2028}c: d", " # e\u{85}f: g", " # h\u{2029}- i"];
const BREAKS: [&str; 6] = ["\n", "\n", "\n", "\r\n", "\n\n", "\r"];

fn put(text: &mut String, more: fmt::Arguments<'_>) {
    text.write_fmt(more).unwrap();
}

/// A tree, written in block or flow style, with comments, anchors and every line break.
fn tree(random: &mut StdRng, depth: usize, indent: usize, text: &mut String) {
    let pick = |random: &mut StdRng, from: &[&str]| from[random.random_range(0..from.len())].to_owned();
    let pad = " ".repeat(indent);
    let end = |random: &mut StdRng| format!("{}{}", pick(random, &COMMENTS), pick(random, &BREAKS));
    match random.random_range(0..if depth == 0 { 2 } else { 6 }) {
        0 => put(text, format_args!("{}{}", pick(random, &SCALARS), end(random))),
        1 => {
            let style = pick(random, &["|", ">", "|-", ">-", "|+", ">+", "|1", ">2-"]);
            let end = end(random);
            put(text, format_args!("{style}{end}{pad} first{}{pad}   second\n", pick(random, &BREAKS)));
        }
        2 => {
            text.push_str(&pick(random, &["[", "[ ", "[\n ", "&a [", "{", "{ a: "]));
            for _ in 0..random.random_range(0..4) {
                let scalar = pick(random, &SCALARS);
                put(text, format_args!("{scalar}{}", pick(random, &[", ", ",", " , ", ",\n ", ": ", ", # c\n  "])));
            }
            put(text, format_args!("{}{}", pick(random, &["]", "]", "}", " ]"]), end(random)));
        }
        3 | 4 => {
            text.push_str(&end(random));
            for key in 0..random.random_range(1..4) {
                let name = pick(random, &["k", "k", "'q'", "\"d\"", "? e\n", "1", "-x", "&b k", "*a"]);
                put(text, format_args!("{pad}{name}{key}:{}", pick(random, &[" ", " ", "  ", "\t", " &a ", ""])));
                let indent = indent + random.random_range(0..3);
                tree(random, depth - 1, indent, text);
            }
        }
        _ => {
            text.push_str(&end(random));
            for _ in 0..random.random_range(1..4) {
                put(text, format_args!("{pad}-{}", pick(random, &[" ", " ", "   ", "\t", " - "])));
                tree(random, depth - 1, indent + 2, text);
            }
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "a failure names the seed that repeats it")]
fn a_random_document_is_refused_or_read_as_libyaml_reads_it() {
    let documents = std::env::var("SCOREWATCH_YAML_DOCUMENTS").ok().and_then(|count| count.parse().ok());
    let documents = documents.unwrap_or(DOCUMENTS);
    let seed = std::env::var("SCOREWATCH_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(rand::random);
    println!("SCOREWATCH_FUZZ_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let (mut read, mut structured) = (0, 0);
    let mut differ = Vec::new();
    for number in 0..2 * documents {
        let mut text = String::new();
        if number % 2 == 0 {
            text = soup(&mut random);
        } else {
            tree(&mut random, 3, 0, &mut text);
        }
        let Ok(Some(document)) = super::read(&text) else { continue };
        read += 1;
        structured += usize::from(matches!(document.value, Value::Mapping(_) | Value::Sequence(_)));
        let ours = ours(&document.value);
        match serde_yaml::from_str::<Tree>(&text) {
            Ok(theirs) if agree(&ours, &theirs) => {}
            theirs => differ.push(format!("{text:?}\n  ours: {ours:?}\n  theirs: {theirs:?}")),
        }
    }
    assert!(read > documents / 10 && structured > documents / 40, "only {read} were read, {structured} with structure");
    assert!(differ.is_empty(), "{} of {read} differ:\n{}", differ.len(), differ[..differ.len().min(20)].join("\n"));
}
