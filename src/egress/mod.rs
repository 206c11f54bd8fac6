//! The one door to the network: vets every address, follows no redirect, caps time and size, and never tells a URL.
//!
//! The only user of the HTTP client. [`Egress::send`] resolves, vets every address, pins what it vetted, sends, and reads the
//! answer up to a cap under one deadline that includes the body.

pub mod retry_after;

use std::{net::IpAddr, time::Duration};

use bytes::Bytes;
use ipnet::IpNet;
use secrecy::SecretString;

/// A request. Its URL may be a secret, and so may its headers; neither can be printed.
#[derive(Debug)]
pub struct Outgoing {
    /// `GET` or `POST`.
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
    /// Reads.
    Get,
    /// Sends.
    Post,
}

/// Where a request may go, and what it may cost.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Which addresses are allowed besides public ones.
    pub private: Private,
    /// From the first look-up to the last byte of the answer.
    pub deadline: Duration,
    /// The most bytes of an answer's body, after decompression.
    pub answer_bytes_max: usize,
    /// What happens above that: `true` fails, `false` cuts the body and says so.
    pub fail_above_max: bool,
}

/// Which addresses are allowed besides public ones. Link-local and cloud metadata addresses never are.
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

/// An answer: hostile until parsed.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Retry-After` header as sent, if there was one.
    pub retry_after: Option<String>,
    /// The `Content-Type` header as sent, if there was one.
    pub content_type: Option<String>,
    /// The body, decompressed, up to the policy's cap.
    pub body: Bytes,
    /// Whether there was more than the cap.
    pub truncated: bool,
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
    #[error("no whole answer within {0:?}")]
    Timeout(Duration),
    /// The answer is larger than the cap.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    /// The connection broke after the request was, or may have been, sent.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The request could not be built: our own fault, or a URL that is none.
    #[error("the request can't be made: {0}")]
    Unusable(String),
}

/// The one door to the network. Cheap to clone; all clones share connections.
#[derive(Debug, Clone)]
pub struct Egress {}

impl Egress {
    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// [`EgressError`] whenever there is no whole answer. A status is no error.
    pub async fn send(&self, _request: Outgoing, _policy: &Policy) -> Result<Answer, EgressError> {
        unimplemented!()
    }
}

/// Whether an address is one that anybody on the internet may have.
#[must_use]
pub fn is_public(_address: IpAddr) -> bool {
    unimplemented!()
}
