//! Where a database is, and as whom it is used.

use std::{fmt, path::PathBuf, process};

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::password::Password;

/// How far the connection is encrypted, and what is checked of the server's certificate. The words are those of PostgreSQL's own tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// The connection is not encrypted.
    Disable,
    /// Encrypted, whoever the server is.
    Require,
    /// Encrypted, with a server whose certificate a known authority has signed.
    VerifyCa,
    /// The same, and the certificate is for this host.
    VerifyFull,
}

impl TlsMode {
    /// Every mode, the weakest first.
    pub const ALL: [Self; 4] = [Self::Disable, Self::Require, Self::VerifyCa, Self::VerifyFull];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// Where a database is, and as whom it is used.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// The server's name or address, or the folder of its socket.
    pub host: String,
    /// The port on which the server listens.
    pub port: u16,
    /// The role as which the database is used.
    pub user: String,
    /// Its password; `None`: the server asks for none.
    pub password: Option<Password>,
    /// The name of the database on the server.
    pub database: String,
    /// How far the connection is encrypted.
    pub tls: TlsMode,
    /// The certificates of the authorities that may have signed the server's, as PEM; `None`: those that browsers know.
    pub root_certificates: Option<PathBuf>,
}

impl fmt::Display for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, user, database, .. } = self;
        // As it is written: an IPv6 address has colons of its own, and a socket's folder has slashes.
        let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
        let host = host.replace('/', "%2F");
        write!(f, "postgres://{user}@{open}{host}{close}:{port}/{database}")
    }
}

impl PostgresSettings {
    /// What the driver is given. Nothing is taken from environment variables or from a password file.
    pub(super) fn options(&self, password: Option<&SecretString>) -> PgConnectOptions {
        let mode = match self.tls {
            TlsMode::Disable => PgSslMode::Disable,
            TlsMode::Require => PgSslMode::Require,
            TlsMode::VerifyCa => PgSslMode::VerifyCa,
            TlsMode::VerifyFull => PgSslMode::VerifyFull,
        };
        let options = PgConnectOptions::new_without_pgpass()
            .port(self.port)
            .username(&self.user)
            .database(&self.database)
            .ssl_mode(mode)
            .application_name(&format!("scorewatch {}", process::id()));
        let options = if self.host.starts_with('/') { options.socket(&self.host) } else { options.host(&self.host) };
        let options = match &self.root_certificates {
            Some(path) => options.ssl_root_cert(path),
            None => options,
        };
        match password {
            Some(password) => options.password(password.expose_secret()),
            None => options,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_as_it_is_written() {
        for (host, shown) in [
            ("db.example", "db.example"),
            ("192.0.2.1", "192.0.2.1"),
            ("2001:db8::1", "[2001:db8::1]"),
            ("/run/x", "%2Frun%2Fx"),
        ] {
            let settings = PostgresSettings {
                host: host.to_owned(),
                port: 5432,
                user: "me".to_owned(),
                password: None,
                database: "scores".to_owned(),
                tls: TlsMode::VerifyFull,
                root_certificates: None,
            };
            assert_eq!(settings.to_string(), format!("postgres://me@{shown}:5432/scores"));
        }
    }
}
