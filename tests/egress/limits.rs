//! What one request may cost: five seconds to connect, twenty in all, 64 KiB of answer.
//!
//! The clock is tokio's own, paused: it jumps to the next deadline when nobody has anything to do.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use scorewatch::{
    channel::{Form, Verdict},
    config::{self, Config},
    delivery::send,
    domain::Timestamp,
    egress::{Egress, EgressError, Lookup, Private},
    notify::{NotificationType, compose, notification::OperatorFacts},
    simulation::{Receivers, Reply},
};
use tokio::{net::TcpSocket, time::Instant};

use super::{policy, post};

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
    let error = super::send(door, url, &Private::Any).await.unwrap_err();
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
    while !is_full(address.port()) {
        queued.push(tokio::net::TcpStream::connect(address).await.unwrap());
        assert!(queued.len() < 100, "the queue never fills");
    }
    gives_up_connecting(&Egress::new(), &format!("http://{address}/")).await;
}

/// Whether more connections wait at that listener than its queue of none may hold: the system answers no further one.
fn is_full(port: u16) -> bool {
    // `local_address` in hexadecimal, `st` 0A for a listener, and the second half of `tx_queue:rx_queue`: how many wait.
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let local = format!("0100007F:{port:04X}");
    let waiting = table.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        (fields.next()? == local && fields.nth(1)? == "0A")
            .then(|| fields.next()?.split(':').nth(1).map(str::to_owned))?
    });
    u32::from_str_radix(&waiting.unwrap(), 16).unwrap() > 0
}

#[tokio::test]
async fn an_attempt_ends_after_twenty_seconds_in_all_with_the_body() {
    let receivers = Receivers::start().await.unwrap();
    let fixture = Fixture::new(&receivers.add_webhook("slow"));
    let nothing = Verdict::Retry { reason: "no complete answer within 20s".to_owned(), after: None };
    for (slow, expected) in [
        (Reply::hang(), nothing),
        // The status came in time and is the receiver's answer, whatever becomes of its body.
        (Reply::text(200, &"z".repeat(100)).dripping(Duration::from_secs(1)), Verdict::Delivered),
        (
            Reply::status(200).delayed(Duration::from_secs(19)).body("zzz").dripping(Duration::from_secs(1)),
            Verdict::Delivered,
        ),
    ] {
        // The connection is made while the clock still runs.
        let door = Egress::new();
        assert_eq!(fixture.attempt(&door).await, Verdict::Delivered);
        receivers.script("slow", vec![slow]);
        tokio::time::pause();
        let began = Instant::now();
        let verdict = fixture.attempt(&door).await;
        let waited = began.elapsed();
        tokio::time::resume();
        assert_eq!(verdict, expected);
        assert!((Duration::from_secs(20)..Duration::from_millis(20_010)).contains(&waited), "{waited:?}");
    }
}

#[tokio::test]
async fn an_attempt_does_not_read_an_endless_answer_to_its_end() {
    let receivers = Receivers::start().await.unwrap();
    let fixture = Fixture::new(&receivers.add_webhook("slow"));
    for endless in [Reply::endless(), Reply::gzip_bomb()] {
        receivers.script("slow", vec![endless]);
        assert_eq!(
            fixture.attempt(&Egress::new()).await,
            Verdict::Delivered,
            "the status was read, and no more than needed"
        );
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
    assert_eq!(
        super::send(&Egress::new(), &url, &Private::Loopback).await.unwrap_err(),
        EgressError::TooLarge(64 * 1024)
    );
}

/// A webhook channel with the defaults, as the service has it.
struct Fixture {
    config: Config,
    _folder: tempfile::TempDir,
}

impl Fixture {
    fn new(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let channel = format!("{{ type: webhook, url: \"{url}\", allow_private: true }}");
        let file = folder.path().join("scorewatch.yaml");
        std::fs::write(&file, format!("store: sqlite://s.db\nchannels:\n  slow: {channel}\n")).unwrap();
        let loaded = config::load(&file);
        Self { config: loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.problems)), _folder: folder }
    }

    async fn attempt(&self, door: &Egress) -> Verdict {
        let now = Timestamp::EPOCH;
        let facts =
            OperatorFacts { summary: "a test".to_owned(), class: "test".to_owned(), ..OperatorFacts::default() };
        let notification = compose::for_operator(NotificationType::Test, &["limits"], None, facts, now);
        let written =
            send::write(&self.config.channels["slow"], &self.config.templates, &notification, Form::Rich, now);
        written.unwrap_or_else(|verdict| panic!("{verdict:?}")).send(door, now).await.verdict
    }
}
