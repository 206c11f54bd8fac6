//! Strangers who hold connections open and say nothing keep nobody out: probes and pages answer, and checks go on.

use std::net::SocketAddr;

use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::harness::{World, get};

/// Opened twice, more than the service lets wait.
const CONNECTIONS: usize = 600;

/// Half of them say nothing, half begin a request that never ends.
async fn strangers(address: SocketAddr) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for number in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(address).await.unwrap();
        if number % 2 == 0 {
            // Those that had to make room for others are closed already.
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await;
        }
        streams.push(stream);
    }
    streams
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_say_nothing_keep_nobody_out() {
    let world = World::new().await;
    let service = world.run().await;
    let address = service.listening().await;
    world.checked(&service, "contoso", 1).await;
    let first = strangers(address).await;
    for path in ["/healthz", "/readyz", "/metrics", "/", "/api/v1/tenants"] {
        let (status, answer) = get(address, path).await;
        assert_eq!(status, 200, "{path}: {answer}");
    }
    let second = strangers(address).await;
    world.checked(&service, "contoso", 3).await;
    assert_eq!(get(address, "/healthz").await.0, 200);
    assert_eq!(get(address, "/").await.0, 200);
    drop((first, second));
    assert_eq!(service.stop().await.code(), Some(0));
}
