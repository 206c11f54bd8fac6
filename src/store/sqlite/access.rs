//! Tokens, accounts and sessions.

use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{audit, text::to_json};
use crate::{
    domain::{Limits, Role, Timestamp},
    store::{
        AccountRecord, NewAccount, NewEntry, NewPersonSession, NewSession, NewToken, PasswordHash, PersonSession,
        SecretDigest, SessionRecord, StoreError, TokenRecord,
    },
};

fn unreadable(what: &str) -> StoreError {
    StoreError::Undecodable(format!("{what} of a token or account"))
}

fn role(row: &SqliteRow) -> Result<Role, StoreError> {
    Role::parse(row.try_get("role")?).ok_or_else(|| unreadable("role"))
}

fn limits(row: &SqliteRow) -> Result<Limits, StoreError> {
    serde_json::from_str(row.try_get("limits")?).map_err(|_| unreadable("limits"))
}

fn time(row: &SqliteRow, column: &str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_nanos(row.try_get(column)?))
}

fn optional(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_nanos))
}

fn token(row: &SqliteRow) -> Result<TokenRecord, StoreError> {
    Ok(TokenRecord {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        role: role(row)?,
        limits: limits(row)?,
        created_at: time(row, "created_at")?,
        created_by: row.try_get("created_by")?,
        expires_at: optional(row, "expires_at")?,
        last_used_at: optional(row, "last_used_at")?,
        revoked_at: optional(row, "revoked_at")?,
    })
}

fn account(row: &SqliteRow) -> Result<AccountRecord, StoreError> {
    Ok(AccountRecord {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        role: role(row)?,
        limits: limits(row)?,
        created_at: time(row, "created_at")?,
        created_by: row.try_get("created_by")?,
        password_set_at: time(row, "password_set_at")?,
        last_signed_in_at: optional(row, "last_signed_in_at")?,
        disabled_at: optional(row, "disabled_at")?,
    })
}

/// The SQL behind [`crate::store::Access::tokens`].
pub(super) async fn tokens(pool: &SqlitePool) -> Result<Vec<TokenRecord>, StoreError> {
    let rows = sqlx::query("SELECT * FROM token ORDER BY id DESC").fetch_all(pool).await?;
    rows.iter().map(token).collect()
}

/// The SQL behind [`crate::store::Access::find_token`].
pub(super) async fn find_token(pool: &SqlitePool, digest: SecretDigest) -> Result<Option<TokenRecord>, StoreError> {
    let found = sqlx::query("SELECT * FROM token WHERE digest = ?").bind(&digest.0[..]).fetch_optional(pool).await?;
    found.as_ref().map(token).transpose()
}

/// The SQL behind [`crate::store::Access::add_token`].
pub(super) async fn add_token(db: &mut SqliteConnection, new: &NewToken, entry: &NewEntry) -> Result<bool, StoreError> {
    let added = sqlx::query(
        "INSERT INTO token (name, digest, role, limits, created_at, created_by, expires_at) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM token WHERE name = ?1 AND revoked_at IS NULL)",
    )
    .bind(&new.name)
    .bind(&new.digest.0[..])
    .bind(new.role.as_str())
    .bind(to_json(&new.limits)?)
    .bind(new.created_at.as_nanos())
    .bind(&new.created_by)
    .bind(new.expires_at.map(Timestamp::as_nanos))
    .execute(&mut *db)
    .await?;
    recorded(db, added.rows_affected(), entry).await
}

/// Records what changed something.
async fn recorded(db: &mut SqliteConnection, rows: u64, entry: &NewEntry) -> Result<bool, StoreError> {
    if rows > 0 {
        audit::add(db, entry, &[]).await?;
    }
    Ok(rows > 0)
}

/// The SQL behind [`crate::store::Access::token_used`].
pub(super) async fn token_used(db: &mut SqliteConnection, id: i64, now: Timestamp) -> Result<(), StoreError> {
    let used = "UPDATE token SET last_used_at = max(?2, coalesce(last_used_at, ?2)) WHERE id = ?1";
    sqlx::query(used).bind(id).bind(now.as_nanos()).execute(db).await?;
    Ok(())
}

/// The SQL behind [`crate::store::Access::revoke_token`].
pub(super) async fn revoke_token(db: &mut SqliteConnection, name: &str, entry: &NewEntry) -> Result<bool, StoreError> {
    let revoked = sqlx::query("UPDATE token SET revoked_at = ?2 WHERE name = ?1 AND revoked_at IS NULL")
        .bind(name)
        .bind(entry.at.as_nanos())
        .execute(&mut *db)
        .await?;
    recorded(db, revoked.rows_affected(), entry).await
}

/// The SQL behind [`crate::store::Access::accounts`].
pub(super) async fn accounts(pool: &SqlitePool) -> Result<Vec<AccountRecord>, StoreError> {
    let rows = sqlx::query("SELECT * FROM account ORDER BY name").fetch_all(pool).await?;
    rows.iter().map(account).collect()
}

/// The SQL behind [`crate::store::Access::find_account`].
pub(super) async fn find_account(
    pool: &SqlitePool,
    name: &str,
) -> Result<Option<(AccountRecord, PasswordHash)>, StoreError> {
    let found = sqlx::query("SELECT * FROM account WHERE name = ?").bind(name).fetch_optional(pool).await?;
    found.as_ref().map(|row| Ok((account(row)?, PasswordHash(row.try_get("password")?)))).transpose()
}

/// The SQL behind [`crate::store::Access::add_account`].
pub(super) async fn add_account(
    db: &mut SqliteConnection,
    new: &NewAccount,
    entry: &NewEntry,
) -> Result<bool, StoreError> {
    let added = sqlx::query(
        "INSERT INTO account (name, password, role, limits, created_at, created_by, password_set_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?5) ON CONFLICT (name) DO NOTHING",
    )
    .bind(&new.name)
    .bind(&new.password.0)
    .bind(new.role.as_str())
    .bind(to_json(&new.limits)?)
    .bind(new.created_at.as_nanos())
    .bind(&new.created_by)
    .execute(&mut *db)
    .await?;
    recorded(db, added.rows_affected(), entry).await
}

/// The SQL behind [`crate::store::Access::end_sessions`].
pub(super) async fn end_sessions(db: &mut SqliteConnection, name: &str, entry: &NewEntry) -> Result<u64, StoreError> {
    let ended = sign_out(&mut *db, name).await?;
    recorded(db, ended, entry).await?;
    Ok(ended)
}

async fn sign_out(db: &mut SqliteConnection, name: &str) -> Result<u64, StoreError> {
    let ended = "DELETE FROM session WHERE account_id IN (SELECT id FROM account WHERE name = ?)";
    Ok(sqlx::query(ended).bind(name).execute(db).await?.rows_affected())
}

/// The SQL behind [`crate::store::Access::set_password`].
pub(super) async fn set_password(
    db: &mut SqliteConnection,
    name: &str,
    password: &PasswordHash,
    entry: &NewEntry,
) -> Result<bool, StoreError> {
    let set = sqlx::query("UPDATE account SET password = ?2, password_set_at = ?3 WHERE name = ?1")
        .bind(name)
        .bind(&password.0)
        .bind(entry.at.as_nanos())
        .execute(&mut *db)
        .await?;
    sign_out(db, name).await?;
    recorded(db, set.rows_affected(), entry).await
}

/// The SQL behind [`crate::store::Access::disable_account`].
pub(super) async fn disable_account(
    db: &mut SqliteConnection,
    name: &str,
    disabled: bool,
    entry: &NewEntry,
) -> Result<bool, StoreError> {
    let changed =
        sqlx::query("UPDATE account SET disabled_at = ?2 WHERE name = ?1 AND (disabled_at IS NULL) = (?2 IS NOT NULL)")
            .bind(name)
            .bind(disabled.then_some(entry.at.as_nanos()))
            .execute(&mut *db)
            .await?;
    sign_out(db, name).await?;
    recorded(db, changed.rows_affected(), entry).await
}

/// The SQL behind [`crate::store::Access::add_session`].
pub(super) async fn add_session(
    db: &mut SqliteConnection,
    new: &NewSession,
    entry: &NewEntry,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM session WHERE expires_at <= ?").bind(new.created_at.as_nanos()).execute(&mut *db).await?;
    sqlx::query(
        "INSERT INTO session (digest, account_id, created_at, seen_at, expires_at) VALUES (?1, ?2, ?3, ?3, ?4)",
    )
    .bind(&new.digest.0[..])
    .bind(new.account)
    .bind(new.created_at.as_nanos())
    .bind(new.expires_at.as_nanos())
    .execute(&mut *db)
    .await?;
    sqlx::query("UPDATE account SET last_signed_in_at = ?2 WHERE id = ?1")
        .bind(new.account)
        .bind(new.created_at.as_nanos())
        .execute(&mut *db)
        .await?;
    audit::add(db, entry, &[]).await
}

/// The SQL behind [`crate::store::Access::find_session`].
pub(super) async fn find_session(pool: &SqlitePool, digest: SecretDigest) -> Result<Option<SessionRecord>, StoreError> {
    let found = sqlx::query(
        "SELECT a.*, s.seen_at, s.expires_at FROM session AS s JOIN account AS a ON a.id = s.account_id \
         WHERE s.digest = ?",
    )
    .bind(&digest.0[..])
    .fetch_optional(pool)
    .await?;
    let session = |row: &SqliteRow| {
        Ok(SessionRecord {
            account: account(row)?,
            seen_at: time(row, "seen_at")?,
            expires_at: time(row, "expires_at")?,
        })
    };
    found.as_ref().map(session).transpose()
}

/// The SQL behind [`crate::store::Access::session_used`].
pub(super) async fn session_used(
    db: &mut SqliteConnection,
    digest: SecretDigest,
    now: Timestamp,
) -> Result<(), StoreError> {
    for used in [
        "UPDATE session SET seen_at = max(seen_at, ?2) WHERE digest = ?1",
        "UPDATE person_session SET seen_at = max(seen_at, ?2) WHERE digest = ?1",
    ] {
        sqlx::query(used).bind(&digest.0[..]).bind(now.as_nanos()).execute(&mut *db).await?;
    }
    Ok(())
}

/// The SQL behind [`crate::store::Access::end_session`].
pub(super) async fn end_session(
    db: &mut SqliteConnection,
    digest: SecretDigest,
    entry: &NewEntry,
) -> Result<bool, StoreError> {
    let mut rows = 0;
    for ended in ["DELETE FROM session WHERE digest = ?", "DELETE FROM person_session WHERE digest = ?"] {
        rows += sqlx::query(ended).bind(&digest.0[..]).execute(&mut *db).await?.rows_affected();
    }
    recorded(db, rows, entry).await
}

/// The SQL behind [`crate::store::Access::add_person_session`].
pub(super) async fn add_person_session(
    db: &mut SqliteConnection,
    new: &NewPersonSession,
    entry: &NewEntry,
) -> Result<(), StoreError> {
    let over = "DELETE FROM person_session WHERE expires_at <= ?";
    sqlx::query(over).bind(new.created_at.as_nanos()).execute(&mut *db).await?;
    sqlx::query(
        "INSERT INTO person_session (digest, person, created_at, seen_at, expires_at) VALUES (?1, ?2, ?3, ?3, ?4)",
    )
    .bind(&new.digest.0[..])
    .bind(to_json(&new.person)?)
    .bind(new.created_at.as_nanos())
    .bind(new.expires_at.as_nanos())
    .execute(&mut *db)
    .await?;
    audit::add(db, entry, &[]).await
}

/// The SQL behind [`crate::store::Access::find_person_session`].
pub(super) async fn find_person_session(
    pool: &SqlitePool,
    digest: SecretDigest,
) -> Result<Option<PersonSession>, StoreError> {
    let found = sqlx::query("SELECT person, seen_at, expires_at FROM person_session WHERE digest = ?")
        .bind(&digest.0[..])
        .fetch_optional(pool)
        .await?;
    let session = |row: &SqliteRow| {
        Ok(PersonSession {
            person: serde_json::from_str(row.try_get("person")?).map_err(|_| unreadable("person"))?,
            seen_at: time(row, "seen_at")?,
            expires_at: time(row, "expires_at")?,
        })
    };
    found.as_ref().map(session).transpose()
}
