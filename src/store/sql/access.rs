//! Tokens, accounts and sessions.

use super::{
    audit,
    db::{Connection, Pool, Row, query},
    text::to_json,
};
use crate::{
    domain::{Limits, Role, Timestamp},
    store::{
        AccountRecord, NewAccount, NewEntry, NewPersonSession, NewSession, NewToken, OpenSession, PasswordHash,
        PersonSession, SecretDigest, SessionHolder, SessionRecord, StoreError, TokenRecord,
    },
};

fn unreadable(what: &str) -> StoreError {
    StoreError::Undecodable(format!("{what} of a token or account"))
}

fn role(row: &Row) -> Result<Role, StoreError> {
    Role::parse(row.try_get("role")?).ok_or_else(|| unreadable("role"))
}

fn limits(row: &Row) -> Result<Limits, StoreError> {
    serde_json::from_str(row.try_get("limits")?).map_err(|_| unreadable("limits"))
}

fn time(row: &Row, column: &str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_nanos(row.try_get(column)?))
}

fn optional(row: &Row, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_nanos))
}

/// The columns that [`token`] reads, in its order.
const TOKEN: &str = "id, name, role, limits, created_at, created_by, expires_at, last_used_at, revoked_at";
/// What [`account`] reads, of `account AS a`.
const ACCOUNT: &str =
    "a.id, a.name, a.role, a.limits, a.created_at, a.created_by, a.password_set_at, a.last_signed_in_at, a.disabled_at";

fn token(row: &Row) -> Result<TokenRecord, StoreError> {
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

fn account(row: &Row) -> Result<AccountRecord, StoreError> {
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
pub(super) async fn tokens(pool: &Pool) -> Result<Vec<TokenRecord>, StoreError> {
    let rows = query(format!("SELECT {TOKEN} FROM token ORDER BY id DESC")).fetch_all(pool).await?;
    rows.iter().map(token).collect()
}

/// The SQL behind [`crate::store::Access::find_token`].
pub(super) async fn find_token(pool: &Pool, digest: SecretDigest) -> Result<Option<TokenRecord>, StoreError> {
    let sql = format!("SELECT {TOKEN} FROM token WHERE digest = $1");
    let found = query(sql).bind(&digest.0[..]).fetch_optional(pool).await?;
    found.as_ref().map(token).transpose()
}

/// The SQL behind [`crate::store::Access::add_token`].
pub(super) async fn add_token(db: &mut Connection, new: &NewToken, entry: &NewEntry) -> Result<bool, StoreError> {
    let added = query(
        "INSERT INTO token (name, digest, role, limits, created_at, created_by, expires_at) \
         SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT 1 FROM token WHERE name = $1 AND revoked_at IS NULL)",
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
    audit::note(db, added.rows_affected() > 0, entry).await
}

/// The SQL behind [`crate::store::Access::token_used`].
pub(super) async fn token_used(db: &mut Connection, id: i64, now: Timestamp) -> Result<(), StoreError> {
    let used = "UPDATE token SET last_used_at = greatest($2, coalesce(last_used_at, $2)) WHERE id = $1";
    query(used).bind(id).bind(now.as_nanos()).execute(db).await?;
    Ok(())
}

/// The SQL behind [`crate::store::Access::revoke_token`].
pub(super) async fn revoke_token(db: &mut Connection, name: &str, entry: &NewEntry) -> Result<bool, StoreError> {
    let revoked = query("UPDATE token SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL")
        .bind(name)
        .bind(entry.at.as_nanos())
        .execute(&mut *db)
        .await?;
    audit::note(db, revoked.rows_affected() > 0, entry).await
}

/// The SQL behind [`crate::store::Access::accounts`].
pub(super) async fn accounts(pool: &Pool) -> Result<Vec<AccountRecord>, StoreError> {
    let rows = query(format!("SELECT {ACCOUNT} FROM account AS a ORDER BY a.name")).fetch_all(pool).await?;
    rows.iter().map(account).collect()
}

/// The SQL behind [`crate::store::Access::find_account`].
pub(super) async fn find_account(pool: &Pool, name: &str) -> Result<Option<(AccountRecord, PasswordHash)>, StoreError> {
    let sql = format!("SELECT {ACCOUNT}, a.password FROM account AS a WHERE a.name = $1");
    let found = query(sql).bind(name).fetch_optional(pool).await?;
    found.as_ref().map(|row| Ok((account(row)?, PasswordHash(row.try_get("password")?)))).transpose()
}

/// The SQL behind [`crate::store::Access::add_account`].
pub(super) async fn add_account(db: &mut Connection, new: &NewAccount, entry: &NewEntry) -> Result<bool, StoreError> {
    let added = query(
        "INSERT INTO account (name, password, role, limits, created_at, created_by, password_set_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $5) ON CONFLICT (name) DO NOTHING",
    )
    .bind(&new.name)
    .bind(&new.password.0)
    .bind(new.role.as_str())
    .bind(to_json(&new.limits)?)
    .bind(new.created_at.as_nanos())
    .bind(&new.created_by)
    .execute(&mut *db)
    .await?;
    audit::note(db, added.rows_affected() > 0, entry).await
}

async fn sign_out(db: &mut Connection, name: &str) -> Result<u64, StoreError> {
    let ended = "DELETE FROM session WHERE account_id IN (SELECT id FROM account WHERE name = $1)";
    Ok(query(ended).bind(name).execute(db).await?.rows_affected())
}

/// The SQL behind [`crate::store::Access::set_password`].
pub(super) async fn set_password(
    db: &mut Connection,
    name: &str,
    password: &PasswordHash,
    entry: &NewEntry,
) -> Result<bool, StoreError> {
    let set = query("UPDATE account SET password = $2, password_set_at = $3 WHERE name = $1")
        .bind(name)
        .bind(&password.0)
        .bind(entry.at.as_nanos())
        .execute(&mut *db)
        .await?;
    sign_out(db, name).await?;
    audit::note(db, set.rows_affected() > 0, entry).await
}

/// The SQL behind [`crate::store::Access::disable_account`].
pub(super) async fn disable_account(
    db: &mut Connection,
    name: &str,
    disabled: bool,
    entry: &NewEntry,
) -> Result<bool, StoreError> {
    let changed =
        query("UPDATE account SET disabled_at = $2 WHERE name = $1 AND (disabled_at IS NULL) = ($2 IS NOT NULL)")
            .bind(name)
            .bind(disabled.then_some(entry.at.as_nanos()))
            .execute(&mut *db)
            .await?;
    sign_out(db, name).await?;
    audit::note(db, changed.rows_affected() > 0, entry).await
}

/// The SQL behind [`crate::store::Access::add_session`].
pub(super) async fn add_session(db: &mut Connection, new: &NewSession, entry: &NewEntry) -> Result<(), StoreError> {
    query("DELETE FROM session WHERE expires_at <= $1").bind(new.created_at.as_nanos()).execute(&mut *db).await?;
    query("INSERT INTO session (digest, account_id, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $3, $4)")
        .bind(&new.digest.0[..])
        .bind(new.account)
        .bind(new.created_at.as_nanos())
        .bind(new.expires_at.as_nanos())
        .execute(&mut *db)
        .await?;
    query("UPDATE account SET last_signed_in_at = $2 WHERE id = $1")
        .bind(new.account)
        .bind(new.created_at.as_nanos())
        .execute(&mut *db)
        .await?;
    audit::add(db, entry, &[]).await
}

/// The SQL behind [`crate::store::Access::find_session`].
pub(super) async fn find_session(pool: &Pool, digest: SecretDigest) -> Result<Option<SessionRecord>, StoreError> {
    let found = query(format!(
        "SELECT {ACCOUNT}, s.seen_at, s.expires_at FROM session AS s JOIN account AS a ON a.id = s.account_id \
         WHERE s.digest = $1"
    ))
    .bind(&digest.0[..])
    .fetch_optional(pool)
    .await?;
    let session = |row: &Row| {
        Ok(SessionRecord {
            account: account(row)?,
            seen_at: time(row, "seen_at")?,
            expires_at: time(row, "expires_at")?,
        })
    };
    found.as_ref().map(session).transpose()
}

/// The SQL behind [`crate::store::Access::session_used`].
pub(super) async fn session_used(db: &mut Connection, digest: SecretDigest, now: Timestamp) -> Result<(), StoreError> {
    for used in [
        "UPDATE session SET seen_at = greatest(seen_at, $2) WHERE digest = $1",
        "UPDATE person_session SET seen_at = greatest(seen_at, $2) WHERE digest = $1",
    ] {
        query(used).bind(&digest.0[..]).bind(now.as_nanos()).execute(&mut *db).await?;
    }
    Ok(())
}

/// The SQL behind [`crate::store::Access::end_session`].
pub(super) async fn end_session(
    db: &mut Connection,
    digest: SecretDigest,
    entry: &NewEntry,
) -> Result<bool, StoreError> {
    let mut rows = 0;
    for ended in ["DELETE FROM session WHERE digest = $1", "DELETE FROM person_session WHERE digest = $1"] {
        rows += query(ended).bind(&digest.0[..]).execute(&mut *db).await?.rows_affected();
    }
    audit::note(db, rows > 0, entry).await
}

/// The SQL behind [`crate::store::Access::add_person_session`].
pub(super) async fn add_person_session(
    db: &mut Connection,
    new: &NewPersonSession,
    entry: &NewEntry,
) -> Result<(), StoreError> {
    let over = "DELETE FROM person_session WHERE expires_at <= $1";
    query(over).bind(new.created_at.as_nanos()).execute(&mut *db).await?;
    query("INSERT INTO person_session (digest, person, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $3, $4)")
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
    pool: &Pool,
    digest: SecretDigest,
) -> Result<Option<PersonSession>, StoreError> {
    let found = query("SELECT person, seen_at, expires_at FROM person_session WHERE digest = $1")
        .bind(&digest.0[..])
        .fetch_optional(pool)
        .await?;
    let session = |row: &Row| {
        Ok(PersonSession {
            person: serde_json::from_str(row.try_get("person")?).map_err(|_| unreadable("person"))?,
            seen_at: time(row, "seen_at")?,
            expires_at: time(row, "expires_at")?,
        })
    };
    found.as_ref().map(session).transpose()
}

/// The SQL behind [`crate::store::Access::sessions`].
pub(super) async fn sessions(pool: &Pool) -> Result<Vec<OpenSession>, StoreError> {
    let rows = query(
        "SELECT s.digest, a.name AS account, NULL AS person, s.created_at, s.seen_at, s.expires_at \
         FROM session AS s JOIN account AS a ON a.id = s.account_id \
         UNION ALL SELECT digest, NULL, person, created_at, seen_at, expires_at FROM person_session \
         ORDER BY 4 DESC, 1",
    )
    .fetch_all(pool)
    .await?;
    rows.iter().map(open_session).collect()
}

fn open_session(row: &Row) -> Result<OpenSession, StoreError> {
    let digest: Vec<u8> = row.try_get("digest")?;
    let (account, person): (Option<String>, Option<String>) = (row.try_get("account")?, row.try_get("person")?);
    let holder = match (account, person) {
        (Some(account), _) => SessionHolder::Account(account),
        (None, Some(person)) => SessionHolder::Person(serde_json::from_str(&person).map_err(|_| unreadable("person"))?),
        (None, None) => return Err(unreadable("session")),
    };
    Ok(OpenSession {
        digest: SecretDigest(digest.try_into().map_err(|_| unreadable("digest"))?),
        holder,
        created_at: time(row, "created_at")?,
        seen_at: time(row, "seen_at")?,
        expires_at: time(row, "expires_at")?,
    })
}
