//! Mail through the one door: the same addresses are allowed as to a request, vetted in our own process and called as vetted;
//! one deadline holds for the whole dialogue, and what a server says is capped.

mod dialogue;
mod server;
#[cfg(test)]
mod tests;
mod wire;

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use lettre::Address;
use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, ServerName},
};
use secrecy::SecretString;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use url::Host;

pub use server::{MailServer, Tls};

use super::{
    Answer, EgressError, Lookup, Policy, Private,
    client::CONNECT_TIMEOUT,
    failure,
    resolve::{self, Unresolved},
    target::Reach,
    tls,
};
use dialogue::{Dialogue, End, Privacy};
use wire::Wire;

/// How long a connection is kept open for a server to hear that we leave.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

/// A message on its way to a mail server. It holds a password and cannot be printed.
pub struct Mail {
    /// The server that takes it.
    pub server: MailServer,
    /// How we prove to it who we are.
    pub sign_in: Option<SignIn>,
    /// Whom the server answers to if it can't be delivered.
    pub from: Address,
    /// The envelope's recipients, in order.
    pub to: Vec<Address>,
    /// The message with its headers, as it is handed in.
    pub content: Bytes,
}

/// A name and a password, said only where nobody else hears it.
pub struct SignIn {
    /// The name to sign in with.
    pub username: String,
    /// The password that belongs to the name.
    pub password: SecretString,
}

/// Which step of the dialogue a mail server's reply belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its greeting, or the answer to ours.
    Hello,
    /// To make the connection private.
    StartTls,
    /// The server rejected the sign-in.
    SignIn,
    /// The server rejected the sender's address.
    Sender,
    /// The server rejected a recipient's address.
    Recipient,
    /// The message itself: agreement here, and only here, means that it was taken.
    Content {
        /// How many recipients the server refused for good; it took the message for the others.
        refused: usize,
    },
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("recipients", &self.to.len())
            .field("content_bytes", &self.content.len())
            .finish_non_exhaustive()
    }
}

/// The part of the door through which mail goes.
#[derive(Debug)]
pub(super) struct MailDoor {
    lookup: Arc<dyn Lookup>,
    /// Certificates trusted in addition to the system's; only tests have some.
    roots: Vec<CertificateDer<'static>>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl MailDoor {
    pub(super) fn new(lookup: Arc<dyn Lookup>, roots: Vec<CertificateDer<'static>>) -> Self {
        Self { lookup, roots, config: OnceLock::new() }
    }

    /// Hands a message in.
    pub(super) async fn send(&self, mail: &Mail, policy: &Policy) -> Result<Answer, EgressError> {
        let reach = mail.server.reach(&policy.private)?;
        if mail.sign_in.is_some() && mail.server.tls() == Tls::Absent {
            return Err(EgressError::Unusable("a password is sent over TLS only".to_owned()));
        }
        let privacy = Privacy { connector: self.connector()?, name: name(&mail.server.host)? };
        let handed = AtomicBool::new(false);
        let exchange = async {
            let server = &mail.server;
            let connected = self.connect(&server.host, server.port, reach, &policy.private).await;
            let stream = connected.map_err(End::Failure)?;
            talk(stream, mail, &privacy, policy.answer_bytes_max, &handed).await
        };
        let exchanged = timeout(policy.deadline, exchange).await;
        match exchanged.unwrap_or(Err(End::Failure(EgressError::Timeout(policy.deadline)))) {
            Err(End::Failure(error)) => Err(if handed.load(Ordering::Relaxed) { error } else { unsent(error) }),
            Err(End::Reply(answer)) => Ok(answer),
            Ok((answer, dialogue)) => {
                // The message is with the server, which is to be recorded immediately; no answer waits for a farewell.
                let leave = timeout(LEAVE_TIMEOUT, dialogue.leave());
                tokio::spawn(crate::task::brief("mail farewell", async move { drop(leave.await) }));
                Ok(answer)
            }
        }
    }

    /// Greets the server, makes the connection private as it would be for a message, and leaves. Its certificate; `None`: there is no
    /// TLS.
    pub(super) async fn greet(
        &self,
        server: &MailServer,
        policy: &Policy,
    ) -> Result<Option<CertificateDer<'static>>, EgressError> {
        let reach = server.reach(&policy.private)?;
        let privacy = Privacy { connector: self.connector()?, name: name(&server.host)? };
        let stream = self.connect(&server.host, server.port, reach, &policy.private).await?;
        let (local, peer) = ends(&stream)?;
        let wire = Wire::new(stream, peer, policy.answer_bytes_max);
        let begun = Dialogue::begin(wire.clone(), server.tls(), &privacy, local.ip(), policy.answer_bytes_max).await;
        let dialogue = begun.map_err(|end| match end {
            End::Failure(error) => error,
            End::Reply(answer) => EgressError::Broken(format!("the server refused to talk ({})", answer.status)),
        })?;
        // Whether it hears us leave does not matter.
        let _ = timeout(LEAVE_TIMEOUT, dialogue.leave()).await;
        Ok(wire.certificate())
    }

    /// Connects to exactly one of the vetted addresses of a host. An address instead of a name is vetted already.
    pub(super) async fn connect(
        &self,
        host: &Host<String>,
        port: u16,
        reach: Reach,
        private: &Private,
    ) -> Result<TcpStream, EgressError> {
        let addresses = match host {
            Host::Domain(name) => {
                resolve::vetted(&*self.lookup, name, private, reach).await.map_err(|unresolved| match unresolved {
                    Unresolved::Forbidden => failure::forbidden(),
                    Unresolved::NoAddress => EgressError::Resolve,
                })?
            }
            Host::Ipv4(address) => vec![(*address).into()],
            Host::Ipv6(address) => vec![(*address).into()],
        };
        let mut last = EgressError::Resolve;
        for address in addresses {
            let address = SocketAddr::new(address, port);
            match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = failure::of_connecting(&error),
                Err(_) => last = EgressError::Connect("timed out".to_owned()),
            }
        }
        Err(last)
    }

    /// TLS as the HTTP client does it.
    pub(super) fn connector(&self) -> Result<TlsConnector, EgressError> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config).into());
        }
        let config = if self.roots.is_empty() { tls::of_system()? } else { tls::with_roots(&self.roots)? };
        Ok(Arc::clone(self.config.get_or_init(|| config)).into())
    }
}

/// The whole dialogue on a connection.
async fn talk(
    stream: TcpStream,
    mail: &Mail,
    privacy: &Privacy,
    room: usize,
    handed: &AtomicBool,
) -> Result<(Answer, Dialogue), End> {
    let (local, peer) = ends(&stream).map_err(End::Failure)?;
    let wire = Wire::new(stream, peer, room);
    let mut dialogue = Dialogue::begin(wire, mail.server.tls(), privacy, local.ip(), room).await?;
    if let Some(sign_in) = &mail.sign_in {
        dialogue.sign_in(sign_in).await?;
    }
    let answer = dialogue.hand_in(mail, handed).await?;
    Ok((answer, dialogue))
}

/// Our address and the server's.
fn ends(stream: &TcpStream) -> Result<(SocketAddr, SocketAddr), EgressError> {
    let ends = stream.local_addr().and_then(|local| Ok((local, stream.peer_addr()?)));
    ends.map_err(|error| failure::of_connecting(&error))
}

/// What went wrong before the message was on its way; it can't have arrived.
fn unsent(error: EgressError) -> EgressError {
    match error {
        EgressError::Broken(what) => EgressError::Connect(what),
        EgressError::Timeout(_) | EgressError::TooLarge(_) => EgressError::Connect(error.to_string()),
        other => other,
    }
}

/// The name that the certificate must be for.
pub(super) fn name(host: &Host<String>) -> Result<ServerName<'static>, EgressError> {
    match host {
        Host::Domain(name) => ServerName::try_from(name.clone())
            .map_err(|_| EgressError::Unusable("no certificate can be issued for its host".to_owned())),
        Host::Ipv4(address) => Ok(ServerName::from(std::net::IpAddr::V4(*address))),
        Host::Ipv6(address) => Ok(ServerName::from(std::net::IpAddr::V6(*address))),
    }
}
