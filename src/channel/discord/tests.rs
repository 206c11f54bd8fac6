//! What Discord's answers mean, and which URLs are those of its webhooks.

use super::*;

fn answer(status: u16, body: &'static str) -> Answer {
    let content_type = Some("application/json".to_owned());
    Answer { status, step: None, retry_after: None, content_type, body: body.into(), truncated: false }
}

#[test]
fn answers_are_understood() {
    for (status, body, expected) in [
        (200, r#"{"id":"1","content":"x"}"#, "delivered"),
        (204, "", "delivered"),
        (200, "<html>sign in</html>", "retry"),
        (400, r#"{"code":50035,"message":"Invalid Form Body"}"#, "plainer"),
        (413, "", "plainer"),
        (401, "", "parked"),
        (403, "", "parked"),
        (404, r#"{"code":10015,"message":"Unknown Webhook"}"#, "parked"),
        (429, r#"{"retry_after":0.5}"#, "retry"),
        (502, "", "retry"),
        (302, "", "parked"),
    ] {
        assert_eq!(judge(&answer(status, body), true, Timestamp::EPOCH).class(), expected, "{status} {body:?}");
    }
    let cut = Answer { truncated: true, ..answer(200, r#"{"id":"1","content":"x"#) };
    assert_eq!(judge(&cut, true, Timestamp::EPOCH), Verdict::Delivered);
    let compatible = judge(&answer(200, "fine"), false, Timestamp::EPOCH);
    assert_eq!(compatible, Verdict::Delivered, "another host's status decides");
}

#[test]
fn discord_s_wait_is_the_longer_of_header_and_body_and_never_absurd() {
    for (header, body, milliseconds) in [
        (None, r#"{"retry_after":64.57}"#, Some(64_570)),
        (Some("65"), r#"{"retry_after":64.57}"#, Some(65_000)),
        (Some("3"), r#"{"retry_after":64.57}"#, Some(64_570)),
        (Some("3"), "<html>", Some(3_000)),
        (None, r#"{"retry_after":1e300}"#, Some(3_600_000)),
        (None, r#"{"retry_after":-1}"#, None),
        (None, r#"{"retry_after":"soon"}"#, None),
    ] {
        let answer = Answer { retry_after: header.map(str::to_owned), ..answer(429, body) };
        let Verdict::Retry { after, .. } = judge(&answer, true, Timestamp::EPOCH) else { panic!("retried") };
        assert_eq!(after, milliseconds.map(Duration::from_millis), "{header:?} {body}");
    }
}

#[test]
fn discord_is_asked_to_wait_and_the_rest_of_the_query_is_kept() {
    for (written, sent) in [
        ("https://discord.com/api/webhooks/1/x", "https://discord.com/api/webhooks/1/x?wait=true"),
        ("https://discord.com/a?wait=true&thread_id=5", "https://discord.com/a?wait=true&thread_id=5"),
        ("https://discord.com/a?wait=false&thread_id=5", "https://discord.com/a?thread_id=5&wait=true"),
    ] {
        assert_eq!(waiting(&SecretString::from(written)).unwrap().expose_secret(), sent);
    }
}

#[test]
fn only_webhooks_of_discord_are_taken_as_such() {
    for (url, good) in [
        ("https://discord.com/api/webhooks/1/x?wait=true", true),
        ("https://canary.discord.com/api/webhooks/1/x", true),
        ("https://discordapp.com/api/webhooks/1/x", true),
        ("https://discord.com/api/webhooks/1/x/slack", false),
        ("https://discord.com/api/webhooks/1/x/github", false),
        ("https://evildiscord.com/api/webhooks/1/x", false),
        ("https://discord.com.evil.example/api/webhooks/1/x", false),
        ("https://discord.com@evil.example/api/webhooks/1/x", false),
        ("http://discord.com/api/webhooks/1/x", false),
        ("https://discord.com:8443/api/webhooks/1/x", false),
    ] {
        assert_eq!(vet_url(url, &Private::Refused).is_ok(), good, "{url}");
    }
    assert!(vet_url("http://127.0.0.1:4000/api/webhooks/1/x", &Private::Any).is_ok());
}

#[test]
fn a_discord_url_that_was_copied_badly_is_refused_with_the_reason() {
    for (path, good) in [
        ("api/webhooks/123/a-B_c", true),
        ("api/v10/webhooks/123/a-B_c?thread_id=5", true),
        ("api/webhooks/123", false),
        ("api/webhooks/123/", false),
        ("api/webhooks/token/123x", false),
        ("api/webhooks/123/x%20", false),
        ("webhooks/123/x", false),
        ("channels/123/456", false),
        ("", false),
        ("api/webhooks/123/x?wait=true&amp;thread_id=5", false),
    ] {
        let got = vet_url(&format!("https://discord.com/{path}"), &Private::Any).err().map(|error| error.to_string());
        assert_eq!(got.is_none(), good, "{path}: {got:?}");
        let is_named = got.is_none_or(|error| error.contains("cut off or damaged") || error.contains("`&amp;`"));
        assert!(is_named, "{path}");
    }
}
