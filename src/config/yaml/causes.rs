//! What is behind an error of YAML: what people meant who wrote it.

use serde_yaml::{Mapping, Value};

use super::super::{
    disguise,
    marks::{Entry, Fault, Mark},
};

/// How many lines before a syntax error its cause is looked for: a text may go over several lines.
const LINES_BACK: usize = 8;

/// A key that is none because a no-break space follows its colon, on the line of a syntax error or shortly before it.
pub(super) fn unread_key(text: &str, line: usize) -> Option<Fault> {
    let lines: Vec<(usize, &str)> = (1..=line).zip(text.lines()).skip(line.saturating_sub(LINES_BACK)).collect();
    lines.into_iter().rev().filter(|(_, written)| !written.trim_start().starts_with('#')).find_map(|(line, written)| {
        let (begin, what, instead) = disguise::unread_key(written)?;
        let column = written[..begin].chars().count() + 1;
        Some(Fault { mark: Mark { line, column }, what, instead: instead.into() })
    })
}

/// A `#` without quotation marks, behind which the bracket that is missing is a comment; on the line of a syntax error or before it.
pub(super) fn swallowed(info: &str, text: &str, line: usize) -> Option<Fault> {
    if !info.contains("did not find expected ','") {
        return None;
    }
    let lines: Vec<(usize, &str)> = (1..=line).zip(text.lines()).skip(line.saturating_sub(LINES_BACK)).collect();
    lines.into_iter().rev().find_map(|(line, written)| {
        let (before, comment) = written.split_once(" #")?;
        let count = |text: &str, brackets: [char; 2]| text.matches(brackets).count();
        let is_open = count(before, ['{', '[']) > count(before, ['}', ']']);
        let is_value = before.trim_end().ends_with(':');
        (is_open && is_value && count(comment, ['}', ']']) > 0).then(|| {
            let value = comment.split([',', '}', ']']).next().unwrap_or_default().trim();
            let column = before.chars().count() + 2;
            let what = format!("` #` begins a comment, so YAML reads neither `#{value}` nor the bracket behind it");
            let instead = format!("put the value in quotes: `\"#{value}\"`");
            Fault { mark: Mark { line, column }, what, instead: instead.into() }
        })
    })
}

/// The cause of a syntax error, by the parser's words and the line: what is wrong, and what to do. `None`: not known.
pub(super) fn of(info: &str, line: &str) -> Option<(String, &'static str)> {
    let value = line.split_once(": ").map_or(line, |(_, value)| value).trim_start();
    if info.contains("unknown anchor") && (value.starts_with("*/") || value.starts_with("* ")) {
        let what = "YAML reads a `*` at the beginning of a value as an alias".to_owned();
        return Some((what, "put the schedule in quotes, seconds first: `\"0 */15 * * * *\"`"));
    }
    if info.contains("unknown anchor") {
        let what = "YAML reads a `*` at the beginning of a value as an alias, and nothing has that name".to_owned();
        return Some((what, "put the value in quotes, or name a value with `&name` before"));
    }
    if info.contains("mapping values are not allowed")
        && ["file:", "env:", "credential:"].iter().any(|place| value.starts_with(place))
    {
        let what = "a second `:` follows in one value".to_owned();
        return Some((what, "put what follows the first one in braces, like `{ file: PATH }`"));
    }
    if info.contains("mapping values are not allowed") {
        let what = "a second `:` follows in one value".to_owned();
        return Some((what, "put a value that holds `: ` in quotes, or check the indentation of this line"));
    }
    if info.contains("comment intercepting") {
        let what = "the next line is indented further than this one, so it continues this value".to_owned();
        return Some((what, "indent it like the keys around it"));
    }
    if info.contains("escape character") {
        let what = "a backslash begins an escape in double quotes, and there is none like this one".to_owned();
        return Some((what, "put the text in single quotes; in a path, write `/`"));
    }
    if info.contains("unclosed quote") {
        return Some(("the quotation mark is never closed".to_owned(), "close it on the same line"));
    }
    if info.contains("did not find expected ',' or") {
        let what = "a bracket that was opened above is not closed".to_owned();
        return Some((what, "close it: each `{` needs a `}`, and each `[` a `]`"));
    }
    None
}

/// A number with a decimal comma in a mapping on one line: YAML reads `{ below: 52,5 }` as two keys.
pub(super) fn decimal_comma(entries: &[Entry], values: &Mapping) -> Option<Fault> {
    let value = |entry: &Entry| values.get(&*entry.key);
    entries.windows(2).find_map(|pair| {
        let [number, rest] = pair else { return None };
        let is_rest = rest.key.trim_end_matches("pts").trim_end_matches('%').bytes().all(|byte| byte.is_ascii_digit());
        let Some(Value::Number(whole)) = value(number) else { return None };
        let is_one = is_rest && rest.key.starts_with(|letter: char| letter.is_ascii_digit());
        (is_one && value(rest).is_some_and(Value::is_null)).then(|| Fault {
            mark: number.value.mark,
            what: format!("`{whole},{}` has a decimal comma, which separates two keys here", rest.key),
            instead: format!("write a decimal point: `{whole}.{}`", rest.key).into(),
        })
    })
}

/// Keys that hold a list of words.
const LISTS: [&str; 7] = ["notify", "to", "scores", "rules", "tenants", "exec", "show"];

/// A list without brackets in a mapping on one line: YAML reads `{ notify: soc, too }` as two keys.
pub(super) fn bare_list(entries: &[Entry], values: &Mapping, text: &str) -> Option<Fault> {
    entries.iter().enumerate().find_map(|(index, entry)| {
        let key = LISTS.into_iter().find(|key| *key == &*entry.key)?;
        let first = values.get(key)?.as_str()?;
        // What follows on the same line, and has neither a colon nor a value.
        let is_word = |next: &&Entry| {
            let is_alone = values.get(&*next.key).is_some_and(Value::is_null) && next.mark.line == entry.mark.line;
            is_alone && !has_colon(next, text)
        };
        let rest: Vec<&str> = entries.get(index + 1..)?.iter().take_while(is_word).map(|next| &*next.key).collect();
        let second = rest.first()?;
        Some(Fault {
            mark: entry.value.mark,
            what: format!("a `,` separates two keys here, so `{second}` is read as a key"),
            instead: format!("write a list: `{key}: [{first}, {}]`", rest.join(", ")).into(),
        })
    })
}

fn has_colon(entry: &Entry, text: &str) -> bool {
    let line = text.lines().nth(entry.mark.line - 1).unwrap_or_default();
    let after = line.chars().skip(entry.mark.column - 1 + entry.key.chars().count());
    after
        .skip_while(|letter| letter.is_whitespace() || matches!(letter, '"' | '\''))
        .take(1)
        .any(|letter| letter == ':')
}
