//! The connection under a dialogue. The dialogue holds one handle to it and we another, so that TLS can be put under a dialogue
//! that goes on.

use std::{
    fmt, io, mem,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::egress::{EgressError, failure};

/// A connection that several readers share.
#[derive(Clone)]
pub(super) struct Wire {
    shared: Arc<Mutex<Shared>>,
    peer: SocketAddr,
}

struct Shared {
    under: Under,
    /// Read from a plain connection, but not yet asked for.
    held: Vec<u8>,
    /// How many more bytes the server may say.
    room: usize,
}

enum Under {
    Plain(TcpStream),
    Private(Box<TlsStream<TcpStream>>),
    /// Being changed from the one to the other, or lost while that went wrong.
    Neither,
}

/// The server said more than it may.
#[derive(Debug, thiserror::Error)]
#[error("the server's reply is too long")]
pub(super) struct TooMuch;

impl Wire {
    /// Takes a connection, on which the server may say that many bytes.
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, room: usize) -> Self {
        let shared = Shared { under: Under::Plain(stream), held: Vec::new(), room };
        Self { shared: Arc::new(Mutex::new(shared)), peer }
    }

    /// Begins TLS and checks the certificate against the name. What was said before is not believed after: a server that
    /// spoke ahead of its turn fails (RFC 3207, section 6).
    pub(super) async fn encrypt(&self, connector: &TlsConnector, name: ServerName<'static>) -> Result<(), EgressError> {
        let stream = {
            let mut shared = self.lock();
            if !shared.held.is_empty() {
                return Err(EgressError::Broken("the server sent data before TLS began".to_owned()));
            }
            match mem::replace(&mut shared.under, Under::Neither) {
                Under::Plain(stream) => stream,
                Under::Private(_) | Under::Neither => {
                    return Err(EgressError::Unusable("TLS has already begun".to_owned()));
                }
            }
        };
        let stream = connector.connect(name, stream).await.map_err(|error| failure::of_tls(&error))?;
        self.lock().under = Under::Private(Box::new(stream));
        Ok(())
    }

    /// The server's own certificate; `None`: there is no TLS.
    pub(super) fn certificate(&self) -> Option<CertificateDer<'static>> {
        let Under::Private(stream) = &self.lock().under else { return None };
        Some(stream.get_ref().1.peer_certificates()?.first()?.clone().into_owned())
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn count(&mut self, bytes: usize) -> io::Result<()> {
        self.room = self.room.checked_sub(bytes).ok_or_else(|| io::Error::other(TooMuch))?;
        Ok(())
    }

    /// Hands out one line at most: what follows it stays here, where [`Wire::encrypt`] sees it.
    fn read_plain(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Under::Plain(stream) = &mut self.under else { return Poll::Ready(lost()) };
        if self.held.is_empty() {
            let mut piece = [0; 1024];
            let mut piece = ReadBuf::new(&mut piece);
            ready!(Pin::new(stream).poll_read(context, &mut piece))?;
            self.held.extend_from_slice(piece.filled());
            self.count(piece.filled().len())?;
        }
        let line = self.held.iter().position(|byte| *byte == b'\n').map_or(self.held.len(), |end| end + 1);
        let end = line.min(buffer.remaining());
        buffer.put_slice(&self.held[..end]);
        self.held.drain(..end);
        Poll::Ready(Ok(()))
    }
}

fn lost<T>() -> io::Result<T> {
    Err(io::ErrorKind::NotConnected.into())
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut shared = self.lock();
        let Under::Private(stream) = &mut shared.under else { return shared.read_plain(context, buffer) };
        let before = buffer.filled().len();
        ready!(Pin::new(stream).poll_read(context, buffer))?;
        Poll::Ready(shared.count(buffer.filled().len() - before))
    }
}

/// Gives a call to whichever stream there is.
macro_rules! write_by {
    ($wire:expr, |$stream:ident| $call:expr) => {
        match &mut $wire.lock().under {
            Under::Plain($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
            Under::Private($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
            Under::Neither => Poll::Ready(lost()),
        }
    };
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        write_by!(self, |stream| stream.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        write_by!(self, |stream| stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        write_by!(self, |stream| stream.poll_shutdown(context))
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}
