//! A store on a PostgreSQL server.

pub(super) mod copy;
pub mod erase;
mod error;
mod keeper;
mod lease;
mod migrate;
mod open;
mod origin;
mod password;
mod server;
mod settings;
mod write;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use sqlx::Connection as _;

pub use self::{
    password::{Password, PasswordSource},
    settings::{PostgresSettings, TlsMode},
};
use sqlx::PgConnection;

use self::{error::at_open, keeper::Keeper, lease::Lease, server::Standbys, write::Session};
use super::{
    Division, Inspection, SchemaStep, StoreError,
    division::Timing,
    sql::{
        self, Origin, Place, SqlStore, Writer,
        db::{Dialect, Pool},
        guards,
    },
};
use crate::{
    crash_point,
    domain::{EntraTenantId, TenantId},
    task,
};

/// A database on a server.
#[derive(Debug)]
struct Server {
    standbys: Standbys,
}

#[async_trait]
impl Place for Server {
    async fn look_at_standbys(&self, readers: &Pool) -> Result<Option<bool>, StoreError> {
        self.standbys.look(readers).await
    }
}

/// Opens the store for a process that has it to itself, makes its tables if there are none, and holds it against services until closed.
/// Waits for what is left of the time for which a service that ended without closing it had it.
///
/// # Errors
/// [`StoreError::InUse`] while a service has it; [`StoreError::Open`] if the server can't be reached, is too old or does not keep
/// what it confirms, or the database is another program's or a newer version's.
pub async fn open(settings: &PostgresSettings) -> Result<SqlStore, StoreError> {
    let standbys = Standbys::default();
    let mut connection = prepare(settings, &standbys).await?;
    let lease = Lease::take(&mut connection).await?;
    let identity = open::identity(&mut connection).await?;
    let origin = origin::of_service(&mut connection, &identity).await?;
    let origin = Origin::new(origin);
    let session = Session::new(settings, connection, Some(lease), standbys).watching(&identity, &origin);
    Ok(store(settings, identity, origin, session))
}

/// Opens the store for a service that shares it with others, as [`open`] does, and takes this service's part of the work; the lease is
/// renewed until the store is closed. `fingerprint`: the service's configuration. Also returns how many deliveries were under way on what
/// it took.
///
/// # Errors
/// As [`open`]; a process that has the store to itself does not keep a service from waiting for it here.
pub async fn join(settings: &PostgresSettings, fingerprint: String) -> Result<(SqlStore, u64), StoreError> {
    let standbys = Standbys::default();
    let mut connection = prepare(settings, &standbys).await?;
    let timing = Timing { lease: crash_point::lease(Timing::USUAL.lease) };
    let identity = open::identity(&mut connection).await?;
    lease::begin(&mut connection).await.map_err(|error| at_open(&error))?;
    // Whoever joins at the same time does so before or after: only one draws a new generation.
    let origin = origin::of_service(&mut connection, &identity).await?;
    let lease = Lease::join(&mut connection, &fingerprint, timing).await.map_err(|error| at_open(&error))?;
    sqlx::query("COMMIT").execute(&mut connection).await.map_err(|error| at_open(&error))?;
    let division = Division::shared(lease.id().to_owned(), fingerprint);
    let mut keeper = Keeper::new(settings, lease.id(), division.clone(), timing);
    let recovered = match keeper.begin().await {
        Ok(recovered) => recovered,
        Err(error) => {
            // What it has taken is free for the others immediately.
            lease.give_back(&mut connection).await;
            return Err(error);
        }
    };
    tokio::spawn(task::unbroken("replica", keeper.keep()));
    let origin = Origin::new(origin);
    let session = Session::new(settings, connection, Some(lease), standbys).watching(&identity, &origin);
    Ok((store(settings, identity, origin, session).divided(division), recovered))
}

/// A connection to a database whose tables are there and up to date.
async fn prepare(settings: &PostgresSettings, standbys: &Standbys) -> Result<PgConnection, StoreError> {
    let mut connection = open::connect(settings).await?;
    server::check(&mut connection, standbys).await?;
    migrate::prepare(&mut connection).await?;
    Ok(connection)
}

/// Opens the store beside a service that may be running, for listings and small writes (resend, unpark, accept).
///
/// # Errors
/// [`StoreError::Open`] when there is no store of this version's schema.
pub async fn open_reader(settings: &PostgresSettings) -> Result<SqlStore, StoreError> {
    let connection = open::connect_beside(settings).await?;
    let mut session = Session::beside(settings, connection);
    let connection = session.connection().await?;
    let identity = open::identity(connection).await?;
    let origin = origin::known(connection, &identity).await?;
    Ok(store(settings, identity, Origin::new(origin), session))
}

/// Which schema the store has. Nothing is changed.
///
/// # Errors
/// [`StoreError::Open`] if the server can't be asked, or the database is a newer version's.
pub async fn schema(settings: &PostgresSettings) -> Result<SchemaStep, StoreError> {
    let mut connection = open::connect(settings).await?;
    let from = migrate::version(&mut connection).await?;
    Ok(SchemaStep { from: from.unsigned_abs(), to: migrate::NEWEST.unsigned_abs() })
}

/// Makes the tables or changes them to this version's schema, in one transaction, as the first service of this version would: services of
/// an older one go on beside it. Returns what there was to do.
///
/// # Errors
/// As [`open`]; [`StoreError::InUse`] if a service works on the store that is too old for that.
pub async fn bring_up_to_date(settings: &PostgresSettings) -> Result<SchemaStep, StoreError> {
    let step = schema(settings).await?;
    if step.is_current() {
        return Ok(step);
    }
    prepare(settings, &Standbys::default()).await?;
    Ok(step)
}

fn store(settings: &PostgresSettings, identity: String, origin: Arc<Origin>, session: Session) -> SqlStore {
    let readers = Pool::Postgres(open::readers(settings, session.reopened()));
    let place = Server { standbys: session.standbys() };
    let writer = Writer::start(session);
    SqlStore::new(identity, origin, writer, readers, Arc::new(place))
}

/// Looks at a store beside a service that may be running: its schema, and whether the server keeps what it confirms. Changes nothing. A
/// database without a store gives nothing.
///
/// # Errors
/// [`StoreError::Open`] if the server can't be reached, is too old or does not keep what it confirms, or the database is a newer version's.
pub async fn inspect(settings: &PostgresSettings) -> Result<Option<Inspection>, StoreError> {
    let mut connection = open::connect(settings).await?;
    server::check(&mut connection, &Standbys::default()).await?;
    let schema = migrate::version(&mut connection).await?;
    let mut unguarded = Vec::new();
    if schema >= migrate::NEWEST {
        let found: Vec<(String, String)> = sqlx::query_as(guards::POSTGRES).fetch_all(&mut connection).await?;
        unguarded = guards::missing(Dialect::Postgres, &found);
    }
    // Nothing was written.
    let _ = connection.close().await;
    let (schema, newest) = (schema.unsigned_abs(), migrate::NEWEST.unsigned_abs());
    Ok((schema != 0).then_some(Inspection { schema, newest, faults: Vec::new(), unguarded, process: None }))
}

/// The name of every tenant that a store knows, each with its Entra id if that is noted. A database without a store knows none.
///
/// # Errors
/// [`StoreError::Open`] when the server can't be asked.
pub async fn names(settings: &PostgresSettings) -> Result<BTreeMap<TenantId, Option<EntraTenantId>>, StoreError> {
    sql::names(&open::names(settings).await?)
}
