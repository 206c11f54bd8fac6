//! The accept loop. It is our own because `axum::serve` bounds neither the time that a client may take over its request
//! head nor the number of connections, and so can be filled up by clients that say nothing.

use std::{net::IpAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    App, State,
    access::Peer,
    router::{dashboard, router},
};
use crate::{task, telemetry::Health};

/// Limits on what a client may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// From the first wait to the last byte of a request's head; an idle connection is closed by it too.
    pub(super) head: Duration,
    /// A connection is asked to end after that long, so that one who reads slowly does not keep its place.
    pub(super) lifetime: Duration,
    /// What is then, or at shutdown, left for the request under way; the whole process has 10 s to end.
    pub(super) drain: Duration,
    /// Connections at a time; more wait in the kernel's queue.
    pub(super) connections: usize,
}

/// Enough for a few scrapers, probes and people; little enough to cost nothing.
const LIMITS: Limits = Limits {
    head: Duration::from_secs(10),
    lifetime: Duration::from_mins(5),
    drain: Duration::from_secs(5),
    connections: 256,
};

/// How often the accept loop shows that it lives while every place is taken.
const PLACE_WAIT: Duration = Duration::from_secs(5);

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
    let places = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    health.listening(true);
    while let Some(accepted) = shutdown.run_until_cancelled(accept(&listener, &places, &health)).await {
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if places.available_permits() == 0 {
            // Clients that say nothing keep our own probe waiting; that they come and go is progress.
            health.web_answered();
        }
        let (router, shutdown) = (router.clone(), shutdown.clone());
        connections.spawn(task::brief("web connection", async move {
            answer(limits, stream, peer, router, shutdown).await;
            drop(place);
        }));
    }
    health.listening(false);
    drop(listener);
    connections.close();
    connections.wait().await;
}

pub(super) async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    health: &Health,
) -> std::io::Result<(TcpStream, IpAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = loop {
        let place = tokio::time::timeout(PLACE_WAIT, Arc::clone(places).acquire_owned()).await;
        if let Ok(place) = place {
            break place.map_err(std::io::Error::other)?;
        }
        // Others have every place, and each of them for a limited time. That is no reason to be restarted.
        health.web_answered();
    };
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer.ip(), place))
}

/// Serves one connection to its end. What a client does wrong is its own affair, so errors are not logged.
async fn answer(limits: Limits, stream: TcpStream, peer: IpAddr, router: Router, shutdown: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(HEAD_BYTES_MAX);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        TowerToHyperService::new(router.clone()).call(request)
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shutdown.cancelled() => {}
        () = tokio::time::sleep(limits.lifetime) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(limits.drain, connection).await;
}
