//! What went wrong, in our own words: the client's errors name URLs, which may be secrets.

use std::{error::Error, io};

use rustls::CertificateError;

use super::{EgressError, resolve::Unresolved};

/// Says what the client's error means, without quoting it.
pub(super) fn classify(error: &reqwest::Error) -> EgressError {
    match find::<Unresolved>(error) {
        Some(Unresolved::Forbidden) => return forbidden(),
        Some(Unresolved::NoAddress) => return EgressError::Resolve,
        None => {}
    }
    let what = reason(error);
    if error.is_connect() {
        let what = if error.is_timeout() { "timed out" } else { what.unwrap_or("refused or unreachable") };
        EgressError::Connect(what.to_owned())
    } else if error.is_builder() {
        EgressError::Unusable("its URL or a header is malformed".to_owned())
    } else if error.is_decode() {
        EgressError::Broken("the body can't be decompressed or was cut short".to_owned())
    } else {
        EgressError::Broken(what.unwrap_or("the answer is not HTTP, or was cut short").to_owned())
    }
}

/// A name that leads where nothing may go.
pub(super) fn forbidden() -> EgressError {
    EgressError::NotAllowed("its name resolves to an address that is not public".to_owned())
}

/// This machine can't do TLS.
pub(super) fn no_tls() -> EgressError {
    EgressError::Unusable("TLS can't be set up on this machine; are root certificates installed?".to_owned())
}

/// There is no connection.
pub(super) fn of_connecting(error: &io::Error) -> EgressError {
    EgressError::Connect(reason(error).unwrap_or("refused or unreachable").to_owned())
}

/// There is a connection, but no TLS on it.
pub(super) fn of_tls(error: &io::Error) -> EgressError {
    EgressError::Connect(reason(error).unwrap_or("the TLS handshake failed").to_owned())
}

/// The first cause that is worth naming.
pub(super) fn reason(error: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(tls) = find::<rustls::Error>(error) {
        return Some(match tls {
            rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => "the certificate is for another name",
            rustls::Error::InvalidCertificate(_) => "the certificate is not trusted",
            _ => "the TLS handshake failed",
        });
    }
    match find::<io::Error>(error)?.kind() {
        io::ErrorKind::ConnectionRefused => Some("refused"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => Some("reset"),
        io::ErrorKind::UnexpectedEof => Some("closed too early"),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some("no route"),
        io::ErrorKind::TimedOut => Some("timed out"),
        _ => None,
    }
}

/// Looks for a type among an error's causes, also inside I/O errors, which hide theirs from `source`.
pub(super) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<E>() {
            return Some(found);
        }
        if let Some(inner) = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref)
            && let Some(found) = find::<E>(inner)
        {
            return Some(found);
        }
        next = cause.source();
    }
    None
}
