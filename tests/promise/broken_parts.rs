//! No part of the service ends or hangs unnoticed: the process ends for it, or its watchdog is not fed and says so.
//!
//! A binary with debug assertions is given the part that breaks.

use std::os::unix::net::UnixDatagram;

use crate::harness::{OPS, Service, World, get};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_ends_or_panics_ends_the_process_and_the_operator_is_notified() {
    for (part, how, arrived) in [
        ("planner", "panics", "panicked"),
        ("sweep", "panics", "panicked"),
        ("web", "ends", "ended, though it must go on"),
        ("heartbeat", "ends", "ended, though it must go on"),
    ] {
        let world = World::new().await;
        world.write();
        let broken = format!("{part} {how}");
        let service = Service::spawn(&world.folder.config(), &[("SCOREWATCH_BREAK_PART", &broken)]);
        let status = service.ended().await;
        assert_eq!(status.code(), Some(1), "{broken}: {}", service.log());
        assert!(service.log().contains(&format!("the part `{part}` {arrived}")), "{broken}: {}", service.log());
        let service = world.run().await;
        let is_notified = |arrived: &[crate::harness::Arrived]| {
            let operator = arrived.iter().map(|arrived| &arrived.body["data"]["operator"]);
            let of_it = operator.filter(|operator| operator["class"] == "part-failed");
            of_it.filter(|operator| operator["summary"].as_str().unwrap().contains(part)).count() == 1
        };
        world.until(&service, OPS, is_notified).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_hangs_starves_the_watchdog_and_shows_in_the_metrics() {
    for part in ["planner", "sweep"] {
        let world = World::new().await;
        world.write();
        let path = world.folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        let broken = format!("{part} hangs");
        let environment = [
            ("NOTIFY_SOCKET", path.to_str().unwrap()),
            ("WATCHDOG_USEC", "6000000"),
            ("SCOREWATCH_BREAK_PART", broken.as_str()),
        ];
        let service = Service::spawn(&world.folder.config(), &environment);
        let address = service.listening().await;
        service.says("no progress; if this continues, systemd restarts the service").await;
        let (_, metrics) = get(address, "/metrics").await;
        assert!(metrics.contains("\nscorewatch_watchdog_missed_total 1\n"), "{broken}: {metrics}");
        let mut said = [0; 256];
        while let Ok(length) = socket.recv(&mut said) {
            assert_ne!(&said[..length], b"WATCHDOG=1", "{broken}: systemd must start it again");
        }
        // Where there is no systemd, a probe starts it again.
        service.says("no progress within the watchdog's interval; `/healthz` fails").await;
        let sign = if part == "planner" { "scheduler" } else { "dispatcher" };
        // The log says so right before the answer changes.
        while get(address, "/healthz").await.0 != 503 {}
        let (status, body) = get(address, "/readyz").await;
        assert!(status == 503 && is_bad(&body, sign), "{broken}: {body}");
    }
}

/// Whether `/readyz` says that this part does not work.
fn is_bad(answer: &str, part: &str) -> bool {
    let body = answer.find('{').map_or("", |start| &answer[start..]);
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let signs = body["signs"].as_array().unwrap();
    signs.iter().any(|sign| sign["part"] == part && sign["good"] == false)
}
