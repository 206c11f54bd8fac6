//! How a database that the configuration names is reached.

use crate::{
    config::{DatabaseLocation, DatabaseTls},
    secret::SecretError,
    store::{
        StoreError,
        postgres::{PostgresSettings, TlsMode},
    },
};

/// What the store needs to know of the database, with its password, which is read now.
///
/// # Errors
/// [`StoreError::Open`] if there is no password where it is kept.
pub(crate) async fn settings(location: &DatabaseLocation) -> Result<PostgresSettings, StoreError> {
    let password = match &location.password {
        Some(reference) => Some(reference.obtain().await.map_err(|error| unreadable(&error))?),
        None => None,
    };
    Ok(PostgresSettings {
        host: location.host.clone(),
        port: location.port,
        user: location.user.clone(),
        password,
        database: location.database.clone(),
        tls: match location.tls {
            DatabaseTls::Disable => TlsMode::Disable,
            DatabaseTls::Require => TlsMode::Require,
            DatabaseTls::VerifyCa => TlsMode::VerifyCa,
            DatabaseTls::VerifyFull => TlsMode::VerifyFull,
        },
        root_certificates: location.ca.clone(),
    })
}

fn unreadable(error: &SecretError) -> StoreError {
    StoreError::Open(format!("the database's password: {error}; {}", error.hint))
}
