//! A channel is written to in its own language and time zone, whatever kind it is.

use std::sync::Arc;

use serde_json::Value;

use super::{
    CHATS, built_in,
    limits::assert_fits,
    show::{kinds, said, settings},
};
use crate::{
    channel::{self, ChannelKind, Form, Show, templates},
    domain::{Language, Timestamp},
    notify::{
        NotificationType,
        language::{Locale, in_words},
        route::Audience,
    },
    schedule::Zone,
    template::{plain, sample},
};

fn locale(language: Language, zone: &str) -> Locale {
    Locale { language, zone: Zone::built_in(zone).unwrap() }
}

fn written(kind: &ChannelKind, locale: Locale, form: Form) -> String {
    let firing = sample::notification(NotificationType::AlertFiring, "Contoso Ltd");
    let show = Show { labels: true, about: true };
    let settings = crate::channel::ChannelSettings { locale, ..settings(kind.clone(), Audience::default(), show) };
    said(settings, &firing, form)
}

#[test]
fn each_kind_says_it_in_the_channel_s_language_and_on_its_clock() {
    let folder = tempfile::tempdir().unwrap();
    for kind in kinds(folder.path()) {
        let word = kind.as_str();
        let german = written(&kind, locale(Language::De, "Europe/Berlin"), Form::Rich);
        let french = written(&kind, locale(Language::Fr, "America/New_York"), Form::Rich);
        assert!(
            german.contains("2 Ma\u{df}nahmen des Mandanten haben 60 Punkte verloren") || word == "email",
            "{word}: {german}"
        );
        assert!(!german.contains("controls") && !french.contains("controls"), "{word}: {german} {french}");
        match word {
            // Machine times and field names stay.
            "webhook" => assert!(german.contains("\"started_at\":\"2026-11-24T07:00:00Z\""), "{german}"),
            "alertmanager" => assert!(german.contains("\"startsAt\":\"2026-11-24T07:00:00Z\""), "{german}"),
            "pagerduty" => {
                let event: Value = serde_json::from_str(&german).unwrap();
                let details = &event["payload"]["custom_details"];
                assert_eq!(details["Since"], "24.11.2026 08:00 MEZ", "keys stay, values follow the channel");
                assert_eq!(details["Severity"], "kritisch");
                assert_eq!(event["payload"]["severity"], "critical");
            }
            "email" => assert!(german.contains("24.11.2026 08:00 MEZ") && french.contains("24/11/2026"), "{german}"),
            _ => {
                assert!(german.contains("24.11.2026 08:00 MEZ"), "{word}: {german}");
                assert!(french.contains("24/11/2026 à 02:00 EST"), "{word}: {french}");
                let plain = written(&kind, locale(Language::De, "Europe/Berlin"), Form::Plain);
                assert!(
                    plain.contains("Sicherheitsbewertung der Ger\u{e4}te von 400 auf 340 gefallen"),
                    "{word}: {plain}"
                );
            }
        }
    }
}

#[test]
fn every_message_fits_every_receiver_in_every_language() {
    let registry = built_in();
    for language in [Language::De, Language::Fr] {
        let locale = locale(language, "Europe/Berlin");
        let of_each_type = sample::TYPES.map(|kind| sample::notification(kind, "Contoso Ltd"));
        for notification in sample::largest_digests().into_iter().chain(of_each_type) {
            let notification = in_words(&notification, &locale);
            for dialect in CHATS {
                assert_fits(dialect, &registry.render(dialect.name, dialect, &notification, &locale).unwrap());
                assert_fits(dialect, &plain(dialect, &notification, &locale).unwrap());
            }
        }
    }
}

#[test]
fn what_a_message_says_can_be_looked_at_without_any_secret() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = kinds(folder.path());
    drop(folder);
    let firing = sample::notification(NotificationType::AlertFiring, "Contoso Ltd");
    let templates = Arc::new(templates(None).unwrap());
    for kind in kinds {
        let word = kind.as_str();
        let settings = settings(kind, Audience::default(), Show { labels: true, about: true });
        let channel = channel::open(&Arc::new(settings), &templates);
        let body = channel.body(&firing, Timestamp::EPOCH).unwrap();
        assert!(String::from_utf8_lossy(&body).contains("Contoso Ltd"), "{word}");
        let needs_secret = channel.compose(&firing, Form::Rich, Timestamp::EPOCH).is_err();
        assert_eq!(needs_secret, !["webhook", "email", "alertmanager"].contains(&word), "{word}");
    }
}
