//! How far a connection to a host gets: its name, its address, TLS. Every address is vetted as for a message, and nothing is posted.

use bytes::Bytes;
use reqwest::header::DATE;
use rustls::pki_types::CertificateDer;
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Egress, EgressError, Method, Outgoing, Policy, Request, failure, mail, target};
use crate::domain::Timestamp;

/// What a connection showed that was made and closed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// When the server's certificate expires; `None`: there is no TLS on this way, or the certificate does not say.
    pub certificate_until: Option<Timestamp>,
}

impl Egress {
    /// Connects to the host that `outgoing` would go to, with TLS where that is used, and hangs up. A mail server is greeted. Nothing of
    /// the message is sent.
    ///
    /// # Errors
    /// As [`Egress::send`] would say before anything is sent.
    pub async fn reach(&self, outgoing: &Outgoing, policy: &Policy) -> Result<Reached, EgressError> {
        let reached = async {
            match outgoing {
                Outgoing::Http(request) => self.certificate(request, policy).await,
                Outgoing::Mail(mail) => self.mail.greet(&mail.server, policy).await,
            }
        };
        let late = Err(EgressError::Timeout(policy.deadline));
        let certificate = timeout(policy.deadline, reached).await.unwrap_or(late)?;
        Ok(Reached { certificate_until: certificate.as_ref().and_then(not_after) })
    }

    /// The certificate of the server to which a request would go; `None`: it would go without TLS.
    async fn certificate(
        &self,
        request: &Request,
        policy: &Policy,
    ) -> Result<Option<CertificateDer<'static>>, EgressError> {
        let target = target::vet(request.url.expose_secret(), &policy.private)?;
        let unusable = || EgressError::Unusable("its URL has no host".to_owned());
        let host = target.url.host().ok_or_else(unusable)?.to_owned();
        let port = target.url.port_or_known_default().ok_or_else(unusable)?;
        let stream = self.mail.connect(&host, port, target.reach, &policy.private).await?;
        if target.url.scheme() != "https" {
            return Ok(None);
        }
        let connected = self.mail.connector()?.connect(mail::name(&host)?, stream).await;
        let stream = connected.map_err(|error| failure::of_tls(&error))?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        Ok(certificates.first().map(|certificate| certificate.clone().into_owned()))
    }

    /// The time on the clock of a server, by the `Date` of its answer to a `GET`; `None`: it does not say.
    ///
    /// # Errors
    /// As [`Egress::send`].
    pub async fn time_at(&self, url: &str, policy: &Policy) -> Result<Option<Timestamp>, EgressError> {
        let request = Request { method: Method::Get, url: url.into(), headers: Vec::new(), body: Bytes::new() };
        let response = self.respond(request, policy, Instant::now() + policy.deadline).await?;
        let date = response.headers().get(DATE).and_then(|value| value.to_str().ok());
        Ok(date
            .and_then(|value| httpdate::parse_http_date(value).ok())
            .and_then(|date| Some(Timestamp::EPOCH.plus(date.duration_since(std::time::UNIX_EPOCH).ok()?))))
    }
}

/// When a certificate expires.
fn not_after(certificate: &CertificateDer<'static>) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(Timestamp::from_seconds(certificate.validity().not_after.timestamp()))
}
