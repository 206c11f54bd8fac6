//! How a database that the configuration names is reached.

use async_trait::async_trait;

use crate::{
    config::{DatabaseLocation, DatabaseTls},
    secret::{SecretError, SecretReference, SecretString},
    store::{
        StoreError,
        postgres::{Password, PasswordSource, PostgresSettings, TlsMode},
    },
};

/// What the store needs to know of the database. Its password is read whenever a connection is opened.
pub(crate) fn settings(location: &DatabaseLocation) -> PostgresSettings {
    PostgresSettings {
        host: location.host.clone(),
        port: location.port,
        user: location.user.clone(),
        password: location.password.clone().map(Password::new),
        database: location.database.clone(),
        tls: match location.tls {
            DatabaseTls::Disable => TlsMode::Disable,
            DatabaseTls::Require => TlsMode::Require,
            DatabaseTls::VerifyCa => TlsMode::VerifyCa,
            DatabaseTls::VerifyFull => TlsMode::VerifyFull,
        },
        root_certificates: location.ca.clone(),
    }
}

#[async_trait]
impl PasswordSource for SecretReference {
    async fn read(&self) -> Result<SecretString, StoreError> {
        let unreadable = |error: &SecretError| format!("the database's password: {error}; {}", error.hint);
        self.obtain().await.map_err(|error| StoreError::Open(unreadable(&error)))
    }

    fn doubt(&self) {
        Self::doubt(self);
    }
}
