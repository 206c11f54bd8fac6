//! A loopback listener without layers: hyper hands each request to one function. Benchmarks drive it with 100,000 checks.

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use axum::body::Body;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
};

/// The most bytes of a request's body that a simulated service reads.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed without an answer, as scripted")]
pub(super) struct Closed;

/// A simulated HTTP service on loopback.
pub(super) trait Site: Send + Sync + 'static {
    /// Answers one HTTP request.
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
    /// Connections that are open.
    open: watch::Receiver<usize>,
}

impl Listener {
    /// Serves `site` on a free port of 127.0.0.1, on the current runtime.
    pub(super) async fn start<S: Site>(site: Arc<S>) -> io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (counter, open) = watch::channel(0);
        let accepting = tokio::spawn(accept(listener, site, Arc::new(counter))).abort_handle();
        Ok(Self { address, accepting, open })
    }

    /// The URL of the service: `http://127.0.0.1:PORT`.
    pub(super) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until every connection made so far has been heard to its end and is closed.
    ///
    /// # Errors
    /// Whatever the operating system says to a connection of our own: once that is answered, all earlier ones are counted.
    pub(super) async fn drained(&self) -> io::Result<()> {
        let mut own = TcpStream::connect(self.address).await?;
        own.write_all(b"GET /drained HTTP/1.1\r\nhost: loopback\r\nconnection: close\r\n\r\n").await?;
        own.read_to_end(&mut Vec::new()).await?;
        drop(own);
        // An error means that nobody accepts any more, so nothing is open.
        let _ = self.open.clone().wait_for(|open| *open == 0).await;
        Ok(())
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
async fn accept<S: Site>(listener: TcpListener, site: Arc<S>, open: Arc<watch::Sender<usize>>) {
    let mut connections = JoinSet::new();
    loop {
        // Out of file descriptors, or a peer that is gone already: the next one may do.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        open.send_modify(|open| *open += 1);
        connections.spawn(serve(stream, Arc::clone(&site), Open(Arc::clone(&open))));
    }
}

/// Counts a connection as open until it is dropped.
struct Open(Arc<watch::Sender<usize>>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

async fn serve<S: Site>(stream: TcpStream, site: Arc<S>, _open: Open) {
    // Without it small answers wait for the peer's acknowledgement; failing to set it costs time, not correctness.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| Arc::clone(&site).answer(request));
    // An error is a peer that went away, or a connection that the script closed.
    let _ = http1::Builder::new().header_read_timeout(None).serve_connection(TokioIo::new(stream), service).await;
}
