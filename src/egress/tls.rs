//! How TLS is done: rustls, and the certificates that the system trusts. Reading these takes longer than a handshake, so it is done once
//! for the process, and sessions are resumed whichever client asks.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig,
    client::Resumption,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::CertificateDer,
};
use rustls_platform_verifier::Verifier;

use super::{EgressError, failure};

/// Eight tickets for each of 1,024 hosts: one memory for the whole process.
const SESSIONS_MAX: usize = 8 * 1024;

/// With the certificates that the system trusts, and no others.
static SYSTEM: OnceLock<Arc<ClientConfig>> = OnceLock::new();

/// Trusts the system's certificates.
///
/// # Errors
/// [`EgressError::Unusable`] when this machine can't do TLS, for example because it has no root certificates. That is not remembered.
pub(super) fn of_system() -> Result<Arc<ClientConfig>, EgressError> {
    if let Some(config) = SYSTEM.get() {
        return Ok(Arc::clone(config));
    }
    let config = with_roots(&[])?;
    Ok(Arc::clone(SYSTEM.get_or_init(|| config)))
}

/// Trusts these certificates, too.
///
/// # Errors
/// As [`of_system`].
pub(super) fn with_roots(roots: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, EgressError> {
    let provider = CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    let built = Verifier::new_with_extra_roots(roots.iter().cloned(), Arc::clone(&provider)).and_then(|verifier| {
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = builder.with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
        Ok(config)
    });
    Ok(Arc::new(built.map_err(|_| failure::no_tls())?))
}
