//! A mail server on loopback that says exactly what a test wants said, and remembers what it heard, and whether in private.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// What the server does next.
pub(super) enum Act {
    Say(&'static str),
    /// Says that, then begins TLS.
    Upgrade(&'static str),
    /// Repeats that until nobody listens.
    Endless(&'static str),
    /// Says that and nothing more, ever.
    Hang(&'static str),
    Cut,
}

/// A certificate for that name, and the authority that vouches for it.
pub(super) struct Authority {
    pub(super) root: CertificateDer<'static>,
    pub(super) acceptor: TlsAcceptor,
}

impl Authority {
    pub(super) fn for_name(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().der().clone();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        Self { root, acceptor: Arc::new(config).into() }
    }
}

/// A line as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) private: bool,
    pub(super) line: String,
}

/// Stops nowhere: its tasks end with the test's runtime.
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    connections: Arc<Mutex<usize>>,
}

type Answer = dyn Fn(&str) -> Act + Send + Sync;

impl Peer {
    /// `answer` is asked with `""` for the greeting, with each line, and with `"."` for a whole message.
    pub(super) async fn start(
        acceptor: Option<TlsAcceptor>,
        implicit: bool,
        answer: impl Fn(&str) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let peer = Self { address, heard: Arc::default(), connections: Arc::default() };
        let (heard, connections) = (Arc::clone(&peer.heard), Arc::clone(&peer.connections));
        let answer: Arc<Answer> = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *connections.lock().unwrap() += 1;
                tokio::spawn(serve(stream, acceptor.clone(), implicit, Arc::clone(&answer), Arc::clone(&heard)));
            }
        });
        peer
    }

    pub(super) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// The lines alone, one below the other.
    pub(super) fn transcript(&self) -> String {
        self.heard().into_iter().map(|heard| heard.line + "\n").collect()
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    implicit: bool,
    answer: Arc<Answer>,
    heard: Arc<Mutex<Vec<Heard>>>,
) {
    let mut stream = BufReader::new(stream);
    // Whatever was heard before TLS is forgotten.
    if !implicit && !talk(&mut stream, true, false, &answer, &heard).await {
        return;
    }
    let Some(acceptor) = acceptor else { return };
    let Ok(private) = acceptor.accept(stream.into_inner()).await else { return };
    talk(&mut BufReader::new(private), implicit, true, &answer, &heard).await;
}

/// Whether TLS is to begin.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    greet: bool,
    private: bool,
    answer: &Arc<Answer>,
    heard: &Mutex<Vec<Heard>>,
) -> bool {
    let mut next = greet.then(|| answer(""));
    let mut content = false;
    loop {
        match next.take() {
            None => {}
            Some(Act::Say(text)) => {
                content = text.starts_with("354");
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return false;
                }
            }
            Some(Act::Upgrade(text)) => return stream.write_all(text.as_bytes()).await.is_ok(),
            Some(Act::Endless(text)) => {
                let many = text.repeat(1000);
                while stream.write_all(many.as_bytes()).await.is_ok() {}
                return false;
            }
            Some(Act::Hang(text)) => {
                let _ = stream.write_all(text.as_bytes()).await;
                let _ = stream.flush().await;
                // Until the other side closes.
                let mut line = Vec::new();
                while stream.read_until(b'\n', &mut line).await.is_ok_and(|bytes| bytes > 0) {}
                return false;
            }
            Some(Act::Cut) => return false,
        }
        if stream.flush().await.is_err() {
            return false;
        }
        let mut line = String::new();
        if !stream.read_line(&mut line).await.is_ok_and(|bytes| bytes > 0) {
            return false;
        }
        let line = line.trim_end().to_owned();
        heard.lock().unwrap().push(Heard { private, line: line.clone() });
        if !content || line == "." {
            next = Some(answer(&line));
        }
    }
}
