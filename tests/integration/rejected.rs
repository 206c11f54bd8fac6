//! What is rejected: whether the message or its receiver is at fault, who is notified, and what is sent once it works again.

use scorewatch::{
    config::Operator,
    notify::DeliveryState::{self, Dead, Delivered, Parked, Queued},
    simulation::Reply,
};

use super::{
    delivery::{lines, queue, sent, states, two_channels},
    fixture::Fixture,
    setup::{Build, channels, config},
};

/// The classes of what the operator was sent on `ops`.
fn classes(fixture: &Fixture) -> Vec<String> {
    let class = |request: &std::sync::Arc<scorewatch::simulation::receiver::Received>| {
        request.json()["data"]["operator"]["class"].as_str().unwrap().to_owned()
    };
    fixture.receivers.received_by("ops").iter().map(class).collect()
}

fn summary(fixture: &Fixture, index: usize) -> String {
    let said = fixture.receivers.received_by("ops")[index].json()["data"]["operator"]["summary"].clone();
    said.as_str().unwrap().to_owned()
}

async fn queue_all(fixture: &Fixture, names: &[(&str, &str)]) {
    for (name, rule) in names {
        queue(fixture.store.as_ref(), name, rule, &["soc"], fixture.clock.now()).await;
    }
}

async fn is_parked(fixture: &Fixture) -> bool {
    let known = fixture.store.channels().await.unwrap();
    known.iter().any(|record| record.channel.as_str() == "soc" && record.parked.is_some())
}

const THREE: [(&str, &str); 3] = [("one", "low"), ("two", "drop"), ("three", "low")];

#[tokio::test]
async fn the_second_message_rejected_in_a_row_parks_the_channel_and_neither_is_lost() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
    fixture.receivers.set("soc", Some(Reply::status(422)));
    queue_all(&fixture, &THREE).await;
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&fixture, "soc"), lines(&[("one", 422), ("two", 422)]));
    assert_eq!(states(&fixture).await[..3], [Parked, Parked, Queued]);
    assert_eq!(classes(&fixture), ["channel-parked"], "a message that was not at fault is no dead letter");
    assert!(summary(&fixture, 0).contains("3 notifications are waiting"), "{}", summary(&fixture, 0));
    fixture.pass(15);
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&fixture, "soc")[2..], lines(&[("one", 422)]), "the oldest shows whether it works again");
    assert_eq!(states(&fixture).await[..3], [Parked, Parked, Queued]);
    fixture.receivers.set("soc", None);
    fixture.pass(15);
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&fixture, "soc")[3..], lines(&[("two", 204), ("one", 204), ("three", 204)]));
    assert_eq!(states(&fixture).await[..3], [Delivered, Delivered, Delivered]);
    assert_eq!(classes(&fixture), ["channel-parked", "channel-works-again"]);
}

#[tokio::test]
async fn a_redirect_parks_the_channel_at_once() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
    for status in [301, 302, 307, 308] {
        fixture.receivers.set("soc", Some(Reply::redirect(status, "http://127.0.0.1:9/secret-path")));
        queue_all(&fixture, &[(&format!("moved by {status}"), "low")]).await;
        dispatcher.drain().await.unwrap();
        assert!(is_parked(&fixture).await, "{status}");
        fixture.receivers.set("soc", None);
        fixture.pass(15);
        dispatcher.drain().await.unwrap();
        assert!(!is_parked(&fixture).await, "{status}");
    }
    assert!(summary(&fixture, 0).contains("redirect") && !summary(&fixture, 0).contains("secret-path"));
}

#[tokio::test]
async fn one_rejected_message_is_a_dead_letter_and_the_operator_is_notified_of_each_cause_once_a_day() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
    for round in 0..4 {
        fixture.receivers.script("soc", vec![Reply::status(422)]);
        queue_all(&fixture, &[(&format!("bad {round}"), "low"), (&format!("good {round}"), "drop")]).await;
        dispatcher.drain().await.unwrap();
        fixture.pass(1);
    }
    assert!(!is_parked(&fixture).await);
    assert_eq!(states(&fixture).await.iter().filter(|state| **state == Dead).count(), 4);
    assert_eq!(classes(&fixture), ["dead-letter"]);
    assert!(
        summary(&fixture, 0)
            .starts_with("1 message could not be delivered to channel `soc`: the receiver answered 422.")
    );
    fixture.pass(24 * 60);
    for _restart in 0..2 {
        let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
        dispatcher.drain().await.unwrap();
    }
    assert_eq!(classes(&fixture), ["dead-letter", "dead-letter"]);
    assert!(summary(&fixture, 1).starts_with("3 messages could not be delivered"), "{}", summary(&fixture, 1));
}

#[tokio::test]
async fn messages_that_are_at_fault_do_not_keep_a_channel_parked() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
    let rejected = || Reply::status(422);
    fixture.receivers.script("soc", vec![rejected(), rejected()]);
    queue_all(&fixture, &[("bad 1", "low"), ("bad 2", "drop"), ("good", "other")]).await;
    dispatcher.drain().await.unwrap();
    assert_eq!(states(&fixture).await[..3], [Parked, Parked, Queued]);
    fixture.receivers.script("soc", vec![rejected(), rejected(), Reply::status(204), rejected(), rejected()]);
    for _ in 0..3 {
        fixture.pass(15);
        dispatcher.drain().await.unwrap();
    }
    let expected = [("bad 1", 422), ("bad 2", 422), ("good", 204), ("bad 1", 422), ("bad 2", 422)];
    assert_eq!(sent(&fixture, "soc")[2..], lines(&expected), "each shows in turn whether the receiver works");
    assert_eq!(states(&fixture).await[..3], [Dead, Dead, Delivered]);
    assert!(!is_parked(&fixture).await, "it accepts other messages");
    assert_eq!(classes(&fixture), ["channel-parked", "channel-works-again", "dead-letter"]);
}

#[tokio::test]
async fn a_parked_channel_is_tried_with_its_oldest_message_and_the_operator_reminded_each_day() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
    fixture.receivers.set("soc", Some(Reply::status(410)));
    queue_all(&fixture, &THREE).await;
    dispatcher.drain().await.unwrap();
    for _ in 0..2 * 24 {
        fixture.pass(60);
        dispatcher.drain().await.unwrap();
    }
    assert!(sent(&fixture, "soc").iter().all(|(name, status)| (name.as_str(), *status) == ("one", 410)));
    assert_eq!(sent(&fixture, "soc").len(), 1 + 2 * 24);
    assert_eq!(classes(&fixture), ["channel-parked"; 3]);
    assert!(
        summary(&fixture, 2).contains("still rejects") && summary(&fixture, 2).contains("3 notifications are waiting")
    );
    assert_eq!(states(&fixture).await[..3], [Parked, Queued, Queued], "nothing is given up, however long it takes");
    fixture.receivers.set("soc", None);
    fixture.pass(15);
    dispatcher.drain().await.unwrap();
    let taken = sent(&fixture, "soc");
    assert_eq!(taken[taken.len() - 3..], lines(&[("one", 204), ("two", 204), ("three", 204)]));
    fixture.pass(24 * 60);
    dispatcher.drain().await.unwrap();
    assert_eq!(classes(&fixture).len(), 4, "and that it works again");
}

#[tokio::test]
async fn what_may_have_been_delivered_is_marked_when_it_is_repeated() {
    for (reply, is_marked) in [
        (Reply::status(502), true),
        (Reply::json(502, r#"{"error":{"code":"NoResponse"}}"#), true),
        (Reply::status(504), true),
        (Reply::status(500), true),
        (Reply::close(), true),
        (Reply::status(503), false),
        (Reply::status(429), false),
        (Reply::status(408), false),
    ] {
        let fixture = Fixture::new().await;
        let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
        let status = reply.seen_status();
        fixture.receivers.script("soc", vec![reply]);
        queue_all(&fixture, &[("one", "low")]).await;
        dispatcher.drain().await.unwrap();
        fixture.pass(15);
        dispatcher.drain().await.unwrap();
        let received = fixture.receivers.received_by("soc");
        let mark = &received[1].json()["data"]["notification"]["possible_duplicate"];
        assert_eq!((received.len(), mark.as_bool()), (2, Some(is_marked)), "{status:?}");
    }
}

#[tokio::test]
async fn where_the_operator_has_one_channel_only_its_trouble_is_said_there_once_it_works_again() {
    let fixture = Fixture::new().await;
    let mut only = config().with_channel(fixture.channel("soc"));
    only.operator = Operator { notify: channels(&["soc"]), ..only.operator };
    let (dispatcher, _config, _settled) = fixture.dispatcher(only);
    fixture.receivers.set("soc", Some(Reply::status(404)));
    queue_all(&fixture, &[("one", "low")]).await;
    dispatcher.drain().await.unwrap();
    assert_eq!(states(&fixture).await, [Parked, Queued]);
    fixture.receivers.set("soc", None);
    fixture.pass(15);
    dispatcher.drain().await.unwrap();
    let kinds = fixture.received("soc");
    assert_eq!(kinds.len(), 4, "the attempt, the probe, that it was parked, and that it works again: {kinds:?}");
    assert_eq!(states(&fixture).await, [Delivered; 3]);
}

#[tokio::test]
async fn a_digest_that_was_rejected_before_its_channel_was_parked_is_sent_with_all_that_it_covers() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
    fixture.receivers.set("soc", Some(Reply::status(422)));
    for number in 0..25 {
        super::outage::queue(&fixture, &format!("n{number}"), 1, false).await;
    }
    dispatcher.drain().await.unwrap();
    assert!(!is_parked(&fixture).await);
    super::outage::queue(&fixture, "later", 1, false).await;
    dispatcher.drain().await.unwrap();
    assert!(is_parked(&fixture).await);
    let unfinished = |states: Vec<DeliveryState>| states.iter().filter(|state| !state.is_finished()).count();
    assert_eq!(unfinished(states(&fixture).await), 27, "the digest, what is merged into it, and the later one");
    fixture.receivers.set("soc", None);
    fixture.pass(15);
    dispatcher.drain().await.unwrap();
    assert!(states(&fixture).await.iter().all(|state| *state == Delivered));
}
