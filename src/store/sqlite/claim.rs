//! What a channel sends next: chosen, merged with what can go along, and on record before anybody sends it.

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{channel, merge, row};
use crate::{
    domain::{ChannelName, Timestamp},
    notify::{ChannelStanding, DeliveryId},
    store::{Claim, ClaimTerms, ClaimedDelivery, StoreError},
};

/// How many attempts of a delivery are kept, newest first.
const ATTEMPTS_KEPT: i64 = 50;

/// An unfinished delivery that no earlier unfinished one of the same alert precedes on its channel, other than what it carries.
const HEAD: &str = "d.channel = ?1 AND d.finished_at IS NULL AND d.state = 'queued' AND NOT EXISTS (\
    SELECT 1 FROM delivery AS e WHERE e.channel = ?1 AND e.finished_at IS NULL AND e.alert_key IS NOT NULL \
    AND e.alert_key = d.alert_key AND e.id < d.id AND e.carrier IS NOT d.id)";
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
            "SELECT d.id, d.alert_key FROM delivery AS d WHERE {HEAD} AND {DUE_AT} <= ?4 AND {sort} ORDER BY d.id LIMIT 1"
        )))
        .bind(self.name.as_str())
        .bind(self.terms.retries_from.as_nanos())
        .bind(self.now.plus(self.terms.longest_rest).as_nanos())
        .bind(self.now.as_nanos())
        .fetch_optional(connection)
        .await?;
        due.map(|due| Ok((DeliveryId(due.try_get(0)?), due.try_get(1)?))).transpose()
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
    let (standing, is_parked) = channel::standing(connection, &name).await?;
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
        return Ok(if is_parked { Claim::Parked } else { Claim::Wait(rest_until) });
    }
    if is_parked {
        return match turn.due(connection, IS_DRILL).await? {
            Some((id, _)) => take(connection, id, standing, now).await,
            None => Ok(Claim::Parked),
        };
    }
    if let Some(over) = terms.merge_over
        && let Some(digest) = merge::into_digest(connection, store, &name, over, now).await?
    {
        return take(connection, digest, standing, now).await;
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
    take(connection, id, standing, now).await
}

/// When the channel has something to send, as nothing is due now.
async fn next(
    connection: &mut SqliteConnection,
    name: &ChannelName,
    terms: ClaimTerms,
    latest: Timestamp,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    let next: Option<i64> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT min({DUE_AT}) FROM delivery AS d WHERE {HEAD}")))
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
    now: Timestamp,
) -> Result<Claim, StoreError> {
    let found = sqlx::query(
        "SELECT d.id, d.attempts, d.queued_at, d.possible_repeat, d.tenant, d.plain, n.body FROM delivery AS d \
         JOIN notification AS n ON n.id = d.notification_id WHERE d.id = ?",
    )
    .bind(id.0)
    .fetch_one(&mut *connection)
    .await?;
    let mut claimed = claimed(&found, standing)?;
    claimed.notification.data.notification.stands_for = merge::stands_for(connection, id).await?;
    record_attempt(connection, &claimed, now).await?;
    Ok(Claim::Send(Box::new(claimed)))
}

fn claimed(found: &SqliteRow, standing: ChannelStanding) -> Result<ClaimedDelivery, StoreError> {
    let possible_repeat = found.try_get::<i64, _>(3)? != 0;
    let mut notification = row::notification(found.try_get(6)?)?;
    notification.data.notification.possible_repeat = possible_repeat;
    Ok(ClaimedDelivery {
        id: DeliveryId(found.try_get(0)?),
        attempt: row::count(found.try_get(1)?)? + 1,
        queued_at: Timestamp::from_nanos(found.try_get(2)?),
        possible_repeat,
        plain: found.try_get::<i64, _>(5)? != 0,
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
