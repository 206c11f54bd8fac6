//! What one request may cost: five seconds to connect, twenty in all, 64 KiB of answer.
//!
//! The clock is tokio's own, paused: it jumps to the next deadline when nobody has anything to do.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use scorewatch::{
    channel::ChannelSettings,
    config,
    egress::{Egress, EgressError, Lookup, Private},
    simulation::{Receivers, Reply},
};
use tokio::{net::TcpSocket, time::Instant};

use super::{policy, post, send};

/// A resolver that never answers.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl Lookup for Silent {
    async fn look_up(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

/// Asserts that a request for that URL is given up after five seconds, before a connection was made.
async fn gives_up_connecting(door: &Egress, url: &str) {
    tokio::time::pause();
    let began = Instant::now();
    let error = send(door, url, &Private::Any).await.unwrap_err();
    assert_eq!(error, EgressError::Connect("timed out".to_owned()), "{url}");
    // The timer's grain is a millisecond.
    let waited = began.elapsed();
    assert!((Duration::from_secs(5)..Duration::from_millis(5_010)).contains(&waited), "{url}: {waited:?}");
    tokio::time::resume();
}

#[tokio::test]
async fn a_connection_is_given_up_after_five_seconds_wherever_it_hangs() {
    // In the look-up.
    gives_up_connecting(&Egress::with_lookup(Arc::new(Silent)), "https://name.example/").await;
    // In TLS: a peer that accepts and says nothing.
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", mute.local_addr().unwrap());
    gives_up_connecting(&Egress::new(), &url).await;
}

#[tokio::test]
async fn a_connection_that_nobody_accepts_is_given_up_after_five_seconds() {
    // A queue of one that is full: further connections are not answered.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(200), tokio::net::TcpStream::connect(address)).await
    {
        queued.push(stream);
        assert!(queued.len() < 100, "the queue never fills");
    }
    gives_up_connecting(&Egress::new(), &format!("http://{address}/")).await;
}

#[tokio::test]
async fn an_attempt_ends_after_twenty_seconds_in_all_with_the_body() {
    let folder = tempfile::tempdir().unwrap();
    let receivers = Receivers::start().await.unwrap();
    let url = receivers.add_webhook("slow");
    let settings = channel(folder.path(), &url);
    assert_eq!(settings.timeout, Duration::from_secs(20), "by default");
    for slow in [
        Reply::hang(),
        Reply::text(200, &"z".repeat(100)).dripping(Duration::from_secs(1)),
        Reply::status(200).delayed(Duration::from_secs(19)).body("zzz").dripping(Duration::from_secs(1)),
    ] {
        // The connection is made while the clock still runs.
        let door = Egress::new();
        let by = policy(&Private::Loopback);
        assert_eq!(settings.timeout, by.deadline);
        door.send(post(&url), &by).await.unwrap();
        receivers.script("slow", vec![slow]);
        tokio::time::pause();
        let began = Instant::now();
        let answer = door.send(post(&url), &by).await;
        let waited = began.elapsed();
        tokio::time::resume();
        assert_eq!(answer.unwrap_err(), EgressError::Timeout(settings.timeout));
        assert!((settings.timeout..settings.timeout + Duration::from_millis(10)).contains(&waited), "{waited:?}");
    }
}

#[tokio::test]
async fn at_most_64_kib_of_an_answer_are_read_after_decompression() {
    let receivers = Receivers::start().await.unwrap();
    let url = receivers.add_webhook("bomb");
    for (asks, cut, expected) in [(true, false, None), (true, true, Some(64 * 1024)), (false, true, Some(32 * 1024))] {
        receivers.script("bomb", vec![Reply::gzip_bomb()]);
        let mut request = post(&url);
        if asks {
            request.headers.push(("accept-encoding", "gzip".into()));
        }
        let by = scorewatch::egress::Policy { fail_above_max: !cut, ..policy(&Private::Loopback) };
        match (Egress::new().send(request, &by).await, expected) {
            (Ok(answer), Some(bytes)) if asks => assert_eq!((answer.body.len(), answer.truncated), (bytes, true)),
            // Not unpacked at all.
            (Ok(answer), Some(bytes)) => assert!(answer.body.len() <= bytes.max(64 * 1024) && answer.body[0] == 0x1f),
            (answer, _) => assert_eq!(answer.unwrap_err(), EgressError::TooLarge(64 * 1024)),
        }
    }
    receivers.script("bomb", vec![Reply::endless()]);
    assert_eq!(send(&Egress::new(), &url, &Private::Loopback).await.unwrap_err(), EgressError::TooLarge(64 * 1024));
}

/// A webhook channel with the defaults, as the service has it.
fn channel(folder: &std::path::Path, url: &str) -> Arc<ChannelSettings> {
    let text =
        format!("store: sqlite://s.db\nchannels:\n  slow: {{ type: webhook, url: \"{url}\", allow_private: true }}\n");
    std::fs::write(folder.join("scorewatch.yaml"), text).unwrap();
    let loaded = config::load(&folder.join("scorewatch.yaml"));
    let config = loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.problems));
    Arc::clone(&config.channels["slow"])
}
