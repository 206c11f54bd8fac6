//! Asks a running service how it is, through its own listener: as the watchdog and `scorewatch health` do.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use ipnet::IpNet;

use crate::egress::{Egress, EgressError, Method, Policy, Private, Request};

/// Whether the process answers, and each of its parts makes progress.
pub const LIVE: &str = "/healthz";
/// Whether it does its work.
pub const READY: &str = "/readyz";

/// The most bytes of the answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What the service said.
#[derive(Debug)]
pub struct Probe {
    /// Whether it is well.
    pub is_good: bool,
    /// The body of the answer, as JSON.
    pub body: String,
}

/// Asks the service that listens on `address`; one that listens everywhere is asked on loopback.
///
/// # Errors
/// [`EgressError`] when it does not answer within `deadline`.
pub async fn ask(egress: &Egress, address: SocketAddr, path: &str, deadline: Duration) -> Result<Probe, EgressError> {
    let reachable = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => SocketAddr::from(([127, 0, 0, 1], address.port())),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], address.port())),
        address => address,
    };
    let request = Request {
        method: Method::Get,
        url: format!("http://{reachable}{path}").into(),
        headers: vec![("connection", "close".into())],
        body: Bytes::new(),
    };
    let private = Private::Networks(vec![IpNet::from(reachable.ip())]);
    let policy = Policy { private, deadline, answer_bytes_max: ANSWER_BYTES_MAX, fail_above_max: false };
    let answer = egress.send(request, &policy).await?;
    Ok(Probe { is_good: answer.status == 200, body: String::from_utf8_lossy(&answer.body).into_owned() })
}
