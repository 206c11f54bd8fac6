//! What systemd hears: that the service is ready, that it works, that it reloads and that it stops.

use std::{os::unix::net::UnixDatagram, time::Duration};

use crate::harness::{PATIENCE, Service, World, get};

/// Longer than anything here takes, and short enough to be fed in a test.
const INTERVAL: Duration = Duration::from_secs(6);

/// The next thing that is said to systemd.
async fn heard(socket: &UnixDatagram) -> String {
    let socket = socket.try_clone().unwrap();
    let receive = move || {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut said = [0; 256];
        let length = socket.recv(&mut said).expect("nothing was said to systemd");
        String::from_utf8_lossy(&said[..length]).into_owned()
    };
    tokio::task::spawn_blocking(receive).await.unwrap()
}

async fn is_sent(socket: &UnixDatagram, wanted: &str) {
    while heard(socket).await != wanted {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn systemd_is_notified_that_the_service_is_ready_works_reloads_and_stops() {
    let world = World::new().await;
    world.write();
    let path = world.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let interval = INTERVAL.as_micros().to_string();
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", interval.as_str())];
    let service = Service::spawn(&world.folder.config(), &environment);
    assert_eq!(heard(&socket).await, "READY=1");
    is_sent(&socket, "WATCHDOG=1").await;
    is_sent(&socket, "WATCHDOG=1").await;
    service.signal("HUP");
    is_sent(&socket, "RELOADING=1").await;
    is_sent(&socket, "READY=1").await;
    let (_, metrics) = get(service.listening().await, "/metrics").await;
    assert!(metrics.contains("scorewatch_watchdog_missed_total 0"), "{metrics}");
    service.signal("TERM");
    is_sent(&socket, "STOPPING=1").await;
    assert!(service.ended().await.success());
}
