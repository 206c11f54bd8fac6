//! The one door to the network: vets every address, follows no redirect, caps time and size, and never reveals a URL.
//!
//! The only user of the HTTP client, and of the mail client. [`Egress::send`] resolves, vets every address, pins what it vetted,
//! sends, and reads the answer up to a cap under one deadline that includes the body.

mod address;
mod client;
mod failure;
#[cfg(test)]
pub(crate) mod loopback;
pub mod mail;
mod probe;
mod resolve;
pub mod retry_after;
mod target;
#[cfg(test)]
mod tests;
mod tls;

use std::{fmt, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use ipnet::IpNet;
use reqwest::{
    Response,
    header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use crate::domain::format_duration;

pub use address::is_public;
pub use mail::{Mail, MailServer};
pub use probe::Reached;
pub use resolve::{Lookup, SystemLookup};

/// Longest value of an answer's header that is kept, in bytes.
const HEADER_BYTES_MAX: usize = 256;

/// A request or a mail that is to be sent.
#[derive(Debug)]
pub enum Outgoing {
    /// The target of an HTTP request.
    Http(Request),
    /// A message for a mail server.
    Mail(Box<Mail>),
}

/// An HTTP request. Its URL, its headers and its body may hold secrets; none can be printed.
///
/// An answer is decompressed only if the request asks for that, by `accept-encoding: gzip`.
pub struct Request {
    /// The HTTP method: `GET` or `POST`.
    pub method: Method,
    /// Where to; the parsed host is what gets vetted.
    pub url: SecretString,
    /// Header names and values; every value is marked sensitive.
    pub headers: Vec<(&'static str, SecretString)>,
    /// Sent as it is; empty for `GET`.
    pub body: Bytes,
}

/// The methods that anything here uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads a resource without changing it.
    Get,
    /// Sends a body to the receiver.
    Post,
}

/// Where a request may go, and what it may cost.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Which addresses are allowed in addition to public ones.
    pub private: Private,
    /// From the first look-up to the last byte of the answer.
    pub deadline: Duration,
    /// The most bytes of an answer's body, after decompression.
    pub answer_bytes_max: usize,
    /// What happens above that, and when the body breaks off or does not end in time: `true` fails, `false` keeps what came and
    /// says so, as status and headers say enough.
    pub fail_above_max: bool,
}

/// Which addresses are allowed in addition to public ones. Link-local and cloud metadata addresses never are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Private {
    /// None: `https` on port 443 to public addresses only.
    Refused,
    /// Loopback only, by `http` too, on any port; everything else as [`Private::Refused`].
    Loopback,
    /// These networks, by `http` too, on any port.
    Networks(Vec<IpNet>),
    /// Every private and loopback address, by `http` too, on any port.
    Any,
}

/// An answer: hostile until parsed. Its body may hold a token, so that it can't be printed.
#[derive(Clone)]
pub struct Answer {
    /// The HTTP status, or a mail server's reply code.
    pub status: u16,
    /// The `Retry-After` header as sent, if there was one.
    pub retry_after: Option<String>,
    /// The `Content-Type` header as sent, if there was one.
    pub content_type: Option<String>,
    /// The body, decompressed, up to the policy's cap; of a mail server the reply's text.
    pub body: Bytes,
    /// Whether there was more than the cap, or the body broke off.
    pub truncated: bool,
    /// Which step of the dialogue a mail server's reply ended; `None` for HTTP.
    pub step: Option<mail::Step>,
}

/// Why there is no answer. Holds neither URL nor host nor secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The address is none that may be called; nothing was sent.
    #[error("the address is not allowed ({0})")]
    NotAllowed(String),
    /// The name could not be resolved; nothing was sent.
    #[error("the host's name could not be resolved")]
    Resolve,
    /// No connection could be made; nothing was sent.
    #[error("no connection: {0}")]
    Connect(String),
    /// The deadline passed; the request may have arrived.
    #[error("no complete answer within {}", format_duration(*.0))]
    Timeout(Duration),
    /// The answer is larger than the cap.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    /// The connection broke after the request was, or may have been, sent.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The server does not offer what must be there before anything is said; nothing was sent.
    #[error("the server does not offer {0}")]
    NotOffered(&'static str),
    /// The request could not be built: our own fault, or a URL that is none.
    #[error("the request can't be made: {0}")]
    Unusable(String),
}

impl From<Request> for Outgoing {
    fn from(request: Request) -> Self {
        Self::Http(request)
    }
}

impl From<Mail> for Outgoing {
    fn from(mail: Mail) -> Self {
        Self::Mail(Box::new(mail))
    }
}

impl Outgoing {
    /// Which host it goes to, with its port; `None` if its URL is none.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        match self {
            Self::Http(request) => {
                let url = url::Url::parse(request.url.expose_secret()).ok()?;
                Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
            }
            Self::Mail(mail) => Some(mail.server.place()),
        }
    }
}

impl EgressError {
    /// Whether the request may have reached its receiver all the same.
    #[must_use]
    pub const fn may_have_arrived(&self) -> bool {
        matches!(self, Self::Timeout(_) | Self::TooLarge(_) | Self::Broken(_))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("headers", &headers)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("truncated", &self.truncated)
            .finish_non_exhaustive()
    }
}

/// The one door to the network. Cheap to clone; all clones share connections.
#[derive(Debug, Clone)]
pub struct Egress {
    clients: Arc<client::Clients>,
    mail: Arc<mail::MailDoor>,
}

impl Default for Egress {
    fn default() -> Self {
        Self::new()
    }
}

impl Egress {
    /// A door that resolves names as the system does.
    #[must_use]
    pub fn new() -> Self {
        Self::with_lookup(Arc::new(SystemLookup))
    }

    /// A door that resolves names as `lookup` says; what it says is vetted like any answer.
    #[must_use]
    pub fn with_lookup(lookup: Arc<dyn Lookup>) -> Self {
        let mail = Arc::new(mail::MailDoor::new(Arc::clone(&lookup), Vec::new()));
        Self { clients: Arc::new(client::Clients::new(lookup)), mail }
    }

    /// Says whether the policy lets a request to that URL leave, as far as that is known without a look-up.
    ///
    /// # Errors
    /// [`EgressError::NotAllowed`] or [`EgressError::Unusable`], as [`Egress::send`] would say.
    pub fn vet(url: &SecretString, private: &Private) -> Result<(), EgressError> {
        target::vet(url.expose_secret(), private).map(drop)
    }

    /// Sends a request or a message and reads the answer.
    ///
    /// # Errors
    /// [`EgressError`] whenever there is no complete answer. A status is not an error.
    pub async fn send(&self, outgoing: impl Into<Outgoing>, policy: &Policy) -> Result<Answer, EgressError> {
        match outgoing.into() {
            Outgoing::Http(request) => self.request(request, policy).await,
            Outgoing::Mail(mail) => self.mail.send(&mail, policy).await,
        }
    }

    async fn request(&self, request: Request, policy: &Policy) -> Result<Answer, EgressError> {
        let until = Instant::now() + policy.deadline;
        read(self.respond(request, policy, until).await?, policy, until).await
    }

    /// Sends a request and waits for the head of its answer.
    async fn respond(&self, request: Request, policy: &Policy, until: Instant) -> Result<Response, EgressError> {
        let target = target::vet(request.url.expose_secret(), &policy.private)?;
        let headers = sensitive(&request.headers)?;
        let gunzip = headers.contains_key(ACCEPT_ENCODING);
        let client = self.clients.of(&policy.private, target.reach, gunzip)?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut builder = client.request(method, target.url).headers(headers);
        if !request.body.is_empty() || request.method == Method::Post {
            builder = builder.body(request.body);
        }
        match timeout_at(until, builder.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(failure::classify(&error)),
            Err(_) => Err(EgressError::Timeout(policy.deadline)),
        }
    }
}

/// Headers whose values no log of the client prints, and no header compression remembers.
fn sensitive(headers: &[(&'static str, SecretString)]) -> Result<HeaderMap, EgressError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let unusable = |_| EgressError::Unusable(format!("the value of its header `{name}` is malformed"));
        let mut value = HeaderValue::from_str(value.expose_secret()).map_err(unusable)?;
        value.set_sensitive(true);
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| EgressError::Unusable("the name of a header is malformed".to_owned()))?;
        map.append(name, value);
    }
    Ok(map)
}

/// Reads the body as it comes, and stops at the cap and the deadline: what was promised as its length is not believed.
async fn read(mut response: Response, policy: &Policy, until: Instant) -> Result<Answer, EgressError> {
    let max = policy.answer_bytes_max;
    let mut body = BytesMut::new();
    let mut truncated = false;
    while !truncated {
        let failure = match timeout_at(until, response.chunk()).await {
            Ok(Ok(None)) => break,
            Ok(Ok(Some(chunk))) => {
                let room = max - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() <= room {
                    continue;
                }
                EgressError::TooLarge(max)
            }
            Ok(Err(error)) => failure::classify(&error),
            Err(_) => EgressError::Timeout(policy.deadline),
        };
        if policy.fail_above_max {
            return Err(failure);
        }
        truncated = true;
    }
    let header = |name| -> Option<String> {
        let value = response.headers().get(name)?.to_str().ok()?;
        (value.len() <= HEADER_BYTES_MAX).then(|| value.to_owned())
    };
    Ok(Answer {
        status: response.status().as_u16(),
        retry_after: header(RETRY_AFTER),
        content_type: header(CONTENT_TYPE),
        body: body.freeze(),
        truncated,
        step: None,
    })
}
