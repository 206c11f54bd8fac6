//! Connections that say nothing, send slowly or read slowly, beside requests that are to be answered.

use axum::{
    body::{Body, Bytes},
    middleware,
    routing::get,
};
use futures_util::stream;
use tokio::sync::Notify;

use super::*;
use crate::web::{connections, limits::Group};

/// An answer that never ends, and that notes when the server gives it up.
struct Endless(Arc<Notify>);

impl Drop for Endless {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

fn endless(given_up: &Arc<Notify>) -> Router {
    let given_up = given_up.clone();
    let part = Bytes::from(vec![b'x'; 64 * 1024]);
    let body = move |endless: Endless| {
        stream::unfold((endless, part), async |(endless, part)| {
            Some((Ok::<_, std::io::Error>(part.clone()), (endless, part)))
        })
    };
    Router::new().route("/big", get(async move || Body::from_stream(body(Endless(given_up)))))
}

/// A server whose routes take the places of their groups.
async fn server(limits: Limits) -> Server {
    server_with(limits, Router::new()).await
}

async fn server_with(limits: Limits, further: Router) -> Server {
    let routes = Router::new()
        .route("/healthz", get(async || "alive"))
        .route("/readyz", get(async || "ready"))
        .route("/page", get(async || "a page"))
        .route("/events", get(async || Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>())))
        .merge(further)
        .layer(middleware::from_fn(connections::admit));
    Server::with(limits, routes, Health::default(), Clock::manual(Timestamp::EPOCH)).await
}

async fn sends(server: &Server, text: &str) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// The first line of the answer on a connection that stays open.
async fn status_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        match within_limit(stream.read_u8()).await {
            Ok(byte) => line.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(line).unwrap()
}

async fn until_answered(server: &Server, path: &str) {
    within_limit(async { while !is_answered(server, path).await {} }).await;
}

async fn is_answered(server: &Server, path: &str) -> bool {
    server.get(path).await.0.starts_with("http/1.1 200")
}

#[tokio::test]
async fn clients_that_say_nothing_or_little_take_no_place_from_those_who_ask() {
    let server = server(Limits { waiting: 4, ..PATIENT }).await;
    let mut silent = Vec::new();
    for number in 0..60 {
        let beginning = ["", "GET /pa", "GET /page HTTP/1.1\r\nHost: localhost\r\nX-Slow: "][number % 3];
        silent.push(sends(&server, beginning).await);
        if number % 10 == 9 {
            for path in ["/healthz", "/readyz", "/page"] {
                assert!(is_answered(&server, path).await, "{path} beside {number}");
            }
        }
    }
    assert_eq!(rest(silent.remove(0)).await, "", "the first one had to make room");
}

#[tokio::test]
async fn who_has_been_waiting_for_longest_makes_room() {
    let server = server(Limits { waiting: 2, ..PATIENT }).await;
    let request = "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut used = sends(&server, request).await;
    assert!(status_line(&mut used).await.contains("200"));
    let silent = sends(&server, "").await;
    assert!(is_answered(&server, "/page").await, "which took the place of the first");
    assert!(rest(used).await.ends_with("a page"), "and is closed now");
    drop(silent);
}

#[tokio::test]
async fn a_connection_between_two_requests_is_closed_after_a_while() {
    let server = server(Limits { idle: Duration::from_millis(20), ..PATIENT }).await;
    let stream = sends(&server, "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    // Returns only because the server closes.
    assert!(rest(stream).await.ends_with("a page"));
}

#[tokio::test]
async fn the_next_head_on_a_connection_may_not_dribble_either() {
    let server = server(Limits { head: Duration::from_millis(50), ..PATIENT }).await;
    let first = async {
        loop {
            let mut stream = sends(&server, "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
            // On a slow machine, even the first head may come too late, but not each time.
            if status_line(&mut stream).await.contains("200") {
                return stream;
            }
        }
    };
    let mut stream = within_limit(first).await;
    stream.write_all(b"GET /page HT").await.unwrap();
    assert_eq!(rest(stream).await.matches("200 OK").count(), 0, "closed without a second answer");
}

#[tokio::test]
async fn who_reads_nothing_is_cut_off() {
    let given_up = Arc::new(Notify::new());
    let limits = Limits { stall: Duration::from_millis(20), ..PATIENT };
    let server = server_with(limits, endless(&given_up)).await;
    let stream = sends(&server, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    // Returns only because the server ends the connection.
    within_limit(given_up.notified()).await;
    drop(stream);
}

#[tokio::test]
async fn who_reads_more_slowly_than_allowed_is_cut_off() {
    let given_up = Arc::new(Notify::new());
    let limits = Limits { send: Duration::from_millis(20), bytes_per_second: u32::MAX, ..PATIENT };
    let server = server_with(limits, endless(&given_up)).await;
    let mut stream = sends(&server, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut part = vec![0; 1024];
    // Ends only because the server ends the connection.
    within_limit(async { while stream.read(&mut part).await.is_ok_and(|bytes| bytes > 0) {} }).await;
    within_limit(given_up.notified()).await;
}

#[tokio::test]
async fn who_reads_slowly_makes_room_in_its_group_and_takes_none_from_others() {
    let given_up = Arc::new(Notify::new());
    let limits = Limits { at_work: |group| if group == Group::Page { 2 } else { 1 }, ..PATIENT };
    let server = server_with(limits, endless(&given_up)).await;
    let mut slow = Vec::new();
    let fill = async {
        while slow.len() < 6 {
            let mut stream = sends(&server, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
            // Until the kernel has taken all that it takes, the ones before do not count as slow.
            if status_line(&mut stream).await.contains("200") {
                slow.push(stream);
            }
            assert!(is_answered(&server, "/healthz").await);
        }
    };
    within_limit(fill).await;
    within_limit(given_up.notified()).await;
    until_answered(&server, "/page").await;
}

#[tokio::test]
async fn a_group_that_is_full_says_so_and_leaves_the_others_alone() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begins, goes_on) = (begun.clone(), go_on.clone());
    let slow = get(async move || {
        begins.notify_one();
        goes_on.notified().await;
        "done"
    });
    let server = server_with(Limits { at_work: |_| 1, ..PATIENT }, Router::new().route("/slow", slow)).await;
    let mut waiting = sends(&server, "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    within_limit(begun.notified()).await;
    let (head, body) = server.get("/page").await;
    assert!(head.starts_with("http/1.1 503") && head.contains("retry-after: 1"), "{head}");
    assert!(json(&body)["detail"].as_str().unwrap().contains("too many requests"), "{body}");
    let mut events = sends(&server, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(status_line(&mut events).await.contains("200"), "a stream has places of its own");
    assert!(is_answered(&server, "/healthz").await);
    go_on.notify_one();
    assert!(status_line(&mut waiting).await.contains("200"));
    // The place is free once the answer was sent, which the client may learn a moment earlier.
    until_answered(&server, "/page").await;
}

#[tokio::test]
async fn a_stream_stays_open_while_nobody_stalls() {
    let hasty = Limits { head: Duration::from_secs(30), answer: Duration::from_secs(30), ..PATIENT };
    let server = server(Limits { send: Duration::ZERO, bytes_per_second: 1, ..hasty }).await;
    let mut events = sends(&server, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(status_line(&mut events).await.contains("200"));
    until_answered(&server, "/healthz").await;
    // What would end it had the server ended it is a read of nothing; here, reading has to wait.
    let mut byte = [0; 512];
    while let Ok(bytes) = events.try_read(&mut byte) {
        assert_ne!(bytes, 0, "it was closed");
    }
}

#[tokio::test]
async fn a_body_that_dribbles_takes_no_place_from_pages() {
    let server = Server::start(Limits { at_work: |_| 1, waiting: 8, ..PATIENT }, None).await;
    let post = "POST /confirm/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nx";
    let mut dribbling = Vec::new();
    for _ in 0..12 {
        dribbling.push(sends(&server, post).await);
        let (head, _) = server.get("/confirm/x").await;
        assert!(head.starts_with("http/1.1 404"), "{head}");
    }
    assert_eq!(rest(dribbling.remove(0)).await, "", "the first one had to make room");
}
