//! Where mail is handed in: `smtps://` speaks TLS from the first byte, `smtp://` must offer STARTTLS (RFC 8314, RFC 3207).

use std::{fmt, net::IpAddr};

use url::{Host, Url};

use crate::egress::{EgressError, Private, is_public, target::Reach};

/// Ports at which public servers take mail by TLS from the first byte: the standard's, and the usual second one.
const PORTS_IMPLICIT: [u16; 2] = [465, 2465];
/// Ports at which public servers take mail by STARTTLS: submission, relay, and the usual second ones.
const PORTS_STARTTLS: [u16; 4] = [587, 25, 2525, 2587];
/// Longest address of a server, in bytes.
const ADDRESS_BYTES_MAX: usize = 512;

/// A server that takes mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailServer {
    pub(super) host: Host<String>,
    pub(super) port: u16,
    tls: Tls,
}

/// How a connection becomes private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// It begins with TLS.
    Implicit,
    /// It must offer STARTTLS before anything is said; there is no falling back.
    StartTls,
    /// It does not: only for receivers that a policy's allowance covers.
    Absent,
}

impl MailServer {
    /// Reads `smtps://HOST[:PORT]` or `smtp://HOST[:PORT]`. With `plain`, the latter goes without TLS.
    ///
    /// # Errors
    /// What is wrong with it, in words that do not repeat it.
    pub fn parse(text: &str, plain: bool) -> Result<Self, &'static str> {
        if text.len() > ADDRESS_BYTES_MAX {
            return Err("it is too long");
        }
        let url = Url::parse(text).map_err(|_| "it is not a server's address")?;
        let (tls, default_port) = match (url.scheme(), plain) {
            ("smtps", false) => (Tls::Implicit, 465),
            ("smtps", true) => return Err("`smtps:` requires TLS"),
            ("smtp", false) => (Tls::StartTls, 587),
            ("smtp", true) => (Tls::Absent, 25),
            _ => return Err("it does not begin with `smtps://` or `smtp://`"),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it contains a user name or password");
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err("it continues after the port");
        }
        let host = host(url.host_str().unwrap_or_default()).ok_or("its host is malformed")?;
        let port = url.port().unwrap_or(default_port);
        if port == 0 { Err("its port is 0") } else { Ok(Self { host, port, tls }) }
    }

    /// Its host and port.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// How the connection becomes private.
    #[must_use]
    pub const fn tls(&self) -> Tls {
        self.tls
    }

    /// Says whether the policy lets mail go to that server, as far as that is known without a look-up.
    ///
    /// # Errors
    /// [`EgressError::NotAllowed`], as [`super::super::Egress::send`] would say.
    pub fn vet(&self, private: &Private) -> Result<(), EgressError> {
        self.reach(private).map(drop)
    }

    /// Which addresses the server's name may lead to.
    pub(super) fn reach(&self, private: &Private) -> Result<Reach, EgressError> {
        let refuse = |what: &str| Err(EgressError::NotAllowed(what.to_owned()));
        let reach = match self.tls {
            Tls::Implicit if PORTS_IMPLICIT.contains(&self.port) => Reach::PublicToo,
            Tls::StartTls if PORTS_STARTTLS.contains(&self.port) => Reach::PublicToo,
            _ => Reach::CoveredOnly,
        };
        let unusual = match self.tls {
            Tls::Absent => "mail without TLS may go to private receivers only",
            Tls::StartTls if PORTS_IMPLICIT.contains(&self.port) => {
                "on this port, TLS begins at once, for which `smtps:` stands"
            }
            Tls::Implicit if PORTS_STARTTLS.contains(&self.port) => {
                "on this port, TLS begins with STARTTLS, for which `smtp:` stands"
            }
            Tls::Implicit | Tls::StartTls => "public mail servers do not listen on this port",
        };
        let address = match &self.host {
            Host::Domain(_) if reach == Reach::CoveredOnly && *private == Private::Refused => return refuse(unusual),
            Host::Domain(name)
                if *private == Private::Refused && (name == "localhost" || name.ends_with(".localhost")) =>
            {
                return refuse("not a public address");
            }
            Host::Domain(_) => return Ok(reach),
            Host::Ipv4(address) => IpAddr::V4(*address),
            Host::Ipv6(address) => IpAddr::V6(*address),
        };
        if reach.allows(private, address) {
            Ok(reach)
        } else if is_public(address) {
            refuse(unusual)
        } else {
            refuse("not a public address")
        }
    }
}

/// Reads a host as the web does, so that every way to write an address is known as one.
fn host(text: &str) -> Option<Host<String>> {
    let Ok(Host::Domain(name)) = Host::parse(text) else { return Host::parse(text).ok() };
    let stripped = name.strip_suffix('.').unwrap_or(&name);
    if stripped.is_empty() || stripped.len() > 253 || stripped.split('.').any(str::is_empty) {
        return None;
    }
    // What is left may turn out to be an address.
    Host::parse(stripped).ok()
}

impl fmt::Display for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls == Tls::Implicit { "smtps" } else { "smtp" };
        write!(f, "{scheme}://{}", self.place())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_written_like_a_url() {
        for (text, plain, read) in [
            ("smtps://smtp.example", false, Ok("smtps://smtp.example:465")),
            ("smtps://smtp.example:2465/", false, Ok("smtps://smtp.example:2465")),
            ("SMTP://Smtp.Example.", false, Ok("smtp://smtp.example:587")),
            ("smtp://relay.example:25", false, Ok("smtp://relay.example:25")),
            ("smtp://[::1]:1025", true, Ok("smtp://[::1]:1025")),
            ("smtp://10.0.0.5", true, Ok("smtp://10.0.0.5:25")),
            ("smtp://127.1", true, Ok("smtp://127.0.0.1:25")),
            ("smtp://0x7f000001", true, Ok("smtp://127.0.0.1:25")),
            ("smtp://bücher.example", false, Ok("smtp://xn--bcher-kva.example:587")),
            ("smtps://smtp.example", true, Err("`smtps:` requires TLS")),
            ("https://smtp.example", false, Err("it does not begin with `smtps://` or `smtp://`")),
            ("smtp.example:465", false, Err("it does not begin with `smtps://` or `smtp://`")),
            ("smtps://user:pw@smtp.example", false, Err("it contains a user name or password")),
            ("smtps://smtp.example/x", false, Err("it continues after the port")),
            ("smtps://smtp.example?x", false, Err("it continues after the port")),
            ("smtps://", false, Err("its host is malformed")),
            ("smtps://a..example", false, Err("its host is malformed")),
            ("smtps://smtp.example:0", false, Err("its port is 0")),
            ("smtps://smtp.example:99999", false, Err("it is not a server's address")),
        ] {
            let found = MailServer::parse(text, plain).map(|server| server.to_string());
            assert_eq!(found.as_deref().map_err(|what| *what), read, "{text}");
        }
    }

    #[test]
    fn the_policy_is_that_of_every_request() {
        let ten = Private::Networks(vec!["10.0.0.0/8".parse().unwrap()]);
        for (text, plain, private, good) in [
            ("smtps://smtp.example", false, &Private::Refused, true),
            ("smtp://smtp.example", false, &Private::Refused, true),
            ("smtp://smtp.example:25", false, &Private::Refused, true),
            ("smtp://smtp.example:2525", false, &Private::Refused, true),
            ("smtps://1.1.1.1", false, &Private::Refused, true),
            ("smtps://smtp.example:587", false, &Private::Refused, false),
            ("smtps://smtp.example:22", false, &Private::Refused, false),
            ("smtp://smtp.example:465", false, &Private::Refused, false),
            ("smtp://smtp.example", true, &Private::Refused, false),
            ("smtp://1.1.1.1", true, &Private::Any, false),
            ("smtps://1.1.1.1:22", false, &Private::Any, false),
            ("smtps://localhost", false, &Private::Refused, false),
            ("smtps://a.localhost", false, &Private::Refused, false),
            ("smtps://127.0.0.1", false, &Private::Refused, false),
            ("smtps://127.0.0.1:1025", false, &Private::Loopback, true),
            ("smtp://10.1.2.3", true, &ten, true),
            ("smtp://10.1.2.3:1025", false, &ten, true),
            ("smtp://192.168.0.1", true, &ten, false),
            ("smtp://169.254.169.254", true, &Private::Any, false),
        ] {
            let server = MailServer::parse(text, plain).unwrap();
            assert_eq!(server.vet(private).is_ok(), good, "{text} {private:?}");
        }
    }
}
