//! What Slack's answers mean, and which URLs are those of an incoming webhook.

use super::*;

fn judged(status: u16, body: &'static str, is_slack: bool) -> &'static str {
    let answer =
        Answer { status, retry_after: None, content_type: None, body: body.into(), truncated: false, step: None };
    judge(&answer, is_slack, Timestamp::EPOCH).class()
}

fn class(status: u16, body: &'static str) -> &'static str {
    judged(status, body, true)
}

#[test]
fn a_compatible_receiver_is_judged_by_its_status_and_by_slack_s_words_for_a_refusal() {
    for (status, body, expected) in [
        (200, r#"{"success":true}"#, "delivered"),
        (200, "", "delivered"),
        (200, "<html>", "delivered"),
        (200, "no_service", "delivered"),
        (201, "", "delivered"),
        (204, "", "delivered"),
        (400, r#"{"success":false}"#, "plainer"),
        (400, "user_not_found", "parked"),
        (404, "", "parked"),
        (413, "", "plainer"),
        (422, "", "rejected"),
        (500, "", "retry"),
    ] {
        assert_eq!(judged(status, body, false), expected, "{status} {body:?}");
    }
}

#[test]
fn the_body_decides_before_the_status() {
    for (status, body, expected) in [
        (200, "ok", "delivered"),
        (200, "ok\n", "delivered"),
        (200, "<html>sign in</html>", "retry"),
        (200, "", "retry"),
        (200, "no_service", "parked"),
        (400, "channel_is_archived", "parked"),
        (500, "invalid_token", "parked"),
        (404, "invalid_payload", "rejected"),
        (403, "invalid_blocks", "plainer"),
        (400, "msg_blocks_too_long", "plainer"),
        (400, "no_text", "rejected"),
        (400, "rate_limited", "retry"),
        (500, "rollup_error", "retry"),
        (429, "", "retry"),
        (404, "<html>", "parked"),
        (400, "new_word", "rejected"),
        (502, "ok", "retry"),
        (302, "ok", "parked"),
    ] {
        assert_eq!(class(status, body), expected, "{status} {body:?}");
    }
    for gone in GONE {
        assert_eq!(class(200, gone), "parked", "{gone}");
    }
}

#[test]
fn only_incoming_webhooks_of_slack_are_taken_as_slack() {
    for (url, good) in [
        ("https://hooks.slack.com/services/T/B/x", true),
        ("https://hooks.slack-gov.com/services/T/B/x", true),
        ("https://hooks.slack.com/workflows/T/B/x", false),
        ("https://hooks.slack.com/triggers/T/1/x", false),
        ("https://xhooks.slack.com/services/T/B/x", false),
        ("https://x.hooks.slack.com/services/T/B/x", false),
        ("https://hooks.slack.com.evil.example/services/T/B/x", false),
        ("https://user:pw@hooks.slack.com@169.254.169.254/services", false),
        ("http://hooks.slack.com/services/T/B/x", false),
    ] {
        assert_eq!(vet_url(url, &Private::Refused).is_ok(), good, "{url}");
    }
}

#[test]
fn a_slack_url_that_was_copied_badly_is_refused_with_the_reason() {
    for path in
        ["", "services", "services/T0", "services/T0/B0", "services/T0/B0/", "services/T0//x", "services/T0/B0/x/y"]
    {
        let error = vet_url(&format!("https://hooks.slack.com/{path}"), &Private::Any).unwrap_err().to_string();
        assert!(error.contains("its path is not that of a webhook"), "{path}: {error}");
    }
    for damage in ["\"", ">", "%20", "…", ")", ","] {
        let url = format!("https://hooks.slack.com/services/T0/B0/x{damage}");
        assert!(vet_url(&url, &Private::Refused).is_err(), "{url}");
    }
    assert!(
        vet_url("http://127.0.0.1:4000/hooks/x", &Private::Any).is_ok(),
        "what is only compatible has a path of its own"
    );
}
