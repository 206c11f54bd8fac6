//! Silences, and acknowledgements of single alerts.

use std::collections::BTreeSet;

use super::{
    alert_notes, audit,
    db::{Connection, Pool, Row, list_of, query, query_scalar},
    escalation, hold, outbox, row,
    text::to_json,
};
use crate::{
    domain::{TenantId, Timestamp},
    notify::{
        HoldReason, Silence, SilenceId,
        alert_notes::AlertNotes,
        silence::{Acknowledgement, NewSilence},
    },
    rule::AlertKey,
    store::{Acknowledged, NewEntry, SeenAlert, SilenceNotice, StoreError},
};

fn silence(found: &Row) -> Result<Silence, StoreError> {
    Ok(Silence {
        id: SilenceId(found.try_get("id")?),
        matchers: row::matchers(found.try_get("matchers")?)?,
        starts_at: Timestamp::from_nanos(found.try_get("starts_at")?),
        ends_at: Timestamp::from_nanos(found.try_get("ends_at")?),
        author: found.try_get("author")?,
        comment: found.try_get("comment")?,
    })
}

/// The SQL behind [`crate::store::Silences::silences`].
pub(super) async fn list(pool: &Pool, after: Option<Timestamp>) -> Result<Vec<Silence>, StoreError> {
    let rows = query(
        "SELECT id, starts_at, ends_at, author, comment, matchers FROM silence WHERE ends_at > $1 ORDER BY id DESC",
    )
    .bind(after.map_or(i64::MIN, Timestamp::as_nanos))
    .fetch_all(pool)
    .await?;
    rows.iter().map(silence).collect()
}

/// The SQL behind [`crate::store::Silences::add_silence`].
pub(super) async fn add(
    connection: &mut Connection,
    new: &NewSilence,
    notice: Option<&SilenceNotice>,
    entry: NewEntry,
) -> Result<SilenceId, StoreError> {
    let id = query_scalar(
        "INSERT INTO silence (starts_at, ends_at, author, comment, matchers) VALUES ($1, $2, $3, $4, $5) RETURNING id",
    )
    .bind(new.starts_at.as_nanos())
    .bind(new.ends_at.as_nanos())
    .bind(&new.author)
    .bind(&new.comment)
    .bind(to_json(&new.matchers)?)
    .fetch_one(&mut *connection)
    .await?;
    let silence = new.clone().numbered(SilenceId(id));
    if let Some(notice) = notice {
        outbox::announce(connection, &outbox::Prepared::new(&notice(silence.id), entry.at)?).await?;
    }
    audit::add(connection, &entry.of(format!("silence {}", silence.id)).after(&silence), &[]).await?;
    Ok(silence.id)
}

/// The same when nobody knows whether this very silence was added: then it may be there.
pub(in crate::store) async fn add_unless_there(
    connection: &mut Connection,
    new: &NewSilence,
    notice: Option<&SilenceNotice>,
    entry: NewEntry,
) -> Result<SilenceId, StoreError> {
    let there: Option<i64> = query_scalar(
        "SELECT id FROM silence WHERE starts_at = $1 AND ends_at = $2 AND author = $3 AND comment = $4 AND matchers = $5 \
         ORDER BY id DESC LIMIT 1",
    )
    .bind(new.starts_at.as_nanos())
    .bind(new.ends_at.as_nanos())
    .bind(&new.author)
    .bind(&new.comment)
    .bind(to_json(&new.matchers)?)
    .fetch_optional(&mut *connection)
    .await?;
    match there {
        Some(id) => Ok(SilenceId(id)),
        None => add(connection, new, notice, entry).await,
    }
}

/// The SQL behind [`crate::store::Silences::end_silence`].
pub(super) async fn end(connection: &mut Connection, id: SilenceId, now: Timestamp) -> Result<bool, StoreError> {
    let ended = query("UPDATE silence SET ends_at = $2 WHERE id = $1 AND ends_at > $2")
        .bind(id.0)
        .bind(now.as_nanos())
        .execute(&mut *connection)
        .await?;
    if ended.rows_affected() == 0 {
        return Ok(false);
    }
    hold::look_again(connection, HoldReason::Silence, now).await?;
    Ok(true)
}

/// The SQL behind [`crate::store::Silences::acknowledge`].
pub(super) async fn acknowledge(
    connection: &mut Connection,
    alert: &AlertKey,
    new: &Acknowledgement,
    entry: &NewEntry,
) -> Result<Acknowledged, StoreError> {
    let key = to_json(alert)?;
    let noted = alert_notes::change(connection, &key, |notes| (notes.acknowledged.is_none(), notes.acknowledge(new)));
    let Some((is_new, true)) = noted.await? else { return Ok(Acknowledged::NotFiring) };
    if !is_new {
        return Ok(Acknowledged::Before);
    }
    escalation::take_back(connection, &key, new.at).await?;
    // A check under way took it for not acknowledged, and judges again before it escalates.
    query("UPDATE tenant SET version = version + 1 WHERE id = (SELECT tenant_id FROM alert WHERE key = $1)")
        .bind(&key)
        .execute(&mut *connection)
        .await?;
    audit::add(connection, entry, &[]).await?;
    Ok(Acknowledged::Now)
}

/// The SQL behind [`crate::store::Silences::acknowledge_all`], for one of them.
pub(super) async fn acknowledge_as_seen(
    connection: &mut Connection,
    seen: &SeenAlert,
    new: &Acknowledgement,
    entry: &NewEntry,
) -> Result<Acknowledged, StoreError> {
    let found = query("SELECT body FROM alert WHERE key = $1 AND state = 'firing'")
        .bind(to_json(&seen.alert)?)
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(found) = found {
        let alert = row::alert(found.try_get("body")?)?;
        if (alert.generation, alert.sequence) != (seen.generation, seen.sequence) {
            return Ok(Acknowledged::Changed);
        }
    }
    acknowledge(connection, &seen.alert, new, entry).await
}

/// The SQL behind [`crate::store::Silences::unacknowledge`]. Gives what is taken back.
pub(super) async fn unacknowledge(
    connection: &mut Connection,
    alert: &AlertKey,
    now: Timestamp,
) -> Result<Option<Acknowledgement>, StoreError> {
    let key = to_json(alert)?;
    let take_back = |notes: &mut AlertNotes| {
        let before = notes.acknowledged.clone();
        before.filter(|_| notes.unacknowledge())
    };
    let Some(before) = alert_notes::change(connection, &key, take_back).await?.flatten() else { return Ok(None) };
    // A check under way took it for acknowledged, and judges again.
    query(
        "UPDATE tenant SET version = version + 1, recheck_requested_at = $2 WHERE id = (SELECT tenant_id FROM alert WHERE key = $1)",
    )
    .bind(&key)
    .bind(now.as_nanos())
    .execute(connection)
    .await?;
    Ok(Some(before))
}

/// The SQL behind [`crate::store::Checks::request_checks`].
pub(super) async fn request_checks(
    connection: &mut Connection,
    tenants: &BTreeSet<TenantId>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let due = query(
        "UPDATE tenant SET version = version + 1, recheck_requested_at = $2, next_due_at = least(next_due_at, $2) \
         WHERE tenant IN list($1)",
    )
    .bind(list_of(tenants))
    .bind(now.as_nanos())
    .execute(connection)
    .await?;
    Ok(due.rows_affected())
}

/// The SQL behind [`crate::store::Checks::rechecks_requested`].
pub(super) async fn rechecks_requested(pool: &Pool) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
    let rows = query("SELECT tenant, recheck_requested_at FROM tenant WHERE recheck_requested_at IS NOT NULL")
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| Ok((row::tenant(row.try_get(0)?)?, Timestamp::from_nanos(row.try_get(1)?)))).collect()
}
