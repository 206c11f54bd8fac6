use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{State, limits::Limits, router::router, server::serve_within};
use crate::{
    clock::Clock,
    config::{self, Config},
    domain::{ChannelName, Timestamp},
    notify::DeliveryState,
    store::{Channels, Listings, Totals},
    telemetry::{Health, Metrics, StoreTrouble},
};

mod access;
mod confirm;
mod connections;
mod oidc;
mod pages;
mod session;
mod stub_store;
mod warm;

use stub_store::StubStore;

/// Long enough that no test meets them; each test shortens the one it is about.
const PATIENT: Limits = Limits {
    waiting: 16,
    at_work: |_| 16,
    head: HOUR,
    body: HOUR,
    idle: HOUR,
    answer: HOUR,
    stall: HOUR,
    send: HOUR,
    bytes_per_second: 1024,
    drain: HOUR,
};
const HOUR: Duration = Duration::from_hours(1);
/// No wait is longer.
const LIMIT: Duration = Duration::from_mins(5);

/// A server on loopback.
struct Server {
    address: SocketAddr,
    health: Health,
    clock: Clock,
    shutdown: CancellationToken,
    done: JoinHandle<()>,
}

impl Server {
    async fn start(limits: Limits, totals: Option<Totals>) -> Self {
        let store = Arc::new(StubStore(totals));
        Self::on(limits, store.clone(), store, "").await
    }

    /// A server on that store; `channels` stands under `channels:` of the configuration.
    async fn on(limits: Limits, listings: Arc<dyn Listings>, known: Arc<dyn Channels>, channels: &str) -> Self {
        let (health, clock) = (Health::default(), Clock::manual(Timestamp::from_seconds(1000)));
        let (_, config) = watch::channel(config(channels));
        let state = State::new(listings, known, Metrics::default(), health.clone(), clock.clone(), config);
        Self::with(limits, router(state, Router::new()), health, clock).await
    }

    /// A server with these routes.
    async fn with(limits: Limits, routes: Router, health: Health, clock: Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let done = tokio::spawn(serve_within(limits, listener, routes, health.clone(), shutdown.clone()));
        Self { address, health, clock, shutdown, done }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// One request on a connection of its own: the head and the body of the answer.
    async fn ask(&self, request_line: &str, headers: &str) -> (String, String) {
        let mut stream = self.connect().await;
        let request = format!("{request_line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = rest(stream).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_lowercase(), body.to_owned())
    }

    async fn get(&self, path: &str) -> (String, String) {
        self.ask(&format!("GET {path}"), "").await
    }
}

/// A configuration with these channels and nothing else.
fn config(channels: &str) -> Arc<Config> {
    config_of(&format!("public_url: https://scores.example\naccess: {{ sign_in: never }}\nchannels: {{{channels}}}\n"))
}

/// What that configuration means.
pub(super) fn config_of(text: &str) -> Arc<Config> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scorewatch.yaml");
    std::fs::write(&file, text).unwrap();
    let loaded = config::load(&file);
    Arc::new(loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.problems)))
}

/// What is waited for. Nothing is proven by the limit: it ends a test that hangs.
async fn within_limit<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, wait).await.expect("it was waited for in vain")
}

/// What still comes until the server closes.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset ends a connection as well as a close.
    let _ = within_limit(stream.read_to_end(&mut bytes)).await;
    String::from_utf8(bytes).unwrap()
}

fn json(body: &str) -> serde_json::Value {
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn the_process_lives_whatever_its_parts_say() {
    let server = Server::start(PATIENT, None).await;
    let (head, body) = server.get("/healthz").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(json(&body)["alive"], true);
}

#[tokio::test]
async fn a_process_in_which_a_part_makes_no_progress_is_to_be_restarted_until_the_part_goes_on() {
    let server = Server::start(PATIENT, None).await;
    server.health.stalls(vec!["dispatcher"]);
    let (head, body) = server.get("/healthz").await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
    assert_eq!((&json(&body)["alive"], &json(&body)["stalled"][0]), (&false.into(), &"dispatcher".into()));
    server.health.stalls(Vec::new());
    let (head, _) = server.get("/healthz").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
}

#[tokio::test]
async fn ready_means_that_every_part_does_its_work() {
    let server = Server::start(PATIENT, None).await;
    let (head, body) = server.get("/readyz").await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
    assert_eq!(json(&body)["ready"], false);

    let now = server.clock.now();
    server.health.scheduler_ticked(now);
    server.health.store_written(now);
    let (head, body) = server.get("/readyz").await;
    assert!(head.starts_with("http/1.1 200"), "{head}{body}");
    assert_eq!(json(&body)["ready"], true);

    server.health.store_failed(now, StoreTrouble::Full);
    let (head, body) = server.get("/readyz").await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
    assert_eq!(json(&body)["signs"][2]["trouble"], "the disk is full");

    server.health.store_written(now);
    server.clock.advance(Duration::from_mins(1));
    let (_, body) = server.get("/readyz").await;
    assert_eq!(json(&body)["signs"][1]["trouble"], "has not ticked for 1m");
}

#[tokio::test]
async fn metrics_are_openmetrics_with_the_stores_gauges() {
    let channel = ChannelName::parse("soar").unwrap();
    let totals = Totals {
        tenants: 12,
        failing_by_class: vec![("licence-missing".to_owned(), 4)],
        deliveries: vec![(channel.clone(), DeliveryState::Queued, 3), (channel.clone(), DeliveryState::Suppressed, 9)],
        oldest_queued_at: vec![(channel, Timestamp::from_seconds(940))],
        ..Totals::default()
    };
    let server = Server::start(PATIENT, Some(totals)).await;
    let (head, body) = server.get("/metrics").await;
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{head}");
    assert!(!body.contains("suppressed"), "{body}");
    assert!(body.contains("\nscorewatch_tenants 12\n"), "{body}");
    assert!(body.contains("\nscorewatch_tenants_failing_by_class{class=\"licence-missing\"} 4\n"), "{body}");
    assert!(body.contains("\nscorewatch_deliveries{channel=\"soar\",state=\"queued\"} 3\n"), "{body}");
    assert!(body.contains("\nscorewatch_oldest_queued_age_seconds{channel=\"soar\"} 60.0\n"), "{body}");
    assert!(body.ends_with("# EOF\n"));
}

#[tokio::test]
async fn a_channel_without_dead_letters_has_none_of_them_so_that_the_first_one_is_a_change() {
    let channel = "{ type: webhook, url: 'https://a.example/' }";
    let (soc, gone) = (ChannelName::parse("soc").unwrap(), ChannelName::parse("gone").unwrap());
    let totals =
        Totals { deliveries: vec![(soc, DeliveryState::Dead, 2), (gone, DeliveryState::Dead, 1)], ..Totals::default() };
    let store = Arc::new(StubStore(Some(totals)));
    let channels = format!("quiet: {channel}, soc: {channel}");
    let server = Server::on(PATIENT, store.clone(), store, &channels).await;
    let (_, body) = server.get("/metrics").await;
    for (channel, count) in [("quiet", 0), ("soc", 2), ("gone", 1)] {
        let line = format!("\nscorewatch_deliveries{{channel=\"{channel}\",state=\"dead\"}} {count}\n");
        assert!(body.contains(&line), "{line} is not in {body}");
    }
}

#[tokio::test]
async fn metrics_of_the_process_outlive_the_store() {
    let server = Server::start(PATIENT, None).await;
    let (head, body) = server.get("/metrics").await;
    assert!(head.starts_with("http/1.1 200") && body.contains("scorewatch_checks_total"), "{head}{body}");
    assert!(!body.contains("scorewatch_tenants"), "{body}");
}

#[tokio::test]
async fn metrics_are_in_the_classic_format_for_readers_of_text_alone() {
    let server = Server::start(PATIENT, None).await;
    for (accepts, is_classic) in [
        ("Accept: text/plain\r\n", true),
        ("Accept: text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n", true),
        ("Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n", false),
        ("Accept: */*\r\n", false),
        ("", false),
    ] {
        let (head, body) = server.ask("GET /metrics", accepts).await;
        assert_eq!(head.contains("content-type: text/plain; version=0.0.4"), is_classic, "{accepts}: {head}");
        assert_eq!(body.contains("# TYPE scorewatch_checks_total counter"), is_classic, "{accepts}: {body}");
        assert_eq!(body.ends_with("# EOF\n"), !is_classic, "{accepts}: {body}");
    }
}

#[tokio::test]
async fn what_is_not_answered_is_refused_in_json_with_the_same_headers() {
    let server = Server::start(PATIENT, None).await;
    let too_large = format!("Content-Length: {}\r\n", 64 * 1024 + 1);
    for (request_line, headers, status) in [
        ("GET /", "", 404),
        ("GET /metrics/../etc/passwd", "", 404),
        ("POST /metrics", "", 405),
        ("POST /readyz", too_large.as_str(), 413),
    ] {
        let (head, body) = server.ask(request_line, headers).await;
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{request_line}: {head}");
        assert!(json(&body)["detail"].is_string(), "{request_line}: {body}");
        for header in [
            "x-content-type-options: nosniff",
            "cache-control: no-store",
            "content-security-policy: default-src 'none'",
        ] {
            assert!(head.contains(header), "{request_line}: {head}");
        }
    }
}

#[tokio::test]
async fn a_client_that_never_ends_its_request_is_cut_off() {
    let server = Server::start(Limits { head: Duration::from_millis(20), ..PATIENT }, None).await;
    for beginning in ["", "GET /healthz HT", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "] {
        let mut stream = server.connect().await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        // Returns only because the server closes.
        assert!(!rest(stream).await.contains("200 OK"), "{beginning}");
    }
}

#[tokio::test]
async fn shutdown_closes_the_listener_and_waits_for_nobody_who_is_silent() {
    let server = Server::start(Limits { drain: Duration::from_millis(20), ..PATIENT }, None).await;
    let mut stuck = server.connect().await;
    stuck.write_all(b"GET /healthz HT").await.unwrap();
    let _ = server.get("/healthz").await;
    server.shutdown.cancel();
    server.done.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
    let listener = server.health.verdict(server.clock.now()).remove(0);
    assert_eq!((listener.part, listener.good), ("listener", false));
}
