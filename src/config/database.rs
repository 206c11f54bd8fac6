//! Where the store is: written → meant.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use url::Url;

use super::{
    StoreLocation,
    draft::Draft,
    field::{Field, Word},
    raw::{RawDatabase, RawStore},
    scope::Scope,
    secrets::reference,
    words::written_out,
};
use crate::{domain::Complaint, secret::SecretReference};

const PORT: u16 = 5432;
/// How the address of a database is written.
const ADDRESS: &str = "write it like `postgres://scorewatch@db.example/scorewatch`";
/// How a password is written.
const PASSWORD: &str =
    "write `store: { postgres: postgres://USER@HOST/DATABASE, password: { file: PATH } }`, and change the password";

/// What is checked of a database server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseTls {
    /// The connection is not encrypted.
    Disable,
    /// It is encrypted, whoever the server is.
    Require,
    /// A known authority has signed the certificate.
    VerifyCa,
    /// The same, and the certificate is for this host.
    VerifyFull,
}

impl DatabaseTls {
    /// As they are written, which is how PostgreSQL's own tools write them.
    pub(super) const WORDS: [(&'static str, Self); 4] = [
        ("disable", Self::Disable),
        ("require", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
    ];
}

/// A database on a PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseLocation {
    /// The server's name or address, or the folder of its socket.
    pub host: String,
    /// The port on which the server listens.
    pub port: u16,
    /// The role as which the database is used.
    pub user: String,
    /// The name of the database on the server.
    pub database: String,
    /// The role's password; `None`: the server asks for none.
    pub password: Option<SecretReference>,
    /// What is checked of the server's certificate.
    pub tls: DatabaseTls,
    /// The certificates of the authorities that may have signed it; `None`: those that browsers know.
    pub ca: Option<PathBuf>,
}

impl fmt::Display for DatabaseLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, user, database, .. } = self;
        // As it is written: an IPv6 address has colons of its own, and a socket's folder has slashes.
        let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
        let host = host.replace('/', "%2F");
        write!(f, "postgres://{user}@{open}{host}{close}:{port}/{database}")
    }
}

impl DatabaseLocation {
    /// A database at that address, whose server asks for no password.
    fn parse(text: &str) -> Result<Self, Complaint> {
        let complain = |what: &str| Complaint::new(what, ADDRESS);
        let url = Url::parse(text).map_err(|_| complain("this is not the address of a database"))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(complain("this is not the address of a PostgreSQL database"));
        }
        if url.password().is_some() {
            return Err(Complaint::new("there is a password in the address, where others can read it", PASSWORD));
        }
        if url.query().is_some() || url.fragment().is_some() {
            let instead =
                "write `store: { postgres: …, tls: verify-full, ca: PATH }` for what is not the address itself";
            return Err(Complaint::new("the address of a database has no parameters", instead));
        }
        let host = url.host_str().unwrap_or_default().replace("%2F", "/").replace("%2f", "/");
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let (user, database) = (url.username().to_owned(), url.path().trim_start_matches('/').to_owned());
        for (part, name) in [(&host, "host"), (&user, "role"), (&database, "database")] {
            if part.is_empty() {
                return Err(complain(&format!("the address of the database names no {name}")));
            }
            if part.contains(['%', ' ']) || (name != "host" && part.contains('/')) {
                return Err(complain(&format!("this is not a name of a {name}")));
            }
        }
        let tls = if is_here(&host) { DatabaseTls::Disable } else { DatabaseTls::VerifyFull };
        Ok(Self { host, port: url.port().unwrap_or(PORT), user, database, password: None, tls, ca: None })
    }
}

/// Whether a server is on this machine: nobody is in between.
fn is_here(host: &str) -> bool {
    host.starts_with('/')
        || host == "localhost"
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Where the store is.
pub(super) fn store(raw: Field<RawStore>, top: &Scope<'_>, draft: &mut Draft) -> Option<StoreLocation> {
    let at = top.key("store");
    let store = match raw {
        Field::Good(RawStore::Database(raw)) => return database(*raw, &at, draft).map(StoreLocation::Postgres),
        Field::Good(RawStore::Location(word)) => {
            draft.parse(Field::Good(word), &at, |text| location(text, top.folder()))
        }
        Field::Bad(misfit) => draft.parse(Field::<Word>::Bad(misfit), &at, |text| location(text, top.folder())),
        Field::Absent => None,
    };
    draft.world.store = store.clone().map(|store| (at.place(), store));
    store.or_else(|| location("sqlite://data/scorewatch.db", top.folder()).ok())
}

/// A database with what can't be part of its address.
fn database(raw: RawDatabase, at: &Scope<'_>, draft: &mut Draft) -> Option<DatabaseLocation> {
    at.only(RawDatabase::KEYS, draft);
    if !raw.postgres.is_written() {
        if !draft.is_one_meant(at, &["postgres"]) {
            draft.error(at, "the store names no database", "write `postgres: postgres://USER@HOST/DATABASE`");
        }
        return None;
    }
    let address = draft.parse(raw.postgres, &at.key("postgres"), DatabaseLocation::parse);
    let tls = draft.parse(raw.tls, &at.key("tls"), tls);
    let ca = draft.parse(raw.ca, &at.key("ca"), written_out).map(|path| at.folder().join(path));
    let password = match raw.password {
        Field::Absent => None,
        field => {
            let at = at.key("password");
            draft.take(field, &at).and_then(|raw| reference(raw, &at, draft))
        }
    };
    let mut location = address?;
    location.tls = tls.unwrap_or(location.tls);
    if ca.is_some() && !matches!(location.tls, DatabaseTls::VerifyCa | DatabaseTls::VerifyFull) {
        draft.error(
            &at.key("ca"),
            "the server's certificate is not checked",
            "write `tls: verify-full`, or delete `ca:`",
        );
    }
    (location.ca, location.password) = (ca, password);
    Some(location)
}

fn tls(text: &str) -> Result<DatabaseTls, Complaint> {
    let known = DatabaseTls::WORDS.iter().find(|(word, _)| *word == text).map(|(_, tls)| *tls);
    known.ok_or_else(|| {
        Complaint::new(
            format!("`{text}` is not known here"),
            "write `verify-full`, `verify-ca`, `require` or `disable`",
        )
    })
}

/// Where the store is; a relative path starts from the main file.
fn location(text: &str, folder: &Path) -> Result<StoreLocation, Complaint> {
    match text.strip_prefix("sqlite://") {
        Some(path) if !path.is_empty() => written_out(path).map(|path| StoreLocation::Sqlite(folder.join(path))),
        _ if text.starts_with("postgres") => DatabaseLocation::parse(text).map(StoreLocation::Postgres),
        // A path alone, or after something like it.
        _ if text.starts_with("sqlite:") || text.starts_with("file:") => {
            let path = text.trim_start_matches("sqlite:").trim_start_matches("file:");
            let path = if path.is_empty() { "data/scorewatch.db" } else { path };
            Err(Complaint::new("a store begins with `sqlite://`", format!("write `sqlite://{path}`")))
        }
        _ if !text.is_empty() && !text.contains("://") => Err(Complaint::new(
            format!("`{text}` does not say what kind of store it is"),
            format!("write `sqlite://{text}`"),
        )),
        _ => Err(Complaint::new("this is not a store", "write `sqlite://data/scorewatch.db`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_host_role_and_database() {
        for (text, host, port, user, database, tls) in [
            ("postgres://u@db.example/scores", "db.example", 5432, "u", "scores", DatabaseTls::VerifyFull),
            ("postgresql://u@db.example:6432/scores", "db.example", 6432, "u", "scores", DatabaseTls::VerifyFull),
            ("postgres://u@127.0.0.1/scores", "127.0.0.1", 5432, "u", "scores", DatabaseTls::Disable),
            ("postgres://u@[::1]:5433/scores", "::1", 5433, "u", "scores", DatabaseTls::Disable),
            ("postgres://u@%2Frun%2Fpostgresql/scores", "/run/postgresql", 5432, "u", "scores", DatabaseTls::Disable),
        ] {
            let found = DatabaseLocation::parse(text).unwrap();
            assert_eq!(
                (&*found.host, found.port, &*found.user, &*found.database, found.tls),
                (host, port, user, database, tls)
            );
            assert_eq!((&found.password, &found.ca), (&None, &None));
            assert_eq!(DatabaseLocation::parse(&found.to_string()), Ok(found), "and is shown as it may be written");
        }
    }

    #[test]
    fn what_is_missing_or_belongs_elsewhere_is_named() {
        for (text, part) in [
            ("postgres://u:hunter2@db.example/scores", "there is a password in the address"),
            ("postgres://db.example/scores", "names no role"),
            ("postgres://u@db.example", "names no database"),
            ("postgres://u@db.example/scores?sslmode=require", "has no parameters"),
            ("postgres://u@db.example/a/b", "not a name of a database"),
            ("postgres:", "names no host"),
        ] {
            let Complaint { what, instead } = DatabaseLocation::parse(text).unwrap_err();
            assert!(what.contains(part), "{text}: {what}");
            assert!(!format!("{what}{instead}").contains("hunter2"));
        }
    }
}
