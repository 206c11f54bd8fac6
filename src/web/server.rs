//! The accept loop. It is our own because `axum::serve` bounds neither the time that a client may take over its request
//! head nor the number of connections, and so can be filled up by clients that say nothing.

use std::{net::IpAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    App, State,
    access::Peer,
    connections::{Connections, Open},
    limits::{Group, Limits},
    router::{dashboard, router},
    wire::{Answer, Wire},
};
use crate::{task, telemetry::Health};

/// Enough for scrapers, probes and people; little enough to cost nothing. The more may wait, the longer a client has to send its request
/// while strangers open thousands of connections a second: with 256 it was less than a tenth of a second.
const LIMITS: Limits = Limits {
    waiting: 1024,
    at_work,
    head: Duration::from_secs(5),
    body: Duration::from_secs(12),
    idle: Duration::from_secs(30),
    answer: Duration::from_mins(1),
    stall: Duration::from_secs(10),
    send: Duration::from_secs(30),
    bytes_per_second: 16 * 1024,
    drain: Duration::from_secs(5),
};

/// The most requests at work. Of pages and the API, `busy.rs` answers a few at a time; the others wait for their turn, or are being sent.
const fn at_work(group: Group) -> usize {
    match group {
        Group::Probe => 32,
        Group::Metrics | Group::Confirm => 16,
        Group::Api | Group::Page => 64,
        Group::Stream => 256,
    }
}

/// The most connections at a time.
pub const CONNECTIONS_MAX: usize = LIMITS.waiting
    + at_work(Group::Probe)
    + at_work(Group::Metrics)
    + at_work(Group::Confirm)
    + at_work(Group::Api)
    + at_work(Group::Page)
    + at_work(Group::Stream);

/// Pause after a failed accept: the usual reason, too many open files, does not pass at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Largest request head, in bytes; hyper's least buffer.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// Answers on `listener` until `shutdown`, then lets requests under way finish, for a few seconds at most.
pub async fn serve(listener: TcpListener, state: State, app: App, shutdown: CancellationToken) {
    let health = state.health.clone();
    let router = router(State { app: Some(app.clone()), ..state }, dashboard(app));
    serve_within(LIMITS, listener, router, health, shutdown).await;
}

pub(super) async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    router: Router,
    health: Health,
    shutdown: CancellationToken,
) {
    let all = Connections::new(limits);
    let tasks = TaskTracker::new();
    health.listening(true);
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                all.end_one();
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (open, is_crowded) = all.open();
        if is_crowded {
            // Our own probe may have been the one that made room; that connections come and go is progress.
            health.web_answered();
        }
        let (router, shutdown, drain) = (router.clone(), shutdown.clone(), limits.drain);
        tasks.spawn(task::brief("web connection", async move {
            answer(&open, stream, peer.ip(), router, drain, shutdown).await;
            drop(open);
        }));
    }
    health.listening(false);
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

/// Serves one connection to its end. What a client does wrong is its own affair, so errors are not logged.
async fn answer(
    open: &Open,
    stream: TcpStream,
    peer: IpAddr,
    router: Router,
    drain: Duration,
    shutdown: CancellationToken,
) {
    let here = &open.0;
    let mut http = http1::Builder::new();
    // The time for a head is watched by us, because what is waited for longest has to make room.
    http.header_read_timeout(None).max_buf_size(HEAD_BYTES_MAX);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        here.head_ended();
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(Arc::clone(here));
        let answered = TowerToHyperService::new(router.clone()).call(request);
        async move {
            let response = answered.await?;
            here.answered();
            Ok::<_, std::convert::Infallible>(response.map(|body| Answer::new(body, Arc::clone(here))))
        }
    });
    let wire = TokioIo::new(Wire::new(stream, Arc::clone(here)));
    let mut connection = pin!(http.serve_connection(wire, service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = here.must_end() => return,
        () = shutdown.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(drain, connection).await;
}
