//! What alerts say, and what Alertmanager's answers mean.

use super::*;
use crate::notify::language::Locale;
use crate::{secret::SecretReference, template::sample};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn of(kind: NotificationType) -> Alert {
    alert(&sample::notification(kind, "Contoso Ltd"), &Locale::default(), at("2026-11-24T10:00:00Z"))
}

#[test]
fn all_messages_of_one_alert_have_the_same_labels_and_only_the_last_ends_it() {
    let firing = of(NotificationType::AlertFiring);
    assert_eq!(firing.ends_at, at("2027-11-25T10:00:00Z"));
    for kind in [NotificationType::AlertWorsened, NotificationType::AlertReminder, NotificationType::AlertResolved] {
        let later = of(kind);
        assert_eq!((&later.labels, later.starts_at), (&firing.labels, firing.starts_at), "{kind:?}");
        let is_over = later.ends_at < at("2026-11-24T10:00:00Z");
        assert_eq!(is_over, kind == NotificationType::AlertResolved);
    }
    for (name, value) in [("alertname", "device-score-drop"), ("tenant", "contoso"), ("severity", "critical")] {
        assert_eq!(firing.labels[name], value);
    }
}

#[test]
fn no_label_of_a_tenant_is_taken_for_ours_and_none_is_lost() {
    let mut sample = sample::notification(NotificationType::AlertFiring, "Contoso Ltd");
    let keys = ["alertname", "tenant", "a-b", "a.b", "a_b", "1", "", "ü{}\"\n", "severity"];
    sample.data.tenant.as_mut().unwrap().labels =
        keys.iter().map(|key| ((*key).into(), format!("mine {key}").into())).collect();
    let labels = labels(&sample);
    assert_eq!(labels.values().filter(|value| value.starts_with("mine ")).count(), keys.len());
    assert_eq!((&*labels["alertname"], &*labels["severity"]), ("device-score-drop", "critical"));
    for name in labels.keys() {
        assert!(name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_'), "{name}");
        assert!(!name.starts_with(|letter: char| letter.is_ascii_digit()) && !name.starts_with("__"), "{name}");
    }
}

#[test]
fn no_label_and_no_annotation_mentions_links_or_drives_anything() {
    let hostile = sample::hostile_names();
    for name in &hostile {
        let mut sample = sample::notification(NotificationType::AlertFiring, name);
        sample.data.tenant.as_mut().unwrap().labels = [(name.as_str().into(), name.as_str().into())].into();
        sample.data.score.as_mut().unwrap().subject = Some(name.clone());
        let alert = alert(&sample, &Locale::default(), at("2026-11-24T10:00:00Z"));
        for text in alert.labels.values().chain(alert.annotations.values()) {
            for bad in ["<!", "<@", "<http", "https://evil", "<at>", "](http"] {
                assert!(!text.contains(bad), "{bad} is in {text:?}");
            }
            let is_bad =
                |letter| letter != '\n' && letter != '\u{200B}' && crate::domain::characters::is_hidden(letter);
            assert!(!text.chars().any(is_bad), "{text:?}");
        }
    }
}

#[test]
fn a_test_is_another_alert_and_short() {
    let mut sample = sample::notification(NotificationType::AlertFiring, "Contoso Ltd");
    sample.data.notification.test = true;
    let test = alert(&sample, &Locale::default(), at("2026-11-24T10:00:00Z"));
    assert_eq!((&*test.labels["test"], &*test.labels["severity"]), ("true", "info"));
    assert_eq!(test.ends_at, at("2026-11-24T10:05:00Z"));
    let downtime = of(NotificationType::OperatorDowntime);
    assert_eq!(downtime.ends_at, at("2026-11-25T10:00:00Z"));
}

#[test]
fn no_alert_ends_before_it_starts() {
    for sample in sample::all() {
        let alert = alert(&sample, &Locale::default(), Timestamp::EPOCH);
        assert!(alert.starts_at <= alert.ends_at);
    }
}

#[test]
fn it_signs_in_as_configured() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "open sesame\n").unwrap();
    let kept = || SecretReference::File(file.path().to_owned());
    let value = |authorization| header(&authorization).unwrap().map(|value| value.expose_secret().to_owned());
    assert_eq!(value(Authorization::Nobody), None);
    assert_eq!(value(Authorization::Bearer { token: kept() }).unwrap(), "Bearer open sesame");
    // RFC 7617, section 2.
    let basic = Authorization::Basic { username: "Aladdin".to_owned(), password: kept() };
    assert_eq!(value(basic).unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

#[test]
fn a_sign_in_page_is_not_an_answer() {
    let answer = |status, kind: &str| {
        let content_type = Some(kind.to_owned());
        judge(
            &Answer { status, retry_after: None, content_type, body: Bytes::new(), truncated: false, step: None },
            Timestamp::EPOCH,
        )
    };
    assert_eq!(answer(200, ""), Verdict::Delivered);
    assert!(matches!(answer(200, "text/html; charset=utf-8"), Verdict::Retry { .. }));
    assert!(matches!(answer(400, "application/json"), Verdict::Rejected { .. }));
    assert!(matches!(answer(401, ""), Verdict::Parked { .. }));
    assert!(matches!(answer(429, ""), Verdict::Retry { .. }));
    assert!(matches!(answer(503, ""), Verdict::Retry { .. }));
}
