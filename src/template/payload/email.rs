//! A mail as its template writes it: a line `Subject: …`, then the text, then the HTML from the line `<!doctype html>` on.
//!
//! Values are escaped by where they stand: one line without control characters in the subject, as they are in the text, by
//! entities in the HTML. A web address in a value is shown, but not as one that mail programs make a link of, unless the
//! template puts it where a link belongs: between `<` and `>` in the text, into `href="…"` in the HTML.

use serde::{Deserialize, Serialize};

use super::{Refusal, link};
use crate::template::text::{INVISIBLE, Part, parts, tame, unmarked};

/// Longest subject, in characters; mail programs show fewer.
const SUBJECT_CHARACTERS_MAX: usize = 150;
/// What the subject's line begins with.
const SUBJECT: &str = "Subject:";
/// What the HTML begins with, in lower case.
const DOCTYPE: &str = "<!doctype html";

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The subject, one line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML; `None` if the template writes none.
    pub html: Option<String>,
}

/// Takes the output apart and escapes the values in it.
pub(super) fn finish(output: &str) -> Result<Letter, Refusal> {
    let output = output.trim_start();
    let (first, rest) = output.split_once('\n').unwrap_or((output, ""));
    let Some(subject) = first.strip_prefix(SUBJECT) else {
        return Refusal::invalid("the first line must be `Subject: …`");
    };
    let subject = tame(unmarked(subject).trim(), SUBJECT_CHARACTERS_MAX);
    if subject.is_empty() {
        return Refusal::invalid("the subject must not be empty");
    }
    let (text, html) = rest.split_at(html_at(rest).unwrap_or(rest.len()));
    let text = lines(&write(text, Form::Text)?);
    if text.is_empty() {
        return Refusal::invalid("there must be a text between the subject and the HTML");
    }
    let html = if html.is_empty() { None } else { Some(write(html, Form::Html)?) };
    Ok(Letter { subject, text, html })
}

/// Where the HTML begins: at a line of the template's author, as a value's line begins with a mark.
fn html_at(text: &str) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.get(..DOCTYPE.len()).is_some_and(|start| start.eq_ignore_ascii_case(DOCTYPE)) {
            return Some(at);
        }
        at += line.len();
    }
    None
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Html,
}

/// Writes the author's text as it is, and the values by where they stand.
fn write(text: &str, form: Form) -> Result<String, Refusal> {
    let mut written = String::with_capacity(text.len());
    let mut before = "";
    for part in parts(text) {
        let value = match part {
            Part::Own(own) => {
                written.push_str(own);
                before = own;
                continue;
            }
            Part::Value(value) => value,
        };
        let is_link = match form {
            Form::Text => before.ends_with('<'),
            Form::Html => before.ends_with("href=\"") || before.ends_with("src=\""),
        };
        before = "";
        let value = if is_link { linked(value)? } else { unlinked(value) };
        match form {
            Form::Text => written.push_str(&value),
            Form::Html => value.chars().for_each(|letter| push_escaped(&mut written, letter)),
        }
    }
    Ok(written)
}

/// A link that ends where it should.
fn linked(url: &str) -> Result<String, Refusal> {
    let mut url = url.to_owned();
    link(&mut url)?;
    let ends = |letter: char| letter.is_whitespace() || matches!(letter, '<' | '>' | '"' | '\'');
    if url.contains(ends) { Refusal::invalid("a link holds what could end it") } else { Ok(url) }
}

/// Breaks what mail programs take for a web address.
fn unlinked(value: &str) -> String {
    let broken = value.replace("://", &format!(":{INVISIBLE}//"));
    let mut unlinked = String::with_capacity(broken.len());
    let mut rest = broken.as_str();
    while let Some(at) = rest.to_ascii_lowercase().find("www.") {
        unlinked.push_str(&rest[..at + 3]);
        unlinked.push(INVISIBLE);
        rest = &rest[at + 3..];
    }
    unlinked + rest
}

fn push_escaped(written: &mut String, letter: char) {
    match letter {
        '&' => written.push_str("&amp;"),
        '<' => written.push_str("&lt;"),
        '>' => written.push_str("&gt;"),
        '"' => written.push_str("&quot;"),
        '\'' => written.push_str("&#39;"),
        _ => written.push(letter),
    }
}

/// Lines without blanks at their ends, and no two empty ones in a row.
fn lines(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && lines.last().is_none_or(|last| last.is_empty())) {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::text::marked_line as value;

    fn letter(output: &str) -> Letter {
        finish(output).unwrap()
    }

    #[test]
    fn a_template_writes_subject_text_and_html() {
        let written = letter("Subject: a b \n\n\nText\n\n\n\nmore  \n\n<!DOCTYPE html>\n<p>x</p>\n");
        let html = Some("<!DOCTYPE html>\n<p>x</p>\n".to_owned());
        assert_eq!(written, Letter { subject: "a b".to_owned(), text: "Text\n\nmore".to_owned(), html });
        assert_eq!(letter("Subject: a\nText").html, None);
        for bad in ["", "Text", "Subject:\nText", "Subject: a", "Subject: a\n<!doctype html>\n", "{\"text\": \"x\"}"] {
            assert!(matches!(finish(bad), Err(Refusal::Invalid(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_value_stays_where_it_was_put() {
        let sly = value("x\r\nBcc: everybody@evil.example\r\n\r\n<!doctype html><script>");
        let written = letter(&format!("Subject: {sly}\n{sly}\n<!doctype html>\n<p title=\"{sly}\">{sly}</p>"));
        assert_eq!(written.subject, "x  Bcc: everybody@evil.example    <!doctype html><script>");
        assert_eq!(written.text, "x  Bcc: everybody@evil.example    <!doctype html><script>");
        assert_eq!(written.html.unwrap().matches('<').count(), 3);
        let at_a_line = letter(&format!("Subject: x\n{}\n", value("<!doctype html>")));
        assert_eq!(at_a_line.html, None);
        let quotes = letter(&format!("Subject: x\nx\n<!doctype html>\n<p title=\"{}\">", value("\" onclick='x' &")));
        assert!(quotes.html.unwrap().ends_with("<p title=\"&quot; onclick=&#39;x&#39; &amp;\">"));
    }

    #[test]
    fn only_a_link_is_a_link() {
        let (url, script) = (value("https://a.example/?x=1&y"), value("javascript:alert(1)"));
        let written = letter(&format!("Subject: x\n<{url}> {url}\n<!doctype html>\n<a href=\"{url}\">{url}</a>"));
        assert_eq!(written.text, "<https://a.example/?x=1&y> https:\u{200B}//a.example/?x=1&y");
        let html = "<!doctype html>\n<a href=\"https://a.example/?x=1&amp;y\">https:\u{200B}//a.example/?x=1&amp;y</a>";
        assert_eq!(written.html.as_deref(), Some(html));
        for bad in [format!("<{script}>"), format!("x\n<!doctype html>\n<a href=\"{script}\">")] {
            assert!(finish(&format!("Subject: x\n{bad}")).is_err(), "{bad}");
        }
        assert_eq!(
            unlinked("see WWW.evil.example, www.evil.example"),
            "see WWW\u{200B}.evil.example, www\u{200B}.evil.example"
        );
    }

    #[test]
    fn a_subject_is_cut() {
        let long = letter(&format!("Subject: {}\nx", value(&"ä".repeat(500))));
        assert_eq!(long.subject.chars().count(), SUBJECT_CHARACTERS_MAX);
        assert!(long.subject.ends_with('…'));
    }
}
