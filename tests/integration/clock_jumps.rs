//! The wall clock is set forward and back, by an hour and by a year, while monotonic time and Microsoft's clock go on: nobody
//! waits longer than his own maximum, and nothing is lost or sent twice.

use std::time::Duration;

use scorewatch::{
    clock::Clock, config::Config, domain::Timestamp, notify::DeliveryState, rule::Condition, simulation::Reply,
};

use super::{
    delivery::queue,
    fixture::Fixture,
    planner::{PlannerFixture, checked},
    setup::{Build, at, config, minutes, rule},
};

const HOUR: i64 = 3_600;
const YEAR: i64 = 365 * 24 * HOUR;
/// A tenant's checks are that far apart.
const INTERVAL: Duration = Duration::from_mins(15);

fn later(than: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_nanos(than.as_nanos() + seconds * 1_000_000_000)
}

fn step(fixture: &Fixture, seconds: i64) {
    fixture.clock.set(later(fixture.clock.now(), seconds));
}

#[tokio::test]
async fn tenants_are_checked_and_reported_once_whatever_the_clock_is_set_to() {
    for seconds in [HOUR, -HOUR, YEAR, -YEAR] {
        let true_time = Clock::manual(at(0));
        let fixture = Fixture::apart(Clock::manual(at(0)), true_time.clone()).await;
        let config = config()
            .with_tenant(fixture.tenant("contoso", 400.0))
            .with_channel(fixture.channel("soc"))
            .with_rule(rule("low", Condition::Below(300.0)));
        // A quarter of an hour passes immediately here: no check that is under way may be given up for that.
        let config = Config { timeout: Duration::from_hours(24), ..config };
        let planner = PlannerFixture::start(&fixture, &config).await;
        checked(&planner, &fixture, "contoso", 1).await;
        let mut expected = Vec::new();
        for there_and_back in [seconds, -seconds] {
            for (score, kind) in [(250.0, "alert.firing"), (400.0, "alert.resolved")] {
                fixture.set_score("contoso", score);
                expected.push((kind.to_owned(), Some(204)));
                if kind == "alert.firing" {
                    planner.set(&fixture, later(fixture.clock.now(), there_and_back)).await;
                }
                // By then everybody's turn has come; the clocks stand still while it is waited for, so that whoever waited
                // for a later time would wait for ever.
                for clock in [&fixture.clock, &true_time] {
                    clock.advance(INTERVAL);
                }
                let what = format!("{kind} within an interval, {seconds} s");
                planner.until_it(&what, async || fixture.received("soc").len() >= expected.len()).await;
            }
        }
        assert_eq!(fixture.received("soc"), expected, "{seconds} s");
        planner.stop(&fixture).await;
    }
}

#[tokio::test]
async fn what_waits_is_sent_once_when_the_clock_is_set_forward() {
    for seconds in [HOUR, YEAR] {
        let fixture = Fixture::new().await;
        let (dispatcher, _config, _settled) = fixture.dispatcher(config().with_channel(fixture.channel("soc")));
        fixture.receivers.script("soc", vec![Reply::status(503), Reply::status(429).retry_after("1800")]);
        for (name, rule) in [("one", "low"), ("two", "drop"), ("three", "low")] {
            queue(fixture.store.as_ref(), name, rule, &["soc"], fixture.clock.now()).await;
        }
        dispatcher.drain().await.unwrap();
        dispatcher.drain().await.unwrap();
        step(&fixture, seconds);
        dispatcher.drain().await.unwrap();
        let states: Vec<_> = fixture.deliveries().await.iter().map(|delivery| delivery.state).collect();
        assert_eq!(states, [DeliveryState::Delivered; 3], "{seconds} s");
        let taken = fixture.receivers.received().iter().filter(|request| request.accepted()).count();
        assert_eq!(taken, 3, "{seconds} s");
    }
}

#[tokio::test]
async fn what_waits_and_an_open_breaker_are_held_to_their_maximum_when_the_clock_is_set_back() {
    // What a receiver may ask for at most, which is more than the longest back-off.
    let longest = minutes(60);
    for seconds in [-HOUR, -YEAR] {
        let fixture = Fixture::new().await;
        let (dispatcher, _config, _settled) = fixture.dispatcher(config().with_channel(fixture.channel("soc")));
        fixture.receivers.set("soc", Some(Reply::status(503).retry_after("600")));
        for (name, rule) in [("one", "low"), ("two", "drop"), ("three", "blind")] {
            queue(fixture.store.as_ref(), name, rule, &["soc"], fixture.clock.now()).await;
        }
        for _ in 0..4 {
            dispatcher.drain().await.unwrap();
            fixture.pass(10);
        }
        dispatcher.drain().await.unwrap();
        fixture.receivers.set("soc", None);
        step(&fixture, seconds);
        let set_back_at = fixture.clock.now();
        let waits =
            async || fixture.deliveries().await.iter().any(|delivery| delivery.state != DeliveryState::Delivered);
        while waits().await {
            assert!(fixture.clock.now().since(set_back_at) <= longest, "{seconds} s: {:?}", fixture.deliveries().await);
            fixture.pass(5);
            dispatcher.drain().await.unwrap();
        }
        let taken = fixture.receivers.received().iter().filter(|request| request.accepted()).count();
        assert_eq!(taken, 3, "{seconds} s");
    }
}

#[tokio::test]
async fn a_reminder_waits_for_no_time_that_has_been_already() {
    for seconds in [-HOUR, -YEAR] {
        let fixture = Fixture::new().await;
        let mut low = rule("low", Condition::Below(300.0));
        low.repeat = Some(minutes(60));
        let config =
            config().with_tenant(fixture.tenant("contoso", 250.0)).with_channel(fixture.channel("soc")).with_rule(low);
        let (dispatcher, _config, _settled) = fixture.dispatcher(config.clone());
        // The clock was ahead when the alert was reported.
        fixture.visit(&config).await;
        dispatcher.drain().await.unwrap();
        assert_eq!(fixture.received("soc").len(), 1);
        step(&fixture, seconds);
        let set_back_at = fixture.clock.now();
        while fixture.received("soc").len() == 1 {
            fixture.pass(15);
            fixture.visit(&config).await;
            dispatcher.drain().await.unwrap();
            let waited = fixture.clock.now().since(set_back_at);
            assert!(waited <= minutes(120), "{seconds} s: not in twice its interval");
        }
        let kinds: Vec<_> = fixture.received("soc").into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["alert.firing", "alert.reminder"]);
    }
}
