//! The page on which a drill is confirmed, on a real store.

use std::time::Duration;

use super::*;
use crate::{
    notify::{ChannelHealth, NotificationId, channel_health::FailedPeriod, drill},
    store::{AttemptOutcome, Claim, ClaimTerms, EntryFilter, NewNotification, Store, sqlite::SqliteStore},
    web::rate::PER_SECOND_MAX,
};

struct Fixture {
    server: Server,
    store: Arc<dyn Store>,
    _folder: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path().join("data/s.db")).await.unwrap());
        let channel = "{ type: webhook, url: 'https://a.example/' }";
        let channels = ["soc", "down", "gone"].map(|name| format!("{name}: {channel}")).join(", ");
        let server = Server::on(PATIENT, store.clone(), store.clone(), &channels).await;
        Self { server, store, _folder: folder }
    }

    async fn queue(&self, channel: &str, at: Timestamp) -> NotificationId {
        let channel = ChannelName::parse(channel).unwrap();
        let id = drill::id("store", &channel, at);
        let notification = drill::message(id.clone(), None, at);
        let new = NewNotification { notification, alert: None, tenant: None, hold: None, channels: vec![channel] };
        assert!(self.store.announce(new, at).await.unwrap());
        id
    }

    async fn settle(&self, channel: &str, outcome: AttemptOutcome, health: ChannelHealth) {
        let (channel, now) = (ChannelName::parse(channel).unwrap(), self.server.clock.now());
        let Claim::Send(claimed) = self.store.claim(&channel, ClaimTerms::default(), now).await.unwrap() else {
            panic!("nothing to send")
        };
        self.store.settle(claimed.id, claimed.attempt, outcome, Some(health), now).await.unwrap();
    }

    async fn proven_at(&self, channel: &str) -> Option<Timestamp> {
        let records = self.store.channels().await.unwrap();
        records.into_iter().find(|record| record.channel.as_str() == channel).unwrap().health.proven_at
    }
}

#[tokio::test]
async fn a_drill_is_confirmed_by_the_button_and_not_by_a_preview() {
    let fixture = Fixture::new().await;
    let now = fixture.server.clock.now();
    let path = format!("/confirm/{}", fixture.queue("soc", now).await);
    for method in ["GET", "HEAD", "GET"] {
        let (head, body) = fixture.server.ask(&format!("{method} {path}"), "").await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(
            method == "HEAD" || (body.contains("<form method=\"post\"><button>") && body.contains("soc")),
            "{body}"
        );
    }
    assert_eq!(fixture.proven_at("soc").await, None, "whoever only looks confirms nothing");
    let (head, body) = fixture.server.ask(&format!("POST {path}"), "Content-Length: 0\r\n").await;
    assert!(head.starts_with("http/1.1 200") && body.contains("Thank you") && body.contains("soc"), "{head}{body}");
    assert_eq!(fixture.proven_at("soc").await, Some(now));
    let entries = fixture.store.entries(&EntryFilter::default()).await.unwrap();
    let entries: Vec<_> = entries.iter().map(|entry| (&*entry.action, entry.body.target.as_deref())).collect();
    assert_eq!(entries, [("channel.confirm", Some("channel soc"))]);
    for header in [
        "content-type: text/html; charset=utf-8",
        "cache-control: no-store",
        "referrer-policy: same-origin",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
    assert!(!body.contains("<script") && !body.contains("style") && !body.contains("src="), "{body}");
}

#[tokio::test]
async fn what_is_not_a_drill_looks_like_nothing_at_all() {
    let fixture = Fixture::new().await;
    let drill = fixture.queue("soc", fixture.server.clock.now()).await.to_string();
    let unknown = NotificationId::of_parts(&["unknown"]).to_string();
    let mut answers = std::collections::BTreeSet::new();
    for id in
        [&unknown, "msg_1", "%3Cscript%3E", &drill.to_lowercase(), &format!("{drill}0"), &"x".repeat(5_000), "%ff"]
    {
        for method in ["GET", "POST"] {
            let (head, body) = fixture.server.ask(&format!("{method} /confirm/{id}"), "").await;
            if id == "%ff" {
                assert!(head.starts_with("http/1.1 4") && !body.contains("soc"), "{head}{body}");
                continue;
            }
            assert!(head.starts_with("http/1.1 404"), "{method} {id}: {head}");
            answers.insert(body);
        }
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    let too_large = format!("Content-Length: {}\r\n", 64 * 1024 + 1);
    let (head, _) = fixture.server.ask(&format!("POST /confirm/{drill}"), &too_large).await;
    assert!(head.starts_with("http/1.1 413"), "{head}");
    let (head, _) = fixture.server.ask(&format!("PUT /confirm/{drill}"), "").await;
    assert!(head.starts_with("http/1.1 405"), "{head}");
    assert_eq!(fixture.proven_at("soc").await, None);
}

#[tokio::test]
async fn who_asks_too_often_must_wait_a_second() {
    let fixture = Fixture::new().await;
    let path = format!("/confirm/{}", fixture.queue("soc", fixture.server.clock.now()).await);
    for number in 0..=PER_SECOND_MAX {
        let (head, _) = fixture.server.get(&path).await;
        let expected = if number < PER_SECOND_MAX { "http/1.1 200" } else { "http/1.1 429" };
        assert!(head.starts_with(expected), "{number}: {head}");
    }
    fixture.server.clock.advance(Duration::from_secs(1));
    assert!(fixture.server.get(&path).await.0.starts_with("http/1.1 200"));
}

#[tokio::test]
async fn made_up_links_keep_nobody_from_confirming_a_drill() {
    let fixture = Fixture::new().await;
    let now = fixture.server.clock.now();
    let path = format!("/confirm/{}", fixture.queue("soc", now).await);
    for number in 0..3 * PER_SECOND_MAX {
        let made_up = NotificationId::of_parts(&["made up", &number.to_string()]);
        let (head, _) = fixture.server.ask(&format!("POST /confirm/{made_up}"), "Content-Length: 0\r\n").await;
        let expected = if number < PER_SECOND_MAX { "http/1.1 404" } else { "http/1.1 429" };
        assert!(head.starts_with(expected), "{number}: {head}");
    }
    assert!(fixture.server.get(&path).await.0.starts_with("http/1.1 200"));
    let (head, _) = fixture.server.ask(&format!("POST {path}"), "Content-Length: 0\r\n").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(fixture.proven_at("soc").await, Some(now), "from the same address");
}

#[tokio::test]
async fn a_secret_store_that_does_not_answer_is_reported_without_detail() {
    let server = Server::start(PATIENT, None).await;
    let (head, body) = server.get(&format!("/confirm/{}", NotificationId::of_parts(&["any"]))).await;
    assert!(head.starts_with("http/1.1 503") && !body.contains("only counts"), "{head}{body}");
}

#[tokio::test]
async fn metrics_count_channels_by_state_and_those_unproven() {
    let fixture = Fixture::new().await;
    let now = fixture.server.clock.now();
    for channel in ["soc", "down", "gone", "elsewhere"] {
        fixture.store.onboard_channels([ChannelName::parse(channel).unwrap()].into(), now).await.unwrap();
    }
    fixture.server.clock.advance(Duration::from_hours(24 * 38));
    let now = fixture.server.clock.now();
    for channel in ["down", "gone"] {
        fixture.queue(channel, now).await;
    }
    let failing = ChannelHealth {
        failing_since: Some(now),
        failed: Some(FailedPeriod { from: now, until: now }),
        ..ChannelHealth::default()
    };
    let retry = AttemptOutcome::Retry { error: "503".into(), next_attempt_at: now, may_have_arrived: false };
    fixture.settle("down", retry, failing).await;
    fixture.settle("gone", AttemptOutcome::Parked { error: "404".into() }, ChannelHealth::default()).await;
    let unproven = |body: &str, number: u64| {
        assert!(body.contains(&format!("\nscorewatch_channels_unproven {number}\n")), "{body}");
    };
    let (_, body) = fixture.server.get("/metrics").await;
    for (state, number) in [("ok", 1), ("failing", 1), ("parked", 1)] {
        assert!(body.contains(&format!("\nscorewatch_channels{{state=\"{state}\"}} {number}\n")), "{state}: {body}");
    }
    unproven(&body, 1);
    fixture.server.clock.advance(Duration::from_hours(12));
    unproven(&fixture.server.get("/metrics").await.1, 3);
}
