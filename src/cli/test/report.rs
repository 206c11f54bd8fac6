//! What came of tests, for people and for build servers.

use std::fmt::Write;

use super::Verdict;
use crate::{
    cli::output::visible,
    config::suite::Case,
    domain::{Timestamp, format_duration},
    replay::expect::{AboutAlert, Difference, Expected, Got},
};

/// One line of a diff: `- 2h: …` was expected and not sent, `+ 2h: …` was sent and not expected.
pub(super) fn difference(difference: Difference, case: &Case, sent: &[Got]) -> String {
    match difference {
        Difference::Missing(index) => wanted(&case.expected[index], case.start),
        Difference::Unexpected(message, copy) => found(&sent[message], copy, case.start),
    }
}

/// A text in quotation marks, on one line.
fn quoted(text: &impl ToString) -> String {
    format!("\"{}\"", visible(&text.to_string()))
}

/// The time since the start of the test, such as `2h`.
fn after(start: Timestamp, at: Timestamp) -> String {
    format_duration(at.since(start))
}

fn wanted(expected: &Expected, start: Timestamp) -> String {
    let Expected { at, tenant, kind, rule, subject, severity, channel, text } = expected;
    let mut line = format!("- {}: {}", after(start, *at), kind.map_or("any message", |kind| kind.as_str()));
    // Writing to a `String` can't fail.
    for (name, value) in [("tenant", tenant), ("rule", rule), ("subject", subject), ("text", text)] {
        if let Some(value) = value {
            let _ = write!(line, ", {name} {}", quoted(value));
        }
    }
    if let Some(severity) = severity {
        let _ = write!(line, ", {severity}");
    }
    if let Some(channel) = channel {
        let _ = write!(line, ", to {channel}");
    }
    line
}

fn found(got: &Got, copy: usize, start: Timestamp) -> String {
    let mut line = format!("+ {}: {}", after(start, got.at), got.kind.as_str());
    match got.about.as_slice() {
        [AboutAlert { tenant, rule, subject, severity }] => {
            let _ = write!(line, ", tenant {}, rule {}", quoted(tenant), quoted(rule));
            if let Some(subject) = subject {
                let _ = write!(line, ", subject {}", quoted(subject));
            }
            let _ = write!(line, ", {severity}");
        }
        several => {
            let _ = write!(line, " of {}", several.len());
        }
    }
    let _ = write!(line, ", to {}: {}", got.channels[copy], quoted(&got.text));
    line
}

/// A line for each test, the differences below those that failed, and how many there were.
pub(super) fn text(verdicts: &[Verdict]) -> String {
    let mut lines = Vec::new();
    for verdict in verdicts {
        let word = if verdict.passed { "ok    " } else { "FAILED" };
        lines.push(format!("{word} {}:{} {}", verdict.file.display(), verdict.line, visible(&verdict.name)));
        lines.extend(verdict.differences.iter().map(|difference| format!("       {}", visible(difference))));
    }
    let failed = verdicts.iter().filter(|verdict| !verdict.passed).count();
    if failed > 0 {
        lines.push(
            "(- was expected and not sent, + was sent and not expected; times are from the start of the test)"
                .to_owned(),
        );
    }
    lines.push(format!("{} passed, {failed} failed", verdicts.len() - failed));
    lines.join("\n")
}

/// The report that build servers read: a suite for each file, a case for each test.
pub(super) fn junit(verdicts: &[Verdict]) -> String {
    let failures = |verdicts: &[Verdict]| verdicts.iter().filter(|verdict| !verdict.passed).count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{}\" failures=\"{}\">\n",
        verdicts.len(),
        failures(verdicts)
    );
    for suite in verdicts.chunk_by(|one, other| one.file == other.file) {
        let file = escaped(&suite[0].file.display().to_string());
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{file}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\">",
            suite.len(),
            failures(suite)
        );
        for Verdict { name, line, passed, differences, .. } in suite {
            let name = escaped(name);
            let _ = write!(xml, "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{line}\"");
            if *passed {
                xml.push_str("/>\n");
            } else {
                let first = escaped(differences.first().map_or("", String::as_str));
                let all = escaped(&differences.join("\n"));
                let _ = writeln!(xml, ">\n      <failure message=\"{first}\">{all}</failure>\n    </testcase>");
            }
        }
        xml.push_str("  </testsuite>\n");
    }
    xml + "</testsuites>\n"
}

/// Escapes a text for XML; a character that XML can't contain becomes `?`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(letter),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => escaped.push('?'),
            letter => escaped.push(letter),
        }
    }
    escaped
}
