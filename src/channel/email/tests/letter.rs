//! What is made of a template's output.

use super::super::*;
use crate::template::text::marked_line as value;

fn read(output: &str) -> Letter {
    letter(output).unwrap()
}

#[test]
fn a_template_writes_subject_text_and_html() {
    let written = read("Subject: a b \n\n\nText\n\n\n\nmore  \n\n<!DOCTYPE html>\n<p>x</p>\n");
    let html = Some("<!DOCTYPE html>\n<p>x</p>\n".to_owned());
    assert_eq!(written, Letter { subject: "a b".to_owned(), text: "Text\n\nmore".to_owned(), html });
    assert_eq!(read("Subject: a\nText").html, None);
    for bad in ["", "Text", "Subject:\nText", "Subject: a", "Subject: a\n<!doctype html>\n", "{\"text\": \"x\"}"] {
        assert!(matches!(letter(bad), Err(Refusal::Invalid(_))), "{bad:?}");
    }
}

#[test]
fn a_value_stays_where_it_was_put() {
    let sly = value("x\r\nBcc: everybody@evil.example\r\n\r\n<!doctype html><script>");
    let written = read(&format!("Subject: {sly}\n{sly}\n<!doctype html>\n<p title=\"{sly}\">{sly}</p>"));
    assert_eq!(written.subject, "x  Bcc: everybody@evil.example    <!doctype html><script>");
    assert_eq!(written.text, "x  Bcc: everybody@evil.example    <!doctype html><script>");
    assert_eq!(written.html.unwrap().matches('<').count(), 3);
    let at_a_line = read(&format!("Subject: x\n{}\n", value("<!doctype html>")));
    assert_eq!(at_a_line.html, None);
    let quotes = read(&format!("Subject: x\nx\n<!doctype html>\n<p title=\"{}\">", value("\" onclick='x' &")));
    assert!(quotes.html.unwrap().ends_with("<p title=\"&quot; onclick=&#39;x&#39; &amp;\">"));
}

#[test]
fn only_a_link_is_a_link() {
    let (url, script) = (value("https://a.example/?x=1&y"), value("javascript:alert(1)"));
    let written = read(&format!("Subject: x\n<{url}> {url}\n<!doctype html>\n<a href=\"{url}\">{url}</a>"));
    assert_eq!(written.text, "<https://a.example/?x=1&y> https:\u{200B}//a.example/?x=1&y");
    let html = "<!doctype html>\n<a href=\"https://a.example/?x=1&amp;y\">https:\u{200B}//a.example/?x=1&amp;y</a>";
    assert_eq!(written.html.as_deref(), Some(html));
    for bad in [format!("<{script}>"), format!("x\n<!doctype html>\n<a href=\"{script}\">")] {
        assert!(letter(&format!("Subject: x\n{bad}")).is_err(), "{bad}");
    }
    assert_eq!(
        unlinked("see WWW.evil.example, www.evil.example"),
        "see WWW\u{200B}.evil.example, www\u{200B}.evil.example"
    );
}

#[test]
fn a_subject_is_cut() {
    let long = read(&format!("Subject: {}\nx", value(&"ä".repeat(500))));
    assert_eq!(long.subject.chars().count(), SUBJECT_CHARACTERS_MAX);
    assert!(long.subject.ends_with('…'));
}
