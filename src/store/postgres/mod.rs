//! A store on a PostgreSQL server.

pub mod erase;
mod error;
mod lease;
mod migrate;
mod open;
mod origin;
mod server;
mod settings;
mod write;

use std::{collections::BTreeMap, sync::Arc};

use sqlx::Connection as _;

pub use self::settings::{PostgresSettings, TlsMode};
use self::{lease::Lease, write::Session};
use super::{
    Inspection, StoreError,
    sql::{self, Place, SqlStore, Writer, db::Pool},
};
use crate::domain::{EntraTenantId, TenantId};

/// A database on a server.
#[derive(Debug)]
struct Server;

impl Place for Server {}

/// Opens the store for the service, makes its tables if there are none, and holds it against other services until closed. Waits for what
/// is left of the time for which a service that ended without closing it had it.
///
/// # Errors
/// [`StoreError::InUse`] while another service has it; [`StoreError::Open`] if the server can't be reached, is too old or does not keep
/// what it confirms, or the database is another program's or a newer version's.
pub async fn open(settings: &PostgresSettings) -> Result<SqlStore, StoreError> {
    let mut connection = open::connect(settings).await?;
    server::check(&mut connection).await?;
    // What another service works with is not changed under it.
    let is_new = migrate::version(&mut connection).await? == 0;
    if is_new {
        migrate::migrate(&mut connection).await?;
    }
    let lease = Lease::take(&mut connection).await?;
    if !is_new {
        migrate::migrate(&mut connection).await?;
    }
    let identity = open::identity(&mut connection).await?;
    let origin = origin::of_service(&mut connection, &identity).await?;
    Ok(store(settings, identity, origin, Session::new(settings, connection, Some(lease))))
}

/// Opens the store beside a service that may be running, for listings and small writes (resend, unpark, accept).
///
/// # Errors
/// [`StoreError::Open`] when there is no store of this version's schema.
pub async fn open_reader(settings: &PostgresSettings) -> Result<SqlStore, StoreError> {
    let connection = open::connect_beside(settings).await?;
    let mut session = Session::new(settings, connection, None);
    let connection = session.connection().await?;
    let identity = open::identity(connection).await?;
    let origin = origin::known(connection, &identity).await?;
    Ok(store(settings, identity, origin, session))
}

fn store(settings: &PostgresSettings, identity: String, origin: String, session: Session) -> SqlStore {
    let (writer, readers) = (Writer::start(session), Pool::Postgres(open::readers(settings)));
    SqlStore::new(identity, origin, writer, readers, Arc::new(Server))
}

/// Looks at a store beside a service that may be running: its schema, and whether the server keeps what it confirms. Changes nothing. A
/// database without a store gives nothing.
///
/// # Errors
/// [`StoreError::Open`] if the server can't be reached, is too old or does not keep what it confirms, or the database is a newer version's.
pub async fn inspect(settings: &PostgresSettings) -> Result<Option<Inspection>, StoreError> {
    let mut connection = open::connect(settings).await?;
    server::check(&mut connection).await?;
    let schema = migrate::version(&mut connection).await?;
    // Nothing was written.
    let _ = connection.close().await;
    let (schema, newest) = (schema.unsigned_abs(), migrate::NEWEST.unsigned_abs());
    Ok((schema != 0).then_some(Inspection { schema, newest, faults: Vec::new(), process: None }))
}

/// The name of every tenant that a store knows, each with its Entra id if that is noted. A database without a store knows none.
///
/// # Errors
/// [`StoreError::Open`] when the server can't be asked.
pub async fn names(settings: &PostgresSettings) -> Result<BTreeMap<TenantId, Option<EntraTenantId>>, StoreError> {
    sql::names(&open::names(settings).await?)
}
