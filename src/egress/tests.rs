//! What the door lets through, and what it makes of hostile answers.

use std::{
    io,
    net::IpAddr,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;

use super::{
    loopback::{Reply, Server, reply},
    *,
};

const CANARY: &str = "canary-7Q4M2K";

/// Names as a test wants them: each look-up takes the next answer, the last one stays.
#[derive(Debug)]
struct Scripted {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Scripted {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(parse).collect()), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Lookup for Scripted {
    async fn look_up(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 {
            Ok(answers.remove(0))
        } else {
            answers.first().cloned().ok_or_else(|| io::Error::other("none"))
        }
    }
}

fn policy(private: Private) -> Policy {
    Policy { private, deadline: Duration::from_secs(10), answer_bytes_max: 64 * 1024, fail_above_max: true }
}

fn post(url: &str) -> Request {
    Request {
        method: Method::Post,
        url: url.into(),
        headers: vec![("authorization", CANARY.into())],
        body: Bytes::from_static(CANARY.as_bytes()),
    }
}

#[tokio::test]
async fn a_name_is_refused_if_any_of_its_addresses_is() {
    for answer in [
        &["1.1.1.1", "127.0.0.1"][..],
        &["127.0.0.1", "1.1.1.1"],
        &["2606:4700::1111", "::1"],
        &["::ffff:10.0.0.1"],
        &["1.1.1.1", "169.254.169.254"],
        &["64:ff9b::7f00:1"],
        &["::127.0.0.1"],
    ] {
        let egress = Egress::with_lookup(Scripted::new(&[answer]));
        let error = egress.send(post("https://name.example/"), &policy(Private::Refused)).await.unwrap_err();
        assert!(matches!(error, EgressError::NotAllowed(_)), "{answer:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_name_that_turns_to_loopback_between_two_sends_is_refused_then() {
    let trap = Server::start(|_| reply(200, "connection: close\r\n", "")).await;
    let lookup = Scripted::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let egress = Egress::with_lookup(Arc::clone(&lookup) as Arc<dyn Lookup>);
    let url = format!("http://name.example:{}/", trap.address.port());
    let covered = policy(Private::Loopback);
    assert_eq!(egress.send(post(&url), &covered).await.unwrap().status, 200);
    // One look-up per connection: what was vetted is what was called.
    assert_eq!(lookup.asked.load(Ordering::SeqCst), 1);
    assert!(matches!(egress.send(post(&url), &covered).await, Err(EgressError::NotAllowed(_))));
    assert_eq!((lookup.asked.load(Ordering::SeqCst), trap.connections()), (2, 1));
}

#[tokio::test]
async fn an_open_connection_serves_only_those_who_might_have_made_it() {
    let server = Server::start(|_| reply(200, "", "")).await;
    let egress = Egress::with_lookup(Scripted::new(&[&["127.0.0.1"]]));
    let url = format!("http://name.example:{}/", server.address.port());
    assert!(egress.send(post(&url), &policy(Private::Any)).await.is_ok());
    let ten = Private::Networks(vec!["10.0.0.0/8".parse().unwrap()]);
    for private in [Private::Refused, ten] {
        assert!(matches!(egress.send(post(&url), &policy(private)).await, Err(EgressError::NotAllowed(_))));
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn plain_http_reaches_only_what_the_allowance_covers() {
    let public = Egress::with_lookup(Scripted::new(&[&["1.1.1.1"]]));
    for private in [Private::Loopback, Private::Any, Private::Networks(vec!["10.0.0.0/8".parse().unwrap()])] {
        for url in ["http://name.example/", "https://name.example:8443/", "http://1.1.1.1/", "https://1.1.1.1:8443/"] {
            let error = public.send(post(url), &policy(private.clone())).await.unwrap_err();
            assert!(matches!(error, EgressError::NotAllowed(_)), "{url}: {error:?}");
        }
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::start(|_| reply(200, "", "ok")).await;
    let egress = Egress::new();
    for _ in 0..20 {
        let answer = egress.clone().send(post(&server.url("/")), &policy(Private::Loopback)).await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b"ok"[..]));
    }
    assert_eq!((server.connections(), server.count("POST / ")), (1, 20));
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let target = Server::start(|_| reply(200, "", "")).await;
    let location = target.url("/elsewhere");
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let server = Server::start(move |_| reply(status, &format!("location: {location}\r\n"), "")).await;
        assert_eq!(egress_send(&server).await.unwrap().status, status);
    }
    assert_eq!(target.connections(), 0);
}

async fn egress_send(server: &Server) -> Result<Answer, EgressError> {
    Egress::new().send(post(&server.url("/")), &policy(Private::Loopback)).await
}

#[tokio::test]
async fn an_endless_answer_is_cut_at_the_cap() {
    let server = Server::start(|_| {
        Reply::Endless(
            b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(),
            b"8\r\nzzzzzzzz\r\n".repeat(1000),
        )
    })
    .await;
    assert_eq!(egress_send(&server).await.unwrap_err(), EgressError::TooLarge(64 * 1024));
    let cut = Policy { fail_above_max: false, ..policy(Private::Loopback) };
    let answer = Egress::new().send(post(&server.url("/")), &cut).await.unwrap();
    assert_eq!((answer.body.len(), answer.truncated), (64 * 1024, true));
}

#[tokio::test]
async fn an_answer_as_large_as_the_cap_is_whole() {
    let server = Server::start(|_| reply(200, "", vec![b'z'; 64 * 1024])).await;
    let answer = egress_send(&server).await.unwrap();
    assert_eq!((answer.body.len(), answer.truncated), (64 * 1024, false));
}

#[tokio::test]
async fn the_deadline_covers_the_body() {
    for said in ["", "HTTP/1.1 200 X\r\n", "HTTP/1.1 200 X\r\ncontent-length: 5\r\n\r\nab"] {
        let server = Server::start(|_| Reply::Hang(said.into())).await;
        let soon = Policy { deadline: Duration::from_millis(100), ..policy(Private::Loopback) };
        let error = Egress::new().send(post(&server.url("/")), &soon).await.unwrap_err();
        assert_eq!(error, EgressError::Timeout(soon.deadline), "{said:?}");
    }
}

#[tokio::test]
async fn a_broken_answer_is_distinguished_from_a_missing_connection() {
    for said in ["", "HTTP/1.1 200 X\r\n", "HTTP/1.1 200 X\r\ncontent-length: 5\r\n\r\nab", "SSH-2.0-OpenSSH\r\n\r\n"] {
        let server = Server::start(|_| Reply::Cut(said.into())).await;
        assert!(matches!(egress_send(&server).await, Err(EgressError::Broken(_))), "{said:?}");
    }
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = Egress::new().send(post(&format!("http://{closed}/")), &policy(Private::Loopback)).await;
    assert_eq!(refused.unwrap_err(), EgressError::Connect("refused".to_owned()));
    let nobody = Egress::with_lookup(Scripted::new(&[]));
    assert_eq!(
        nobody.send(post("https://name.example/"), &policy(Private::Refused)).await.unwrap_err(),
        EgressError::Resolve
    );
}

#[tokio::test]
async fn a_peer_without_tls_gets_no_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let peer = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    });
    let error = Egress::new().send(post(&url), &policy(Private::Loopback)).await.unwrap_err();
    assert_eq!(error, EgressError::Connect("the TLS handshake failed".to_owned()));
    peer.await.unwrap();
}

#[tokio::test]
async fn no_error_or_debug_form_shows_a_secret() {
    let request = post(&format!("https://hooks.example/{CANARY}"));
    assert!(!format!("{request:?}").contains(CANARY));
    let answer = Answer {
        status: 200,
        retry_after: None,
        content_type: None,
        body: CANARY.into(),
        truncated: false,
        step: None,
    };
    assert!(!format!("{answer:?}").contains(CANARY));
    let cut = Server::start(|_| Reply::Cut(Vec::new())).await;
    let hung = Server::start(|_| Reply::Hang(Vec::new())).await;
    let egress = Egress::with_lookup(Scripted::new(&[]));
    let soon = Policy { deadline: Duration::from_millis(100), ..policy(Private::Loopback) };
    for url in [
        format!("https://{CANARY}.example/{CANARY}?{CANARY}"),
        format!("https://{CANARY}:{CANARY}@example.com/"),
        format!("{CANARY}://x"),
        format!("https://[{CANARY}]/"),
        format!("http://10.0.0.1/{CANARY}"),
        format!("http://127.0.0.1:1/{CANARY}"),
        cut.url(CANARY),
        cut.url(&format!("/{CANARY}")),
        hung.url(&format!("/{CANARY}")),
    ] {
        let error = egress.send(post(&url), &soon).await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains(CANARY), "{error:?}");
    }
    let mut malformed = post("https://name.example/");
    malformed.headers = vec![("authorization", format!("{CANARY}\n").into())];
    let error = egress.send(malformed, &policy(Private::Loopback)).await.unwrap_err();
    assert!(matches!(&error, EgressError::Unusable(_)) && !format!("{error:?} {error}").contains(CANARY));
    assert!(!format!("{egress:?}").contains(CANARY));
}

#[tokio::test]
async fn an_answer_is_decompressed_only_when_that_was_asked_for() {
    // `gzip` of "hello".
    const HELLO: [u8; 25] =
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0];
    let server = Server::start(|_| reply(200, "content-encoding: gzip\r\n", HELLO)).await;
    assert_eq!(&egress_send(&server).await.unwrap().body[..], HELLO);
    assert!(!server.seen()[0].head.to_ascii_lowercase().contains("accept-encoding"));
    let mut asking = post(&server.url("/"));
    asking.headers.push(("accept-encoding", "gzip".into()));
    assert_eq!(&Egress::new().send(asking, &policy(Private::Loopback)).await.unwrap().body[..], b"hello");
}

#[tokio::test]
async fn headers_arrive_as_given_and_only_short_ones_come_back() {
    let long = "z".repeat(1000);
    let server =
        Server::start(move |_| reply(429, &format!("retry-after: 2.128\r\ncontent-type: {long}\r\n"), "")).await;
    let answer = egress_send(&server).await.unwrap();
    assert_eq!((answer.status, answer.retry_after.as_deref(), answer.content_type), (429, Some("2.128"), None));
    let seen = &server.seen()[0];
    assert!(seen.head.contains(&format!("authorization: {CANARY}")) && seen.body == CANARY);
    assert!(!seen.head.to_ascii_lowercase().contains("referer"));
}
