use super::*;

/// That many days after the start, of which the third last digit counts hours: `at(30.5)` is noon of day 30.
fn at(days: f64) -> Timestamp {
    Timestamp::EPOCH.plus(days_long(days))
}

fn days_long(days: f64) -> Duration {
    Duration::from_secs_f64(days * 86_400.0)
}

fn last_verified(seen_at: Option<f64>, drilled_at: Option<f64>, proven_at: Option<f64>) -> LastVerified {
    LastVerified { seen_at: seen_at.map(at), drilled_at: drilled_at.map(at), proven_at: proven_at.map(at) }
}

#[test]
fn a_channel_is_drilled_one_interval_after_its_last_drill_or_delivery() {
    for (drilled_at, proven_at, now, due_at, why) in [
        (None, None, 500.0, None, "nobody has seen the channel yet"),
        (None, Some(1.0), 500.0, None, "nor here"),
        (Some(0.0), None, 0.0, None, "first seen"),
        (Some(0.0), None, 29.999, None, "not yet"),
        (Some(0.0), None, 30.0, Some(30.0), "the first drill"),
        (Some(0.0), None, 75.0, Some(30.0), "we were away: once, and for the time at which it was due"),
        (Some(30.0), None, 59.9, None, "drilled, not confirmed"),
        (Some(30.0), None, 60.0, Some(60.0), "again"),
        (Some(0.0), Some(20.0), 49.9, None, "a real message has proven it"),
        (Some(0.0), Some(20.0), 50.0, Some(50.0), "but no longer"),
        (Some(30.0), Some(20.0), 59.9, None, "the later of both counts"),
        (Some(30.02), Some(2.0), 30.0, None, "planned for half an hour from now"),
        (Some(400.0), None, 30.0, Some(30.0), "noted by a clock that was set back"),
        (Some(10.0), Some(400.0), 40.0, Some(40.0), "what such a clock noted counts for nothing, the rest does"),
        (Some(10.0), Some(400.0), 39.9, None, "the rest does"),
    ] {
        let due = last_verified(Some(0.0), drilled_at, proven_at).drill_due_at(days_long(30.0), at(now));
        assert_eq!(due, due_at.map(at), "{drilled_at:?} {proven_at:?} {now}: {why}");
    }
}

#[test]
fn a_channel_is_unproven_a_week_after_its_drill_was_due() {
    for (seen_at, drilled_at, proven_at, now, since, why) in [
        (None, None, None, 500.0, None, "nobody has seen the channel yet"),
        (Some(0.0), Some(0.0), None, 36.9, None, "not yet"),
        (Some(0.0), Some(30.1), None, 36.9, None, "not yet, drilled"),
        (Some(0.0), Some(30.1), None, 37.0, Some(0.0), "never proven"),
        (Some(0.0), Some(300.0), None, 320.0, Some(0.0), "drilled again and again: one episode"),
        (Some(0.0), Some(30.1), Some(31.0), 67.9, None, "proven"),
        (Some(0.0), Some(61.0), Some(31.0), 68.0, Some(31.0), "no longer"),
        (Some(0.0), Some(90.0), Some(1.0), 90.2, None, "we were away: the drill must have its time"),
        (Some(0.0), Some(90.0), Some(1.0), 90.5, Some(1.0), "it has had its time"),
        (Some(50.0), Some(50.0), Some(1.0), 80.0, None, "seen again after it was proven"),
    ] {
        let missing = last_verified(seen_at, drilled_at, proven_at).missing_since(days_long(30.0), at(now));
        assert_eq!(missing, since.map(at), "{seen_at:?} {drilled_at:?} {proven_at:?} {now}: {why}");
    }
}

#[test]
fn drilled_every_day_a_channel_that_is_never_proven_is_found_all_the_same() {
    let day = days_long(1.0);
    let mut last_verified = last_verified(Some(0.0), Some(0.0), None);
    let reported_at = (0..24 * 20).map(|hour| at(f64::from(hour) / 24.0)).find(|now| {
        if last_verified.drill_due_at(day, *now).is_some() {
            // The latest moment of the spread.
            last_verified.drilled_at = Some(now.plus(SPREAD));
        }
        last_verified.missing_since(day, *now).is_some()
    });
    assert!(reported_at.is_some_and(|reported_at| reported_at >= at(8.0) && reported_at <= at(9.0)), "{reported_at:?}");
}

#[test]
fn a_drill_s_id_is_that_of_its_channel_and_time() {
    let (soc, ops) = (ChannelName::parse("soc").unwrap(), ChannelName::parse("ops").unwrap());
    let ids = [id("a", &soc, at(1.0)), id("a", &soc, at(2.0)), id("a", &ops, at(1.0)), id("b", &soc, at(1.0))];
    assert!(ids.iter().enumerate().all(|(index, one)| ids[index + 1..].iter().all(|other| one != other)));
    assert_eq!(ids[0], id("a", &soc, at(1.0)));
    let drill = message(ids[0].clone(), Some("https://x.example/confirm/1".to_owned()), at(1.0));
    assert_eq!((drill.kind, drill.timestamp), (NotificationType::Drill, at(1.0)));
    assert!(drill.data.operator.is_none() && drill.data.alert.is_none() && !drill.data.notification.test);
}

#[test]
fn whoever_confirms_a_drill_proves_that_it_arrived_when_it_was_delivered() {
    let at = |hours: i64| Timestamp::from_seconds(1_000_000 + hours * 3600);
    for (proven, delivered, expected, why) in [
        (None, None, 5, "it is not known when it was delivered"),
        (None, Some(2), 2, "it was delivered before"),
        (Some(1), Some(2), 2, "later than the last proof"),
        (Some(3), Some(2), 3, "another one was seen since"),
        (Some(6), Some(2), 6, "a clock may be a little ahead"),
        (Some(7), Some(2), 2, "a clock that was ahead has noted it"),
        (None, Some(9), 5, "nor was it delivered later than now"),
    ] {
        assert_eq!(confirmed(proven.map(at), delivered.map(at), at(5)), at(expected), "{why}");
    }
}

#[test]
fn a_drill_covers_earlier_ones_that_wait() {
    let covered = DeliveryState::ALL.into_iter().filter(|state| covers(*state));
    assert_eq!(covered.collect::<Vec<_>>(), [DeliveryState::Queued, DeliveryState::Parked]);
}
