//! The store's generation: part of what notification ids are made of, and another one after a restore from a backup.
//!
//! A restored store would number its transitions as the lost one did, so that different events got the same id and receivers dropped
//! them as repeats. So the store notes in which database of which server, and on which of that server's timelines, it was last opened. One
//! that does not fit was restored, copied, or is on a server that took over from another; it draws a new generation. What is stored
//! keeps its ids.

use sqlx::PgConnection;
use uuid::Uuid;

use super::error::at_open;
use crate::store::{StoreError, sql::origin};

/// What is noted as the database if the next service is to draw a new generation, wherever it is.
const FORGOTTEN: &str = "another";

/// What ids are made of, for the service.
pub(super) async fn of_service(connection: &mut PgConnection, identity: &str) -> Result<String, StoreError> {
    let here = here(connection).await?;
    let known = read(connection, "database").await?;
    let mut generation = read(connection, "generation").await?.unwrap_or_default();
    if known.as_ref() != Some(&here) {
        if known.is_some() {
            generation = Uuid::new_v4().simple().to_string();
            if let Some(place) = copied_to(connection).await? {
                tracing::warn!(
                    place,
                    "the store was copied to another place, and is used again here; make sure that no service runs there"
                );
            } else {
                tracing::warn!(
                    "the store was restored from a backup, copied, or its server has failed over; notifications made from now on have new ids"
                );
            }
        }
        // The generation first: after a crash in between, another one is drawn.
        keep(connection, "generation", &generation).await?;
        keep(connection, "database", &here).await?;
    }
    Ok(origin(identity, &generation))
}

/// Makes the next service go on with the generation that the database has.
pub(super) async fn settle(connection: &mut PgConnection) -> Result<(), StoreError> {
    let here = here(connection).await?;
    keep(connection, "database", &here).await
}

/// Makes the next service draw a new generation.
pub(super) async fn forget(connection: &mut PgConnection) -> Result<(), StoreError> {
    keep(connection, "database", FORGOTTEN).await
}

/// What ids are made of, for whoever reads beside the service.
pub(super) async fn known(connection: &mut PgConnection, identity: &str) -> Result<String, StoreError> {
    Ok(origin(identity, &read(connection, "generation").await?.unwrap_or_default()))
}

/// On which of its timelines a server is. It begins another one when it takes over from a server that is gone.
pub(super) async fn timeline(connection: &mut PgConnection) -> Result<String, StoreError> {
    let timeline = sqlx::query_scalar("SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)");
    timeline.fetch_one(connection).await.map_err(|error| at_open(&error))
}

/// Which database of which server this is, on which of its timelines.
async fn here(connection: &mut PgConnection) -> Result<String, StoreError> {
    let here = sqlx::query_scalar(
        // The control file shows a new timeline only after its first checkpoint, so it is read off the log's own name.
        "SELECT concat_ws('/', s.system_identifier, d.oid, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)) \
         FROM pg_control_system() AS s, pg_database AS d WHERE d.datname = current_database()",
    )
    .fetch_one(connection)
    .await;
    here.map_err(|error| at_open(&error))
}

/// Where it was copied to, as long as it was not used again since.
async fn copied_to(connection: &mut PgConnection) -> Result<Option<String>, StoreError> {
    let noted = sqlx::query_scalar("DELETE FROM meta WHERE key = 'copied_to' RETURNING value");
    noted.fetch_optional(connection).await.map_err(|error| at_open(&error))
}

async fn read(connection: &mut PgConnection, key: &str) -> Result<Option<String>, StoreError> {
    let value = sqlx::query_scalar("SELECT value FROM meta WHERE key = $1").bind(key).fetch_optional(connection).await;
    value.map_err(|error| at_open(&error))
}

async fn keep(connection: &mut PgConnection, key: &str, value: &str) -> Result<(), StoreError> {
    let kept = sqlx::query(
        "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    .bind(key)
    .bind(value)
    .execute(connection)
    .await;
    kept.map(drop).map_err(|error| at_open(&error))
}
