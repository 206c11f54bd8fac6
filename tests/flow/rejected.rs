//! What is rejected: whether the message or its receiver is at fault, who is notified, and what is sent once it works again.

use scorewatch::{
    config::Operator,
    notify::DeliveryState::{self, Dead, Delivered, Parked, Queued},
    simulation::Reply,
};

use super::{
    bed::Bed,
    delivery::{lines, queue, sent, states, two_channels},
    setup::{Build, channels, config},
};

/// The classes of what the operator was sent on `ops`.
fn classes(bed: &Bed) -> Vec<String> {
    let class = |request: &std::sync::Arc<scorewatch::simulation::receiver::Received>| {
        request.json()["data"]["operator"]["class"].as_str().unwrap().to_owned()
    };
    bed.receivers.received_by("ops").iter().map(class).collect()
}

fn summary(bed: &Bed, index: usize) -> String {
    let said = bed.receivers.received_by("ops")[index].json()["data"]["operator"]["summary"].clone();
    said.as_str().unwrap().to_owned()
}

async fn queue_all(bed: &Bed, names: &[(&str, &str)]) {
    for (name, rule) in names {
        queue(bed.store.as_ref(), name, rule, &["soc"], bed.clock.now()).await;
    }
}

async fn is_parked(bed: &Bed) -> bool {
    let known = bed.store.channels().await.unwrap();
    known.iter().any(|record| record.channel.as_str() == "soc" && record.parked.is_some())
}

const THREE: [(&str, &str); 3] = [("one", "low"), ("two", "drop"), ("three", "low")];

#[tokio::test]
async fn the_second_message_rejected_in_a_row_parks_the_channel_and_neither_is_lost() {
    let bed = Bed::new().await;
    let (dispatcher, _config, _told) = bed.dispatcher(two_channels(&bed));
    bed.receivers.set("soc", Some(Reply::status(422)));
    queue_all(&bed, &THREE).await;
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&bed, "soc"), lines(&[("one", 422), ("two", 422)]));
    assert_eq!(states(&bed).await[..3], [Parked, Parked, Queued]);
    assert_eq!(classes(&bed), ["channel-parked"], "a message that was not at fault is no dead letter");
    assert!(summary(&bed, 0).contains("3 notifications are waiting"), "{}", summary(&bed, 0));
    bed.pass(15);
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&bed, "soc")[2..], lines(&[("one", 422)]), "the oldest shows whether it works again");
    assert_eq!(states(&bed).await[..3], [Parked, Parked, Queued]);
    bed.receivers.set("soc", None);
    bed.pass(15);
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&bed, "soc")[3..], lines(&[("two", 204), ("one", 204), ("three", 204)]));
    assert_eq!(states(&bed).await[..3], [Delivered, Delivered, Delivered]);
    assert_eq!(classes(&bed), ["channel-parked", "channel-works-again"]);
}

#[tokio::test]
async fn a_redirect_parks_the_channel_at_once() {
    let bed = Bed::new().await;
    let (dispatcher, _config, _told) = bed.dispatcher(two_channels(&bed));
    for status in [301, 302, 307, 308] {
        bed.receivers.set("soc", Some(Reply::redirect(status, "http://127.0.0.1:9/secret-path")));
        queue_all(&bed, &[(&format!("moved by {status}"), "low")]).await;
        dispatcher.drain().await.unwrap();
        assert!(is_parked(&bed).await, "{status}");
        bed.receivers.set("soc", None);
        bed.pass(15);
        dispatcher.drain().await.unwrap();
        assert!(!is_parked(&bed).await, "{status}");
    }
    assert!(summary(&bed, 0).contains("redirect") && !summary(&bed, 0).contains("secret-path"));
}

#[tokio::test]
async fn one_rejected_message_is_a_dead_letter_and_the_operator_is_notified_of_each_cause_once_a_day() {
    let bed = Bed::new().await;
    let (dispatcher, _config, _told) = bed.dispatcher(two_channels(&bed));
    for round in 0..4 {
        bed.receivers.script("soc", vec![Reply::status(422)]);
        queue_all(&bed, &[(&format!("bad {round}"), "low"), (&format!("good {round}"), "drop")]).await;
        dispatcher.drain().await.unwrap();
        bed.pass(1);
    }
    assert!(!is_parked(&bed).await);
    assert_eq!(states(&bed).await.iter().filter(|state| **state == Dead).count(), 4);
    assert_eq!(classes(&bed), ["dead-letter"]);
    assert!(
        summary(&bed, 0).starts_with("1 message could not be delivered to channel `soc`: the receiver answered 422.")
    );
    bed.pass(24 * 60);
    for _restart in 0..2 {
        let (dispatcher, _config, _told) = bed.dispatcher(two_channels(&bed));
        dispatcher.drain().await.unwrap();
    }
    assert_eq!(classes(&bed), ["dead-letter", "dead-letter"]);
    assert!(summary(&bed, 1).starts_with("3 messages could not be delivered"), "{}", summary(&bed, 1));
}

#[tokio::test]
async fn messages_that_are_at_fault_do_not_keep_a_channel_parked() {
    let bed = Bed::new().await;
    let (dispatcher, _config, _told) = bed.dispatcher(two_channels(&bed));
    let rejected = || Reply::status(422);
    bed.receivers.script("soc", vec![rejected(), rejected()]);
    queue_all(&bed, &[("bad 1", "low"), ("bad 2", "drop"), ("good", "other")]).await;
    dispatcher.drain().await.unwrap();
    assert_eq!(states(&bed).await[..3], [Parked, Parked, Queued]);
    bed.receivers.script("soc", vec![rejected(), rejected(), Reply::status(204), rejected(), rejected()]);
    for _ in 0..3 {
        bed.pass(15);
        dispatcher.drain().await.unwrap();
    }
    let expected = [("bad 1", 422), ("bad 2", 422), ("good", 204), ("bad 1", 422), ("bad 2", 422)];
    assert_eq!(sent(&bed, "soc")[2..], lines(&expected), "each shows in turn whether the receiver works");
    assert_eq!(states(&bed).await[..3], [Dead, Dead, Delivered]);
    assert!(!is_parked(&bed).await, "it accepts other messages");
    assert_eq!(classes(&bed), ["channel-parked", "channel-works-again", "dead-letter"]);
}

#[tokio::test]
async fn a_parked_channel_is_tried_with_its_oldest_message_and_the_operator_reminded_each_day() {
    let bed = Bed::new().await;
    let (dispatcher, _config, _told) = bed.dispatcher(two_channels(&bed));
    bed.receivers.set("soc", Some(Reply::status(410)));
    queue_all(&bed, &THREE).await;
    dispatcher.drain().await.unwrap();
    for _ in 0..2 * 24 {
        bed.pass(60);
        dispatcher.drain().await.unwrap();
    }
    assert!(sent(&bed, "soc").iter().all(|(name, status)| (name.as_str(), *status) == ("one", 410)));
    assert_eq!(sent(&bed, "soc").len(), 1 + 2 * 24);
    assert_eq!(classes(&bed), ["channel-parked"; 3]);
    assert!(summary(&bed, 2).contains("still rejects") && summary(&bed, 2).contains("3 notifications are waiting"));
    assert_eq!(states(&bed).await[..3], [Parked, Queued, Queued], "nothing is given up, however long it takes");
    bed.receivers.set("soc", None);
    bed.pass(15);
    dispatcher.drain().await.unwrap();
    let taken = sent(&bed, "soc");
    assert_eq!(taken[taken.len() - 3..], lines(&[("one", 204), ("two", 204), ("three", 204)]));
    bed.pass(24 * 60);
    dispatcher.drain().await.unwrap();
    assert_eq!(classes(&bed).len(), 4, "and that it works again");
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
        let bed = Bed::new().await;
        let (dispatcher, _config, _told) = bed.dispatcher(two_channels(&bed));
        let status = reply.seen_status();
        bed.receivers.script("soc", vec![reply]);
        queue_all(&bed, &[("one", "low")]).await;
        dispatcher.drain().await.unwrap();
        bed.pass(15);
        dispatcher.drain().await.unwrap();
        let received = bed.receivers.received_by("soc");
        let mark = &received[1].json()["data"]["notification"]["possible_repeat"];
        assert_eq!((received.len(), mark.as_bool()), (2, Some(is_marked)), "{status:?}");
    }
}

#[tokio::test]
async fn where_the_operator_has_one_channel_only_its_trouble_is_said_there_once_it_works_again() {
    let bed = Bed::new().await;
    let mut only = config().with_channel(bed.channel("soc"));
    only.operator = Operator { notify: channels(&["soc"]), ..only.operator };
    let (dispatcher, _config, _told) = bed.dispatcher(only);
    bed.receivers.set("soc", Some(Reply::status(404)));
    queue_all(&bed, &[("one", "low")]).await;
    dispatcher.drain().await.unwrap();
    assert_eq!(states(&bed).await, [Parked, Queued]);
    bed.receivers.set("soc", None);
    bed.pass(15);
    dispatcher.drain().await.unwrap();
    let kinds = bed.received("soc");
    assert_eq!(kinds.len(), 4, "the attempt, the probe, that it was parked, and that it works again: {kinds:?}");
    assert_eq!(states(&bed).await, [Delivered; 3]);
}

#[tokio::test]
async fn a_digest_that_was_rejected_before_its_channel_was_parked_is_sent_with_all_that_it_covers() {
    let bed = Bed::new().await;
    let (dispatcher, _config, _told) = bed.dispatcher(two_channels(&bed));
    bed.receivers.set("soc", Some(Reply::status(422)));
    for number in 0..25 {
        super::outage::queue(&bed, &format!("n{number}"), 1, false).await;
    }
    dispatcher.drain().await.unwrap();
    assert!(!is_parked(&bed).await);
    super::outage::queue(&bed, "later", 1, false).await;
    dispatcher.drain().await.unwrap();
    assert!(is_parked(&bed).await);
    let unfinished = |states: Vec<DeliveryState>| states.iter().filter(|state| !state.is_finished()).count();
    assert_eq!(unfinished(states(&bed).await), 27, "the digest, what is merged into it, and the later one");
    bed.receivers.set("soc", None);
    bed.pass(15);
    dispatcher.drain().await.unwrap();
    assert!(states(&bed).await.iter().all(|state| *state == Delivered));
}
