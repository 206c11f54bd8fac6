//! A receiver that asks for time gets it, in whatever form it asks: no request arrives earlier, of whatever message.

use std::time::{Duration, Instant};

use scorewatch::{clock::Clock, domain::Timestamp, simulation::Reply};

use crate::harness::{LOW, SENTINEL, SOC, Service, World};

/// No receiver is given more.
const ASKED_MAX: Duration = Duration::from_hours(1);

/// Two alerts wait for a receiver that refuses the first request so; returns when requests arrived, by the wall clock.
async fn arrivals(refusal: Reply, count: usize) -> (World, Service, Vec<Timestamp>) {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.receivers.script(SOC, vec![refusal]);
    let (wall, monotonic) = (Clock::System.now(), Instant::now());
    world.set_score("contoso", LOW);
    world.set_score(SENTINEL, LOW);
    world.until(&service, SOC, |arrived| arrived.len() >= count).await;
    let arrivals = world.arrived(SOC).iter().map(|arrived| wall.plus(arrived.at.duration_since(monotonic))).collect();
    (world, service, arrivals)
}

/// An HTTP date, that many seconds from now.
fn date(seconds: i64) -> (Timestamp, String) {
    let then = Timestamp::from_seconds(Clock::System.now().as_seconds() + seconds);
    (then, then.to_chrono().format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seconds_and_decimals_are_waited_for() {
    for (status, text, asked) in [(429, "2", 2_000), (503, "1.75", 1_750), (503, " 1 ", 1_000)] {
        let (_world, _service, arrivals) = arrivals(Reply::status(status).retry_after(text), 3).await;
        let waited = arrivals[1].since(arrivals[0]);
        assert!(waited >= Duration::from_millis(asked), "{text}: {waited:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_date_is_waited_for() {
    for seconds in (0..).map(|round| 5_i64 << round) {
        let (then, text) = date(seconds);
        let (_world, _service, arrivals) = arrivals(Reply::status(429).retry_after(&text), 3).await;
        // A machine with much to do may come to it only when the date is past; then a later one is tried.
        if arrivals[0] < then {
            assert!(arrivals[1] >= then, "{} {then}", arrivals[1]);
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_whose_body_breaks_off_is_waited_for() {
    let refusal = Reply::text(429, "slow down, please").retry_after("2").cut();
    let (_world, _service, arrivals) = arrivals(refusal, 3).await;
    assert!(arrivals[1].since(arrivals[0]) >= Duration::from_secs(2), "{arrivals:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_asks_for_nothing_is_tried_again_all_the_same() {
    let past = date(-3_600).1;
    for text in [past.as_str(), "0", "soon", "-5", ""] {
        let (world, service, _arrivals) = arrivals(Reply::status(503).retry_after(text), 3).await;
        world.quiet(&service).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absurd_time_is_cut_to_an_hour_and_no_less() {
    let far = date(10 * 365 * 24 * 3_600).1;
    for text in [far.as_str(), "99999999999999999999999", "31536000"] {
        let (world, service, arrivals) = arrivals(Reply::status(429).retry_after(text), 1).await;
        let refused = async {
            loop {
                let rows = world.listing(&["deliveries", "list", "--json"]).await;
                if let Some(row) = rows.into_iter().find(|row| row["last_error"].is_string()) {
                    return row;
                }
                world.checked(&service, SENTINEL, 1).await;
            }
        };
        let refused = world.patiently(&service, "the refusal in the store", refused).await;
        let next = Timestamp::parse(refused["next_attempt_at"].as_str().unwrap()).unwrap();
        assert!(next >= arrivals[0].plus(ASKED_MAX), "{text}: {next}");
        assert!(next <= Clock::System.now().plus(ASKED_MAX), "{text}: {next}");
        world.checked(&service, "contoso", 3).await;
        assert_eq!(world.arrived(SOC).len(), 1, "{text}: nothing else is sent there meanwhile");
    }
}
