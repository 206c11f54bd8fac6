//! What events say, and what PagerDuty's answers mean.

use super::*;
use crate::notify::language::Locale;
use crate::template::sample;

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn written(notification: &Notification, key: &str) -> (&'static str, Value) {
    let (path, event) = event(notification, &Locale::default(), key);
    (path, serde_json::to_value(event).unwrap())
}

#[test]
fn an_alert_is_opened_added_to_and_closed_under_one_key() {
    let mut keys = std::collections::BTreeSet::new();
    for (kind, action) in [
        (NotificationType::AlertFiring, "trigger"),
        (NotificationType::AlertWorsened, "trigger"),
        (NotificationType::AlertReminder, "trigger"),
        (NotificationType::AlertResolved, "resolve"),
    ] {
        let (path, event) = written(&sample::notification(kind, "Contoso Ltd"), KEY);
        assert_eq!((path, event["event_action"].as_str()), (ALERTS, Some(action)), "{kind:?}");
        assert_eq!(event["payload"]["severity"], "critical");
        keys.insert(event["dedup_key"].as_str().unwrap().to_owned());
    }
    assert_eq!(keys.len(), 1);
}

#[test]
fn every_event_keeps_the_limits_whatever_stands_in_it() {
    for sample in sample::all() {
        let (_, event) = written(&sample, KEY);
        assert!(event.to_string().len() < EVENT_BYTES_MAX / 8);
        let payload = &event["payload"];
        assert!((1..=SUMMARY_CHARACTERS_MAX).contains(&payload["summary"].as_str().unwrap().chars().count()));
        assert!(!payload["source"].as_str().unwrap().is_empty());
        let key = event["dedup_key"].as_str().unwrap_or_default();
        assert!(key.chars().count() <= DEDUP_KEY_CHARACTERS_MAX);
    }
}

#[test]
fn a_test_pages_nobody() {
    let mut sample = sample::notification(NotificationType::AlertFiring, "Contoso Ltd");
    sample.data.notification.test = true;
    let (path, event) = written(&sample, KEY);
    let drill = sample::notification(NotificationType::Drill, "");
    assert_eq!(written(&drill, KEY).0, CHANGES);
    assert_eq!((path, event.get("event_action"), event.get("dedup_key")), (CHANGES, None, None));
    // A ruleset takes no change event; the end of what never began is dropped there.
    let (path, event) = written(&sample, "R123456789abcdef0123456789abcdef");
    assert_eq!((path, &event["event_action"], &event["dedup_key"]), (ALERTS, &"resolve".into(), &TEST_KEY.into()));
}

#[test]
fn troubles_of_ours_have_a_key_each() {
    let key = |kind| written(&sample::notification(kind, "Contoso Ltd"), KEY).1["dedup_key"].clone();
    assert_eq!(key(NotificationType::OperatorChannel), "scorewatch.operator.channel/contoso");
    assert_eq!(key(NotificationType::OperatorCredential), "scorewatch.operator.credential/contoso");
    let downtime = sample::notification(NotificationType::OperatorDowntime, "");
    let (_, event) = written(&downtime, KEY);
    assert_eq!((&event["event_action"], &event["payload"]["severity"]), (&"trigger".into(), &"info".into()));
}

#[test]
fn every_answer_has_its_class() {
    for (status, body, expected) in [
        (202, "", "delivered"),
        (202, "<html>", "delivered"),
        (200, "<html>sign in</html>", "retry"),
        (400, r#"{"status":"invalid event","errors":["'summary' is missing"]}"#, "rejected"),
        (400, r#"{"errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}"#, "parked"),
        (400, "Invalid routing key", "parked"),
        (401, "", "parked"),
        (403, "", "parked"),
        (404, "", "parked"),
        (429, "", "retry"),
        (302, "", "parked"),
        (413, "", "rejected"),
        (500, "", "retry"),
        (503, "routing_key", "retry"),
    ] {
        let answer =
            Answer { status, retry_after: None, content_type: None, body: body.into(), truncated: false, step: None };
        let class = judge(&answer, true, Timestamp::EPOCH).class();
        assert_eq!(class, expected, "{status} {body:?}");
        let compatible = judge(&answer, false, Timestamp::EPOCH).class();
        let expected = if status == 200 { "delivered" } else { expected };
        assert_eq!(compatible, expected, "{status} {body:?} of a compatible receiver");
    }
}
