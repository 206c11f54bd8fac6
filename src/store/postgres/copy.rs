//! A PostgreSQL database at one end of a copy to the other database.

use super::{lease, migrate, open, origin, server, settings::PostgresSettings, write::Session};
use crate::store::{
    StoreError,
    sql::{
        WriteAccess,
        db::{Connection, query},
    },
};

/// A copy takes as long as it takes, and waits for the other database meanwhile.
const WITHOUT_LIMITS: [&str; 2] =
    ["SET LOCAL statement_timeout = 0", "SET LOCAL idle_in_transaction_session_timeout = 0"];

/// Opens the store that is to be copied.
pub(in crate::store) async fn source(settings: &PostgresSettings) -> Result<impl WriteAccess + use<>, StoreError> {
    Ok(Session::beside(settings, open::connect_beside(settings).await?))
}

/// Makes the tables in an empty database, or finds those in which there is no row yet.
pub(in crate::store) async fn target(settings: &PostgresSettings) -> Result<impl WriteAccess + use<>, StoreError> {
    let mut connection = open::connect(settings).await?;
    server::check(&mut connection, &server::Standbys::default()).await?;
    if migrate::version(&mut connection).await? == 0 {
        migrate::prepare(&mut connection).await?;
    }
    drop(connection);
    source(settings).await
}

/// Refuses a store on which a service works. The transaction has it to itself, so none begins to.
pub(in crate::store) async fn begin(db: &mut Connection) -> Result<(), StoreError> {
    for limit in WITHOUT_LIMITS {
        query(limit).execute(&mut *db).await?;
    }
    let Connection::Postgres(db) = db else { return Ok(()) };
    if lease::is_held(db).await? {
        return Err(StoreError::InUse(String::new()));
    }
    Ok(())
}

/// Makes the next service on it go on with the generation that the tables have.
pub(in crate::store) async fn keep_generation(db: &mut Connection) -> Result<(), StoreError> {
    let Connection::Postgres(db) = db else { return Ok(()) };
    origin::settle(db).await
}

/// Makes the next service on it draw a new generation.
pub(in crate::store) async fn forget_generation(db: &mut Connection) -> Result<(), StoreError> {
    let Connection::Postgres(db) = db else { return Ok(()) };
    origin::forget(db).await
}
