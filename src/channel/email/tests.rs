//! What a mail says of itself, and what each reply means.

mod letter;
mod month;

use super::*;
use crate::{notify::NotificationType, template::sample};

const CONTENT: Step = Step::Content { refused: 0 };

fn class(status: u16, step: Step, text: &'static str) -> &'static str {
    let answer =
        Answer { status, retry_after: None, content_type: None, body: text.into(), truncated: false, step: Some(step) };
    judge(&answer).class()
}

#[test]
fn only_the_last_steps_agreement_is_a_delivery() {
    for (status, step, text, expected) in [
        (250, CONTENT, "2.0.0 queued as 4F2", "delivered"),
        (250, Step::Content { refused: 2 }, "", "delivered"),
        (250, Step::Recipient, "", "retry"),
        (235, Step::SignIn, "", "retry"),
        (220, Step::Hello, "", "retry"),
        (354, CONTENT, "", "retry"),
        (421, Step::Hello, "4.7.0 too many connections", "retry"),
        (421, CONTENT, "", "retry"),
        (450, Step::Recipient, "4.2.0 greylisted", "retry"),
        (451, CONTENT, "", "retry"),
        (452, Step::Recipient, "4.2.2 mailbox full", "retry"),
        (454, Step::StartTls, "", "retry"),
        (454, Step::SignIn, "4.7.0 temporary authentication failure", "retry"),
        (554, Step::Hello, "5.7.1 blocked", "parked"),
        (502, Step::StartTls, "", "parked"),
        (530, Step::Sender, "5.7.57 client was not authenticated", "parked"),
        (530, CONTENT, "", "parked"),
        (534, Step::SignIn, "5.7.9 application password required", "parked"),
        (535, Step::SignIn, "5.7.8 bad credentials", "parked"),
        (550, Step::Sender, "5.7.1 sender rejected", "parked"),
        (553, Step::Sender, "", "parked"),
        (550, Step::Recipient, "5.1.1 no such user", "parked"),
        (551, Step::Recipient, "", "parked"),
        (553, Step::Recipient, "", "parked"),
        (552, CONTENT, "5.3.4 too big", "rejected"),
        (554, CONTENT, "5.7.1 looks like spam", "rejected"),
        (550, CONTENT, "5.7.60 may not send as this sender", "parked"),
        (554, CONTENT, "5.2.252 SendAsDenied", "parked"),
    ] {
        assert_eq!(class(status, step, text), expected, "{status} {step:?} {text}");
    }
}

#[test]
fn every_code_at_every_step_has_a_class() {
    let steps = [Step::Hello, Step::StartTls, Step::SignIn, Step::Sender, Step::Recipient, CONTENT];
    for (status, step) in (200..=599).flat_map(|status| steps.map(|step| (status, step))) {
        let expected: &[&str] = match status {
            200..=299 if step == CONTENT => &["delivered"],
            200..=499 => &["retry"],
            _ if step == CONTENT => &["rejected", "parked"],
            _ => &["parked"],
        };
        assert!(expected.contains(&class(status, step, "")), "{status} {step:?}");
    }
}

#[test]
fn of_a_servers_words_only_its_code_is_repeated() {
    for (code, text, expected) in [
        (550, "5.1.1 <soc@mssp.example>: no such user", Some("5.1.1")),
        (450, "4.7.25 client host", Some("4.7.25")),
        (550, "4.1.1 of another class", None),
        (550, "5.1", None),
        (550, "5.1.1.1", None),
        (550, "5.1.1234", None),
        (550, "5.x.1", None),
        (550, "canary-7Q4M2K", None),
        (550, "", None),
    ] {
        assert_eq!(enhanced(code, text), expected, "{text}");
    }
}

fn settings() -> Email {
    Email {
        server: MailServer::parse("smtps://smtp.example", false).unwrap(),
        from: "Scorewatch <scores@mssp.example>".parse().unwrap(),
        to: vec!["soc@mssp.example".parse().unwrap()],
        sign_in: None,
    }
}

fn letter(subject: &str) -> Letter {
    Letter { subject: subject.to_owned(), text: "text".to_owned(), html: Some("<!doctype html>".to_owned()) }
}

fn written(said: &Notification, subject: &str) -> String {
    String::from_utf8(write(&settings(), letter(subject), said, Timestamp::EPOCH).unwrap()).unwrap()
}

fn value<'m>(message: &'m str, name: &str) -> Option<&'m str> {
    message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn what_is_said_later_of_an_alert_hangs_under_its_first_message() {
    let mut firing = sample::notification(NotificationType::AlertFiring, "Contoso");
    firing.data.notification.sequence = 1;
    let first = written(&firing, "fires");
    assert_eq!(value(&first, "In-Reply-To"), None);
    let root = value(&first, "Message-ID").unwrap();
    for (sequence, kind) in
        [NotificationType::AlertWorsened, NotificationType::AlertReminder, NotificationType::AlertResolved]
            .into_iter()
            .enumerate()
    {
        let mut said = sample::notification(kind, "Contoso");
        said.data.notification.sequence = sequence as u64 + 2;
        let message = written(&said, "later");
        assert_eq!(value(&message, "In-Reply-To"), Some(root), "{kind:?}");
        assert_eq!(value(&message, "References"), Some(root), "{kind:?}");
        assert_ne!(value(&message, "Message-ID"), Some(root), "{kind:?}");
    }
    // The alert's next life is another thread.
    firing.data.alert.as_mut().unwrap().started_at = Timestamp::EPOCH;
    assert_ne!(value(&written(&firing, "fires"), "Message-ID"), Some(root));
}

#[test]
fn every_attempt_writes_the_same_message_except_for_its_date() {
    let said = sample::notification(NotificationType::AlertFiring, "Contoso");
    assert_eq!(written(&said, "x"), written(&said, "x"));
    let later = write(&settings(), letter("x"), &said, Timestamp::parse("2026-11-24T09:15:58Z").unwrap()).unwrap();
    let later = String::from_utf8(later).unwrap();
    let earlier = written(&said, "x");
    assert_eq!(earlier.lines().zip(later.lines()).filter(|(one, other)| one != other).count(), 1);
    assert_eq!(value(&later, "Date"), Some("Tue, 24 Nov 2026 09:15:58 +0000"));
}

#[test]
fn a_subject_can_t_add_a_header() {
    let said = sample::notification(NotificationType::AlertFiring, "Contoso");
    for sly in
        ["x\r\nBcc: a@evil.example", "x\nBcc: a@evil.example", "x\rBcc: a@evil.example", "\r\n\r\nbody", "ä\r\nBcc: x"]
    {
        let message = written(&said, sly);
        let head = message.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
    }
}
