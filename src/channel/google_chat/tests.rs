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
