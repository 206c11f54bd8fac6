//! What a channel sends next: chosen, merged with what can go along, and on record before anybody sends it.
//!
//! A claim is a short transaction that is over before anything is sent, and like every one that writes it takes its turn, whichever
//! process it is of. So no two claims meet at a row, and none skips rows that another transaction has locked: what is skipped may be the
//! earlier message of the alert whose later one is taken. A queue has one owner, so there is nobody who could take another row instead.

use std::collections::BTreeSet;

use super::{
    channel,
    db::{Connection, Row, query, query_as, query_scalar},
    merge, outbox, row,
};
use crate::{
    domain::{ChannelName, Timestamp},
    notify::{
        ChannelHealth, DeliveryId,
        parking::ChannelState,
        turn::{Choice, Chosen, Head, Probe, Turn},
    },
    store::{Claim, ClaimTerms, ClaimedDelivery, StoreError},
};

/// How many attempts of a delivery are kept, newest first.
const ATTEMPTS_KEPT: i64 = 50;

/// The most heads of a queue that are read first.
const HEADS_AT_FIRST: i64 = 8;
/// Most of them that are read at a time.
const HEADS_AT_ONCE_MAX: i64 = 1024;

/// The columns of a head, in the order in which [`head`] reads them.
const COLUMNS: &str = "d.id, d.alert_key, n.type = 'drill', d.attempts, d.next_attempt_at, \
    (SELECT a.started_at FROM attempt AS a WHERE a.delivery_id = d.id AND a.number = d.attempts), d.rejected_at, \
    EXISTS (SELECT 1 FROM delivery AS e WHERE e.channel = $1 AND e.finished_at IS NULL AND e.alert_key IS NOT NULL \
    AND e.alert_key = d.alert_key AND e.id < d.id AND e.merged_into IS DISTINCT FROM d.id), \
    CASE WHEN n.type = 'fleet.shift' AND EXISTS (SELECT 1 FROM delivery AS m JOIN delivery AS e ON e.channel = $1 \
    AND e.finished_at IS NULL AND e.alert_key IS NOT NULL AND e.alert_key = m.alert_key AND e.id < m.id \
    AND e.merged_into IS DISTINCT FROM d.id WHERE m.merged_into = d.id) THEN d.queued_at END";
/// What waits for a channel, oldest first, a number of rows after a delivery; `{}` says which of it.
fn waiting(which: &str) -> String {
    format!(
        "SELECT {COLUMNS} FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
         WHERE d.channel = $1 AND d.finished_at IS NULL AND d.id > $2 AND {which} ORDER BY d.id LIMIT $3"
    )
}

/// What can be sent.
const QUEUED: &str = "d.state = 'queued'";
/// The drills among it.
const DRILLS: &str = "d.state = 'queued' AND n.type = 'drill'";
/// What a parked channel keeps.
const KEPT: &str = "d.state IN ('queued', 'parked')";

fn head(found: &Row) -> Result<Head, StoreError> {
    Ok(Head {
        delivery: DeliveryId(found.try_get(0)?),
        alert: found.try_get(1)?,
        is_drill: found.try_get::<i64, _>(2)? != 0,
        attempts: row::count(found.try_get(3)?)?,
        next_attempt_at: Timestamp::from_nanos(found.try_get(4)?),
        tried_at: row::time(found.try_get(5)?),
        rejected_at: row::time(found.try_get(6)?),
        is_preceded: found.try_get(7)?,
        follows_since: row::time(found.try_get(8)?),
    })
}

/// Which channel's turn it is, on which terms, at what time.
struct Asked<'a> {
    name: &'a ChannelName,
    terms: ClaimTerms,
    now: Timestamp,
}

impl Asked<'_> {
    /// Offers what waits, and is of that sort, one after the other until one is taken. Mostly one of the oldest is, so few are read at
    /// first; never are many kept.
    async fn offer<T>(
        &self,
        connection: &mut Connection,
        which: &str,
        mut offer: impl FnMut(Head) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let (sql, mut seen, mut count) = (waiting(which), 0, HEADS_AT_FIRST);
        loop {
            let query = query(sql.clone()).bind(self.name.as_str()).bind(seen).bind(count);
            let heads = query.fetch_all(&mut *connection).await?;
            for found in &heads {
                let head = head(found)?;
                seen = head.delivery.0;
                if let Some(taken) = offer(head) {
                    return Ok(Some(taken));
                }
            }
            if i64::try_from(heads.len()) != Ok(count) {
                return Ok(None);
            }
            count = HEADS_AT_ONCE_MAX.min(2 * count);
        }
    }

    /// Chooses among what waits and is of that sort.
    async fn choose(&self, connection: &mut Connection, which: &str) -> Result<Chosen, StoreError> {
        let mut choice = Choice::new(self.terms, self.now);
        let chosen = self.offer(connection, which, |head| choice.offer(head)).await?;
        Ok(chosen.map_or_else(|| choice.end(), Chosen::Head))
    }

    /// What shows whether a channel that was parked then works again: a drill that is due, or when it was not tried for long enough a
    /// delivery that waits, which is then a probe.
    async fn probe(
        &self,
        connection: &mut Connection,
        parked_at: Timestamp,
        with_oldest: bool,
    ) -> Result<Option<(DeliveryId, bool)>, StoreError> {
        if let Chosen::Head(drill) = self.choose(connection, DRILLS).await? {
            return Ok(Some((drill.delivery, false)));
        }
        if !with_oldest {
            return Ok(None);
        }
        let mut probe = Probe::new(self.terms, parked_at, self.now);
        let chosen = self.offer(connection, KEPT, |head| probe.offer(&head)).await?;
        Ok(chosen.or_else(|| probe.end()).map(|delivery| (delivery, true)))
    }
}

/// Undoes what a claim may have done whose outcome nobody knows: its caller has sent nothing.
pub(super) async fn undo(connection: &mut Connection, name: &ChannelName) -> Result<(), StoreError> {
    let found: Vec<(i64, i64)> = query_as("SELECT id, attempts FROM delivery WHERE channel = $1 AND state = 'sending'")
        .bind(name.as_str())
        .fetch_all(&mut *connection)
        .await?;
    for (id, attempt) in found {
        outbox::undo_claim(connection, DeliveryId(id), row::count(attempt)?).await?;
    }
    Ok(())
}

/// See [`crate::store::Outbox::claim`]. While a delivery of the channel is `sending`, there is nothing else to take.
pub(super) async fn claim(
    connection: &mut Connection,
    store: &str,
    name: ChannelName,
    terms: ClaimTerms,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    let ChannelState { health, parked, .. } = channel::state(connection, name.as_str()).await?;
    let probed_at = parked.as_ref().map(|parked| parked.probed_at);
    let is_sending: bool =
        query_scalar("SELECT EXISTS (SELECT 1 FROM delivery WHERE channel = $1 AND state = 'sending')")
            .bind(name.as_str())
            .fetch_one(&mut *connection)
            .await?;
    let asked = Asked { name: &name, terms, now };
    match Turn::of(&health, probed_at, is_sending, &terms, now) {
        Turn::Busy => return Ok(Claim::Idle),
        Turn::Cooldown(until) => return Ok(Claim::Wait(until)),
        Turn::Parked => return Ok(Claim::Parked),
        Turn::Tries { with_oldest } => {
            let parked_at = parked.map_or(now, |parked| parked.since);
            return match asked.probe(connection, parked_at, with_oldest).await? {
                Some((id, is_probe)) => take(connection, id, health, is_probe, now).await,
                None => Ok(Claim::Parked),
            };
        }
        Turn::Sends => {}
    }
    if let Some(over) = terms.merge_over
        && let Some(digest) = merge::into_digest(connection, store, &name, over, terms.digest_lines, now).await?
    {
        return take(connection, digest, health, false, now).await;
    }
    let head = match asked.choose(connection, QUEUED).await? {
        Chosen::Head(head) => head,
        Chosen::Later(at) => return Ok(Claim::Wait(at)),
        Chosen::Nothing => return Ok(Claim::Idle),
    };
    let id = match head.alert {
        Some(alert) if terms.merge_over.is_some() => {
            let newest = merge::into_newest(connection, &name, &alert, head.delivery).await?;
            let reading = if terms.merges_readings {
                merge::into_reading(connection, store, &name, newest, terms.digest_lines, now).await?
            } else {
                None
            };
            reading.unwrap_or(newest)
        }
        _ => head.delivery,
    };
    take(connection, id, health, false, now).await
}

/// Puts the delivery under way: its attempt is on record.
async fn take(
    connection: &mut Connection,
    id: DeliveryId,
    health: ChannelHealth,
    is_probe: bool,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    let found = query(
        "SELECT d.id, d.attempts, d.queued_at, d.possible_duplicate, d.tenant, d.plain, n.body, \
         c.destination, c.led_before, c.moved_at FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
         LEFT JOIN channel AS c ON c.name = d.channel WHERE d.id = $1",
    )
    .bind(id.0)
    .fetch_one(&mut *connection)
    .await?;
    let mut claimed = ClaimedDelivery { is_probe, ..claimed(&found, health)? };
    claimed.notification.data.notification.covers = merge::covers(connection, id, claimed.notification.kind).await?;
    claimed.covers = merge::tenants_of(connection, id).await?;
    record_attempt(connection, &claimed, now).await?;
    Ok(Claim::Send(Box::new(claimed)))
}

fn claimed(found: &Row, health: ChannelHealth) -> Result<ClaimedDelivery, StoreError> {
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
        health,
        leads: channel::leads(found)?,
    })
}

async fn record_attempt(
    connection: &mut Connection,
    claimed: &ClaimedDelivery,
    now: Timestamp,
) -> Result<(), StoreError> {
    query("UPDATE delivery SET state = 'sending', attempts = $1 WHERE id = $2")
        .bind(i64::from(claimed.attempt))
        .bind(claimed.id.0)
        .execute(&mut *connection)
        .await?;
    query("INSERT INTO attempt (delivery_id, number, started_at) VALUES ($1, $2, $3)")
        .bind(claimed.id.0)
        .bind(i64::from(claimed.attempt))
        .bind(now.as_nanos())
        .execute(&mut *connection)
        .await?;
    if i64::from(claimed.attempt) > ATTEMPTS_KEPT {
        query("DELETE FROM attempt WHERE delivery_id = $1 AND number <= $2")
            .bind(claimed.id.0)
            .bind(i64::from(claimed.attempt) - ATTEMPTS_KEPT)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
