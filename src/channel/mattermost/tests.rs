//! What Mattermost's answers mean.

use super::*;

fn answer(status: u16, body: &'static str) -> Answer {
    let content_type = Some("application/json".to_owned());
    Answer { status, step: None, retry_after: None, content_type, body: body.into(), truncated: false }
}

#[test]
fn answers_are_understood() {
    for (status, body, expected) in [
        (200, "ok", "delivered"),
        (200, "ok\n", "delivered"),
        (200, r#"{"status":"OK"}"#, "delivered"),
        (200, "", "delivered"),
        (200, "<html>", "retry"),
        (400, r#"{"id":"web.incoming_webhook.parse.app_error"}"#, "plainer"),
        (400, r#"{"id":"web.incoming_webhook.invalid.app_error"}"#, "parked"),
        (501, r#"{"id":"web.incoming_webhook.disabled.app_error"}"#, "parked"),
        (501, "", "retry"),
        (404, "", "parked"),
        (422, "", "rejected"),
    ] {
        let verdict = MATTERMOST.judge(&answer(status, body), true, Timestamp::EPOCH);
        assert_eq!(verdict.class(), expected, "{status} {body:?}");
    }
}
