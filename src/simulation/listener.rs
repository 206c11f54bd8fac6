//! A loopback listener without layers: hyper hands each request to one function. Benchmarks drive it with 100,000 checks.

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use axum::body::Body;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};

/// The most bytes of a request's body that a simulated service reads.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed without an answer, as scripted")]
pub(super) struct Closed;

/// A simulated service.
pub(super) trait Site: Send + Sync + 'static {
    /// Answers one request.
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Body>, Closed>> + Send;
}

/// A service that listens; dropping it closes the port and every connection.
#[derive(Debug)]
pub(super) struct Listener {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Listener {
    /// Serves `site` on a free port of 127.0.0.1, on the current runtime.
    pub(super) async fn start<S: Site>(site: Arc<S>) -> io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, site)).abort_handle();
        Ok(Self { address, accepting })
    }

    /// `http://127.0.0.1:PORT`.
    pub(super) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Closes the port and every connection.
    pub(super) fn stop(&self) {
        self.accepting.abort();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Reads a request's body; `None`: it broke off or is too large.
pub(super) async fn read_body(body: Incoming) -> Option<bytes::Bytes> {
    axum::body::to_bytes(Body::new(body), REQUEST_BYTES_MAX).await.ok()
}

/// Owns the connections, so that aborting it aborts them.
async fn accept<S: Site>(listener: TcpListener, site: Arc<S>) {
    let mut connections = JoinSet::new();
    loop {
        // Out of file descriptors, or a peer that is gone already: the next one may do.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, Arc::clone(&site)));
    }
}

async fn serve<S: Site>(stream: TcpStream, site: Arc<S>) {
    // Without it small answers wait for the peer's acknowledgement; failing to set it costs time, not correctness.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| Arc::clone(&site).answer(request));
    // An error is a peer that went away, or a connection that the script closed.
    let _ = http1::Builder::new().header_read_timeout(None).serve_connection(TokioIo::new(stream), service).await;
}
