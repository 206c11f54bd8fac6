//! What YAML readers read differently: it is refused, so that everybody sees the configuration that the service does.

use granit_parser::{ScalarStyle, Span, Tag};

use super::{
    super::marks::{Fault, Mark},
    fault,
};
use crate::domain::characters;

/// Most ambiguous characters that are reported one by one.
const AMBIGUOUS_REPORTED_MAX: usize = 20;

/// Each character that some readers take for a line break and others do not, that turns a line around, or that only some readers
/// take for indentation.
pub(super) fn characters_of(text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut mark = Mark::START;
    let mut is_indentation = true;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\r' && letters.peek() == Some(&'\n') {
            continue;
        }
        if letter == '\r' {
            faults.push(fault(
                mark,
                "this line ends with a carriage return (U+000D) alone, which many editors do not show as a line break",
                "save the file with Unix (LF) or Windows (CRLF) line breaks",
            ));
        }
        if matches!(letter, '\n' | '\r') {
            (mark, is_indentation) = (Mark { line: mark.line + 1, column: 1 }, true);
            continue;
        }
        if letter == '\t' && is_indentation {
            faults.push(fault(mark, "a tab can't indent a line or follow `-`, `?` or `:` there", "use spaces"));
        } else if matches!(letter, '\u{a0}' | '\u{202f}') && is_indentation {
            faults.push(fault(mark, "a no-break space (U+00A0) can't indent a line", "use spaces"));
        } else if letter != '\t' && characters::is_disruptive(letter) {
            faults.push(Fault {
                mark,
                what: format!("{} can't stand in a configuration file", characters::name(letter)),
                instead: "delete it; where a text needs it, write it as an escape like `\\u2028` in double quotes"
                    .into(),
            });
        }
        if faults.len() == AMBIGUOUS_REPORTED_MAX {
            break;
        }
        is_indentation &= matches!(letter, ' ' | '-' | '?' | ':');
        mark.column += 1;
    }
    faults
}

/// Where the mark of a document's end stands before any content.
pub(super) fn leading_end(text: &str) -> Option<Mark> {
    let is_content = |line: &str| !line.trim_start().is_empty() && !line.trim_start().starts_with('#');
    let mut lines = text.split(['\n', '\r']).zip(1..);
    let (first, line) = lines.find(|(line, _)| is_content(line))?;
    first.starts_with("...").then_some(Mark { line, column: 1 })
}

pub(super) fn check_tag(tag: Option<&Tag>, mark: Mark) -> Result<(), Fault> {
    match tag {
        Some(_) => {
            Err(fault(mark, "tags (`!name`) are not read", "delete the tag; put the value in quotes if it is a text"))
        }
        None => Ok(()),
    }
}

/// The name of a value may hold what every reader takes for a part of it, and ends where every reader sees its end.
pub(super) fn check_anchor(name: &str, text: &str, span: &Span) -> Result<(), Fault> {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let after = span.byte_range().and_then(|range| text.get(range.end..)?.chars().next());
    if is_plain && after.is_none_or(|after| after.is_ascii_whitespace() || matches!(after, ',' | ']' | '}')) {
        return Ok(());
    }
    Err(fault(
        Mark::of(span),
        "the name of a value (`&name`) holds, or is followed by, other characters than letters and digits",
        "write `&name`, followed by a blank",
    ))
}

/// Refuses a word whose colon is followed by a bracket or comma: to some readers, the colon belongs to the word.
pub(super) fn check_colon(text: &str, style: ScalarStyle, span: &Span) -> Result<(), Fault> {
    let after = span.byte_range().and_then(|range| text.get(range.end..)).unwrap_or_default();
    let mut after = after.chars();
    let is_joined = after.next() == Some(':') && after.next().is_some_and(|next| "[]{},".contains(next));
    if style == ScalarStyle::Plain && is_joined {
        return Err(fault(
            Mark::of(span),
            "a bracket or comma follows the colon after this word directly",
            "write a space after the colon",
        ));
    }
    Ok(())
}

/// Refuses a scalar that another reader takes for something else. `is_key`: a key is expected here; `is_root`: nothing is open.
pub(super) fn check_scalar(
    text: &str,
    style: ScalarStyle,
    span: &Span,
    is_key: bool,
    is_root: bool,
) -> Result<(), Fault> {
    let refuse = |what, instead| Err(fault(Mark::of(span), what, instead));
    let is_plain = style == ScalarStyle::Plain;
    if is_key && is_plain && span.is_empty() {
        return refuse("there is no key before this colon", "write a plain word before the colon");
    }
    if is_key && span.start.line() != span.end.line() {
        return refuse("this key goes over several lines", "write it on one line");
    }
    if is_plain && text.starts_with([':', '?']) {
        return refuse("this text begins with `:` or `?`", "put it in quotes");
    }
    if is_root && matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
        return refuse("the whole file is one text", "write keys and values: `key: value`");
    }
    Ok(())
}
