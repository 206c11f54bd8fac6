//! What is behind an error of YAML: what people meant who wrote it.

use serde_yaml::{Mapping, Value};

use super::super::marks::{Entry, Fault};

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
    if info.contains("mapping values are not allowed") {
        let what = "a second `:` follows in one value".to_owned();
        return Some((what, "put a value that holds `: ` in quotes, or check the indentation of this line"));
    }
    if info.contains("comment intercepting") {
        let what = "the next line is indented further than this one, so it continues this value".to_owned();
        return Some((what, "indent it like the keys around it"));
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
            instead: "write a decimal point, like `52.5`",
        })
    })
}
