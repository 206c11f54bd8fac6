//! What a channel sends next: chosen, merged with what can go along, and on record before anybody sends it.

use std::collections::BTreeSet;

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{channel, merge, row};
use crate::{
    domain::{ChannelName, Timestamp},
    notify::{ChannelStanding, DeliveryId},
    store::{Claim, ClaimTerms, ClaimedDelivery, StoreError},
};

/// How many attempts of a delivery are kept, newest first.
const ATTEMPTS_KEPT: i64 = 50;

/// No earlier unfinished delivery of the same alert precedes it on its channel, other than what is merged into it.
const IS_FIRST: &str = "NOT EXISTS (\
    SELECT 1 FROM delivery AS e WHERE e.channel = ?1 AND e.finished_at IS NULL AND e.alert_key IS NOT NULL \
    AND e.alert_key = d.alert_key AND e.id < d.id AND e.carrier IS NOT d.id)";
/// It waits to be sent.
const HEAD: &str = "d.channel = ?1 AND d.finished_at IS NULL AND d.state = 'queued'";
/// When its next attempt may be made. What was not tried yet waits for nothing, but for a drill, which is planned ahead; a retry has
/// a time of its own. What a clock that was ahead has set is due: it lies further ahead than any wait, or the attempt before it is
/// still to come.
const DUE_AT: &str = "CASE WHEN d.next_attempt_at > max(?2, ?3) THEN 0 \
    WHEN d.attempts = 0 THEN iif(EXISTS (SELECT 1 FROM notification AS n WHERE n.id = d.notification_id AND n.type = 'drill'), \
    d.next_attempt_at, 0) \
    WHEN ?4 < (SELECT a.started_at FROM attempt AS a WHERE a.delivery_id = d.id AND a.number = d.attempts) THEN 0 \
    ELSE max(d.next_attempt_at, ?2) END";

/// What a parked channel may send all the same, since it shows whether the receiver was mended.
const IS_DRILL: &str = "EXISTS (SELECT 1 FROM notification AS n WHERE n.id = d.notification_id AND n.type = 'drill')";
/// What goes before a drill: nobody waits for something because we try something out.
const IS_NO_DRILL: &str =
    "EXISTS (SELECT 1 FROM notification AS n WHERE n.id = d.notification_id AND n.type <> 'drill')";

/// Whose turn it is, on which terms, at what time.
struct Turn<'a> {
    name: &'a ChannelName,
    terms: ClaimTerms,
    now: Timestamp,
}

impl Turn<'_> {
    /// The oldest delivery of that sort that is due, with its alert.
    async fn due(
        &self,
        connection: &mut SqliteConnection,
        sort: &str,
    ) -> Result<Option<(DeliveryId, Option<String>)>, StoreError> {
        let due = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT d.id, d.alert_key FROM delivery AS d WHERE {HEAD} AND {IS_FIRST} AND {DUE_AT} <= ?4 AND {sort} ORDER BY d.id LIMIT 1"
        )))
        .bind(self.name.as_str())
        .bind(self.terms.retries_from.as_nanos())
        .bind(self.now.plus(self.terms.longest_rest).as_nanos())
        .bind(self.now.as_nanos())
        .fetch_optional(connection)
        .await?;
        due.map(|due| Ok((DeliveryId(due.try_get(0)?), due.try_get(1)?))).transpose()
    }

    /// What shows whether a parked channel works again: a drill that is due, or when it was not tried for long enough the oldest
    /// delivery, which is then a probe. One that is rejected as a probe makes way for the next: that may be what the receiver accepts.
    async fn probe(
        &self,
        connection: &mut SqliteConnection,
        probed_at: Timestamp,
    ) -> Result<Option<(DeliveryId, bool)>, StoreError> {
        if let Some((drill, _)) = self.due(connection, IS_DRILL).await? {
            return Ok(Some((drill, false)));
        }
        let is_due = probed_at > self.now || self.now >= probed_at.plus(self.terms.probe_after);
        if !is_due {
            return Ok(None);
        }
        let oldest: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT d.id FROM delivery AS d WHERE d.channel = ?1 AND d.finished_at IS NULL \
             AND d.state IN ('queued', 'parked') AND {IS_FIRST} AND {IS_NO_DRILL} \
             ORDER BY iif(d.rejected_at > (SELECT parked_at FROM channel WHERE name = ?1), d.rejected_at, 0), d.id LIMIT 1"
        )))
        .bind(self.name.as_str())
        .fetch_optional(connection)
        .await?;
        Ok(oldest.map(|oldest| (DeliveryId(oldest), true)))
    }
}

/// See [`crate::store::Store::claim`]. While a delivery of the channel is `sending`, there is nothing else to take.
pub(super) async fn claim(
    connection: &mut SqliteConnection,
    store: &str,
    name: ChannelName,
    terms: ClaimTerms,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    let (standing, probed_at) = channel::standing(connection, &name).await?;
    let sending: i64 =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM delivery WHERE channel = ?1 AND state = 'sending')")
            .bind(name.as_str())
            .fetch_one(&mut *connection)
            .await?;
    if sending != 0 {
        return Ok(Claim::Idle);
    }
    let (latest, turn) = (now.plus(terms.longest_rest), Turn { name: &name, terms, now });
    if let Some(rest_until) = standing.rest(terms.longest_rest, now) {
        return Ok(if probed_at.is_some() { Claim::Parked } else { Claim::Wait(rest_until) });
    }
    if let Some(probed_at) = probed_at {
        return match turn.probe(connection, probed_at).await? {
            Some((id, is_probe)) => take(connection, id, standing, is_probe, now).await,
            None => Ok(Claim::Parked),
        };
    }
    if let Some(over) = terms.merge_over
        && let Some(digest) = merge::into_digest(connection, store, &name, (over, terms.digest_lines), now).await?
    {
        return take(connection, digest, standing, false, now).await;
    }
    let due = match turn.due(connection, IS_NO_DRILL).await? {
        Some(due) => Some(due),
        None => turn.due(connection, IS_DRILL).await?,
    };
    let Some((mut id, alert)) = due else { return next(connection, &name, terms, latest, now).await };
    if terms.merge_over.is_some()
        && let Some(alert) = alert
    {
        id = merge::into_newest(connection, &name, &alert, id).await?;
    }
    take(connection, id, standing, false, now).await
}

/// When the channel has something to send, as nothing is due now.
async fn next(
    connection: &mut SqliteConnection,
    name: &ChannelName,
    terms: ClaimTerms,
    latest: Timestamp,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    let next: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT min({DUE_AT}) FROM delivery AS d WHERE {HEAD} AND {IS_FIRST}"
    )))
    .bind(name.as_str())
    .bind(terms.retries_from.as_nanos())
    .bind(latest.as_nanos())
    .bind(now.as_nanos())
    .fetch_one(connection)
    .await?;
    Ok(next.map_or(Claim::Idle, |next| Claim::Wait(Timestamp::from_nanos(next))))
}

/// Puts the delivery under way: its attempt is on record.
async fn take(
    connection: &mut SqliteConnection,
    id: DeliveryId,
    standing: ChannelStanding,
    is_probe: bool,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    let found = sqlx::query(
        "SELECT d.id, d.attempts, d.queued_at, d.possible_duplicate, d.tenant, d.plain, n.body FROM delivery AS d \
         JOIN notification AS n ON n.id = d.notification_id WHERE d.id = ?",
    )
    .bind(id.0)
    .fetch_one(&mut *connection)
    .await?;
    let mut claimed = ClaimedDelivery { is_probe, ..claimed(&found, standing)? };
    claimed.notification.data.notification.covers = merge::covers(connection, id).await?;
    claimed.covers = merge::tenants_of(connection, id).await?;
    record_attempt(connection, &claimed, now).await?;
    Ok(Claim::Send(Box::new(claimed)))
}

fn claimed(found: &SqliteRow, standing: ChannelStanding) -> Result<ClaimedDelivery, StoreError> {
    let possible_duplicate = found.try_get::<i64, _>(3)? != 0;
    let mut notification = row::notification(found.try_get(6)?)?;
    notification.data.notification.possible_duplicate = possible_duplicate;
    Ok(ClaimedDelivery {
        id: DeliveryId(found.try_get(0)?),
        attempt: row::count(found.try_get(1)?)? + 1,
        queued_at: Timestamp::from_nanos(found.try_get(2)?),
        possible_duplicate,
        plain: found.try_get::<i64, _>(5)? != 0,
        is_probe: false,
        covers: BTreeSet::new(),
        tenant: row::optional_tenant(found.try_get(4)?)?,
        notification,
        standing,
    })
}

async fn record_attempt(
    connection: &mut SqliteConnection,
    claimed: &ClaimedDelivery,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE delivery SET state = 'sending', attempts = ? WHERE id = ?")
        .bind(i64::from(claimed.attempt))
        .bind(claimed.id.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO attempt (delivery_id, number, started_at) VALUES (?, ?, ?)")
        .bind(claimed.id.0)
        .bind(i64::from(claimed.attempt))
        .bind(now.as_nanos())
        .execute(&mut *connection)
        .await?;
    if i64::from(claimed.attempt) > ATTEMPTS_KEPT {
        sqlx::query("DELETE FROM attempt WHERE delivery_id = ? AND number <= ?")
            .bind(claimed.id.0)
            .bind(i64::from(claimed.attempt) - ATTEMPTS_KEPT)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
