//! What Google Chat's answers mean, and which URLs are those of its webhooks.

use super::*;

fn answer(status: u16, body: &'static str) -> Answer {
    let content_type = Some("application/json".to_owned());
    Answer { status, step: None, retry_after: None, content_type, body: body.into(), truncated: false }
}

#[test]
fn answers_are_understood() {
    for (status, body, expected) in [
        (200, r#"{"name":"spaces/A/messages/B"}"#, "delivered"),
        (200, "", "retry"),
        (400, r#"{"error":{"status":"INVALID_ARGUMENT"}}"#, "plainer"),
        (400, r#"{"error":{"details":[{"reason":"API_KEY_INVALID"}]}}"#, "parked"),
        (403, "", "parked"),
        (404, "", "parked"),
        (429, "", "retry"),
        (503, "", "retry"),
    ] {
        let verdict = GOOGLE_CHAT.judge(&answer(status, body), true, Timestamp::EPOCH);
        assert_eq!(verdict.class(), expected, "{status} {body:?}");
    }
    let compatible = GOOGLE_CHAT.judge(&answer(200, "fine"), false, Timestamp::EPOCH);
    assert_eq!(compatible, Verdict::Delivered, "another host's status decides");
}

#[test]
fn only_webhooks_of_google_chat_are_taken_as_such() {
    for (url, good) in [
        ("https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t", true),
        ("https://x.chat.googleapis.com/v1/spaces/A/messages", false),
        ("https://storage.googleapis.com/v1/spaces/A/messages", false),
        ("https://chat.googleapis.com.evil.example/v1/spaces/A/messages", false),
    ] {
        assert_eq!(vet_url(url, &Private::Refused).is_ok(), good, "{url}");
    }
    assert!(vet_url("http://127.0.0.1:4000/v1/spaces/A/messages", &Private::Any).is_ok());
}

#[test]
fn a_google_chat_url_that_was_copied_badly_is_refused_with_the_reason() {
    for (rest, reason) in [
        ("v1/spaces/A/messages?key=k&token=t", None),
        ("v1/spaces/A/messages?key=k&token=t&threadKey=x", None),
        ("v1/spaces/A/messages?key=k", Some("its `token=` is missing")),
        ("v1/spaces/A/messages?key=k&token=", Some("its `token=` is missing")),
        ("v1/spaces/A/messages?token=t", Some("its `key=` is missing")),
        ("v1/spaces/A/messages", Some("its `key=` is missing")),
        ("v1/spaces/A/messages?key=k&amp;token=t", Some("`&amp;`")),
        ("v1/spaces/A?key=k&token=t", Some("its path is not that of a webhook")),
        ("v1/spaces//messages?key=k&token=t", Some("its path is not that of a webhook")),
    ] {
        let url = format!("https://chat.googleapis.com/{rest}");
        let got = vet_url(&url, &Private::Any).err().map(|error| error.to_string());
        assert_eq!(got.is_some(), reason.is_some(), "{rest}: {got:?}");
        assert!(got.unwrap_or_default().contains(reason.unwrap_or_default()), "{rest}");
    }
}
