//! A tenant's month as a mail: in the customer's language, by what mail programs show, and not so long that they cut it off.

use super::*;
use crate::{
    domain::Language,
    notify::{
        facts::month::{Controls, MonthReport},
        language::Locale,
    },
    template::Registry,
};

/// Gmail cuts off what is beyond 102 KB.
const CLIPPED_FROM: usize = 102 * 1024;
const AIM: usize = 90 * 1024;

fn month(name: &str) -> Notification {
    sample::notification(NotificationType::MonthReport, name)
}

fn report(of: &mut Notification) -> &mut MonthReport {
    &mut of.data.month.as_mut().unwrap().report
}

fn mail(of: &Notification) -> Letter {
    let registry: Registry = crate::channel::templates(None).unwrap();
    serde_json::from_slice(&registry.render("email", &DIALECT, of, &Locale::default()).unwrap()).unwrap()
}

#[test]
fn a_month_has_its_subject_and_text_in_the_customer_s_language() {
    for (language, subject) in [
        (Language::En, "Contoso Ltd: Security report, November 2026"),
        (Language::De, "Contoso Ltd: Sicherheitsbericht, November 2026"),
        (Language::Fr, "Contoso Ltd\u{a0}: Rapport de sécurité, novembre 2026"),
    ] {
        let mut said = month("Contoso Ltd");
        said.data.month.as_mut().unwrap().language = language;
        let Letter { subject: written, text, html } = mail(&said);
        assert_eq!(written, subject);
        assert!(html.unwrap().contains(&format!("<html lang=\"{}\">", language.as_str())), "{language:?}");
        insta::with_settings!({ snapshot_suffix => language.as_str() }, { insta::assert_snapshot!(text) });
    }
}

#[test]
fn a_month_shows_the_brand_and_nothing_that_mail_programs_do_not_show() {
    let html = mail(&month("Contoso Ltd")).html.unwrap();
    for present in ["Northwind Security", "background:#0b5fff", "Contoso Ltd", "Require MFA for administrators"] {
        assert!(html.contains(present), "{present}");
    }
    for absent in ["<svg", "<script", "<img", "<link", "url(", "position:", "display:flex", "display:grid"] {
        assert!(!html.contains(absent), "{absent}");
    }
    let filled = html.matches("<td style=\"background:#0b5fff\">").count();
    assert!(filled > 100, "the trend is drawn by cells: {filled}");
}

#[test]
fn the_longest_month_is_not_cut_off() {
    let mut said = month(&"Ü&<ß".repeat(2_000));
    let report = report(&mut said);
    report.scores = report.scores.iter().cycle().take(60).cloned().collect();
    report.alerts = report.alerts.iter().cycle().take(500).cloned().collect();
    report.actions = report.actions.iter().cycle().take(20).cloned().collect();
    if let Controls::Known(changes) = &mut report.controls {
        changes.lost = changes.lost.iter().cycle().take(200).cloned().collect();
        changes.gained.clone_from(&changes.lost);
    }
    let Letter { html, .. } = mail(&said);
    let html = html.unwrap();
    assert!(html.len() < CLIPPED_FROM, "hostile: {}", html.len());
    let mut said = month("Contoso Ltd");
    let ordinary = super::sample::notification(NotificationType::MonthReport, "Contoso Ltd");
    let report = self::report(&mut said);
    report.scores = ordinary.data.month.unwrap().report.scores.iter().cycle().take(60).cloned().collect();
    let letter = mail(&said);
    let written = write(&settings(), letter, &said, Timestamp::EPOCH).unwrap();
    assert!(written.len() < AIM, "with headers, text and encoding: {}", written.len());
}

#[test]
fn a_hostile_name_stays_text() {
    for name in sample::hostile_names() {
        let letter = mail(&month(&name));
        let html = letter.html.unwrap();
        assert!(!html.contains("<!channel>") && !html.contains("<at>") && !html.contains("://evil"), "{html}");
        assert!(!letter.subject.contains(['\n', '\r', '\u{202E}']), "{}", letter.subject);
    }
}

#[test]
fn a_month_in_which_nothing_was_read_says_so_and_why() {
    let mut said = month("Contoso Ltd");
    let report = report(&mut said);
    report.scores.clear();
    let Letter { text, html, .. } = mail(&said);
    for part in
        ["No score was read in this month.", "Checks have been failing since November 29, 2026: the monitoring app"]
    {
        assert!(text.contains(part) && html.as_ref().unwrap().contains(part), "{part}: {text}");
    }
    assert!(!text.contains("secret-expired"), "a customer does not know our classes: {text}");
}
