//! Opens connections.

use std::{
    fs::File,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use secrecy::SecretString;
use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{error::at_open, migrate, password::Password, server, settings::PostgresSettings};
use crate::store::{
    StoreError,
    sql::db::{Door, Readers, is_login_refused},
};

/// Statements that a connection keeps prepared: more than there are.
const STATEMENTS: usize = 512;
/// Pages and the API use at most three at a time and an event stream one more (`web/busy.rs`), so that a check never waits for people.
const READERS: u32 = 6;
/// How long a server may take to let us in.
const CONNECTED_WITHIN: Duration = Duration::from_secs(20);
/// What the server ends on its own, so that no statement waits for ever. A transaction waits for its turn to write as for a lock.
const LIMITS: [(&str, &str); 4] = [
    ("statement_timeout", "60s"),
    ("lock_timeout", "30s"),
    // A process that is stopped in the middle of a transaction keeps nobody else from writing for longer than a lease.
    ("idle_in_transaction_session_timeout", "10s"),
    // Whatever the database's default is: a writer waits for its turn, and then sees what the one before it wrote.
    ("default_transaction_isolation", "read committed"),
];

fn options(settings: &PostgresSettings, password: Option<&SecretString>) -> PgConnectOptions {
    settings.options(password).statement_cache_capacity(STATEMENTS).options(LIMITS)
}

/// What a connection that only reads asks for.
fn reading(settings: &PostgresSettings, password: Option<&SecretString>) -> PgConnectOptions {
    options(settings, password).options([("default_transaction_read_only", "on")])
}

/// Opens a connection that writes.
pub(super) async fn connect(settings: &PostgresSettings) -> Result<PgConnection, StoreError> {
    if let Some(path) = settings.root_certificates.clone() {
        // The driver would not say which file it is.
        let opened = tokio::task::spawn_blocking(move || File::open(&path).map_err(|error| (path, error))).await;
        if let Ok(Err((path, error))) = opened {
            let path = path.display();
            return Err(StoreError::Open(format!("the certificates in `{path}` can't be read: {error}")));
        }
    }
    let Some(password) = &settings.password else {
        return connect_by(&options(settings, None)).await.map_err(|error| at_open(&error));
    };
    let current = password.current().await?;
    let mut connected = connect_by(&options(settings, Some(&current))).await;
    if connected.as_ref().is_err_and(is_login_refused)
        && let Some(other) = password.instead_of(&current).await
    {
        connected = connect_by(&options(settings, Some(&other))).await;
    }
    connected.map_err(|error| at_open(&error))
}

async fn connect_by(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let connected = tokio::time::timeout(CONNECTED_WITHIN, PgConnection::connect_with(options)).await;
    let late = || io::Error::new(io::ErrorKind::TimedOut, "the server has not answered");
    connected.unwrap_or_else(|_| Err(late().into()))
}

/// Opens a connection that writes, beside a running service.
pub(super) async fn connect_beside(settings: &PostgresSettings) -> Result<PgConnection, StoreError> {
    let mut connection = connect(settings).await?;
    // What a command writes is to be kept, too.
    server::refuse(&mut connection).await?;
    match migrate::version(&mut connection).await? {
        migrate::NEWEST.. => Ok(connection),
        0 => Err(StoreError::Open(format!("there is no store in `{settings}`; start the service once"))),
        _ => Err(StoreError::Open("its schema is older than this version; start the service once".to_owned())),
    }
}

/// Readers see the newest commit and never wait for the writer. They do not stay with a server from which the writer has turned away.
pub(super) fn readers(settings: &PostgresSettings, reopened: Reopened) -> Readers {
    // It was read when the writer's connection was opened.
    let known = settings.password.as_ref().and_then(Password::known);
    let options = reading(settings, known.as_ref());
    let pool = PgPoolOptions::new().max_connections(READERS).before_acquire(move |_, connection| {
        let is_good = reopened.was_before(connection.age);
        Box::pin(async move { Ok(is_good) })
    });
    Readers::new(pool.connect_lazy_with(options), Arc::new(OfReaders(settings.clone())))
}

/// How readers get in.
#[derive(Debug)]
struct OfReaders(PostgresSettings);

#[async_trait]
impl Door for OfReaders {
    async fn after_refusal(&self) -> Option<PgConnectOptions> {
        let Self(settings) = self;
        let password = settings.password.as_ref()?.after_refusal().await?;
        Some(reading(settings, Some(&password)))
    }
}

/// When the writer last opened its connection again. What was opened earlier may lead to a server that is no longer the primary.
#[derive(Debug, Clone, Default)]
pub(super) struct Reopened(Arc<Mutex<Option<Instant>>>);

impl Reopened {
    pub(super) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether that was before the last `age`.
    fn was_before(&self, age: Duration) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none_or(|at| at.elapsed() > age)
    }
}

/// Drawn when the store was made.
pub(super) async fn identity(connection: &mut PgConnection) -> Result<String, StoreError> {
    let identity = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'identity'").fetch_one(connection).await;
    identity.map_err(|error| at_open(&error))
}

/// The names of every tenant in a store, each with its Entra id as far as that is noted. No store: none.
pub(super) async fn names(settings: &PostgresSettings) -> Result<Vec<(String, Option<String>)>, StoreError> {
    let mut connection = connect(settings).await?;
    if migrate::version(&mut connection).await? == 0 {
        return Ok(Vec::new());
    }
    let names = sqlx::query_as("SELECT tenant, entra FROM tenant").fetch_all(&mut connection).await;
    // Nothing was written.
    let _ = connection.close().await;
    names.map_err(|error| at_open(&error))
}
