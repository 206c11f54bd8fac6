//! Deliveries that are held: which of them are to be reviewed, and what becomes of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    alert_notes,
    db::{Connection, Pool, Row, list_of, query, query_as, query_scalar},
    merge,
    queue::{self, Which},
    row::{self, AFTER_ENVELOPE, ENVELOPE},
};
use crate::{
    domain::Timestamp,
    notify::{
        DeliveryId, HoldReason,
        fleet::{Decidable, due::WaitsFor},
        queue::Change,
        release::{self, Decision, Gathered, HeldGroup, NotifiedBefore, Unfinished},
    },
    store::StoreError,
};
use futures_util::TryStreamExt;

/// Held deliveries whose time may have come, oldest first: those that are to be looked at, or wait for the fleet and were made before
/// a time.
const CANDIDATES: &str = "SELECT d.id, d.channel, d.alert_key, d.hold_why, d.hold_until, d.queued_at, n.type, n.resolution \
    FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
    WHERE d.state = 'held' AND (d.hold_until <= $1 OR d.hold_why IN ('fleet', 'outage') AND d.queued_at > $1 \
    OR d.hold_why = 'fleet' AND d.queued_at < $2) ORDER BY +d.id";

/// The SQL behind [`crate::store::Holds::held_decidable`].
pub(super) async fn due(
    pool: &Pool,
    now: Timestamp,
    fleet: Decidable,
    at_most: usize,
) -> Result<Vec<HeldGroup>, StoreError> {
    let mut found = Vec::new();
    {
        let mut seen = BTreeSet::new();
        let mut candidates = query(CANDIDATES).bind(now.as_nanos()).bind(fleet.made_before().as_nanos()).fetch(pool);
        while found.len() < at_most
            && let Some(candidate) = candidates.try_next().await?
        {
            if !is_due(&candidate, fleet, now)? {
                continue;
            }
            let delivery = DeliveryId(candidate.try_get(0)?);
            let (channel, alert): (String, Option<String>) = (candidate.try_get(1)?, candidate.try_get(2)?);
            let is_new = alert.as_ref().is_none_or(|alert| seen.insert((channel.clone(), alert.clone())));
            if is_new {
                found.push((delivery, channel, alert));
            }
        }
    }
    let mut groups = Vec::with_capacity(found.len());
    for (delivery, channel, alert) in found {
        // A release in between leaves nothing of it.
        groups.extend(group(pool, delivery, &channel, alert.as_deref()).await?);
    }
    Ok(groups)
}

/// Whether a candidate is to be looked at now.
fn is_due(candidate: &Row, fleet: Decidable, now: Timestamp) -> Result<bool, StoreError> {
    let Some(hold) = row::hold(candidate.try_get(3)?, candidate.try_get(4)?)? else { return Ok(false) };
    let made_at = Timestamp::from_nanos(candidate.try_get(5)?);
    let (kind, resolution) = (row::notification_type(candidate.try_get(6)?)?, row::resolution(candidate.try_get(7)?)?);
    Ok(fleet.is_due(hold, WaitsFor::of(kind, resolution), made_at, now))
}

/// The columns of an unfinished delivery; after the envelope's columns.
const UNFINISHED: &str = "d.id, d.queued_at, d.hold_why, d.hold_until, d.state, d.attempts \
    FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id WHERE d.finished_at IS NULL";
/// The newest delivery of an alert to a channel before another one that is finished and was not suppressed: when its firing began.
const FINISHED_BEFORE: &str = "SELECT d.id, n.began_at FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
    WHERE d.channel = $1 AND d.alert_key = $2 AND d.id < $3 AND d.finished_at IS NOT NULL AND d.state <> 'suppressed' \
    ORDER BY d.id DESC LIMIT 1";

/// The group of an alert, or of a message about none, that a held delivery is part of.
async fn group(
    pool: &Pool,
    held: DeliveryId,
    channel: &str,
    alert: Option<&str>,
) -> Result<Option<HeldGroup>, StoreError> {
    let which = if alert.is_some() { "d.channel = $1 AND d.alert_key = $2" } else { "d.channel = $1 AND d.id = $3" };
    let rows = query(format!("SELECT {ENVELOPE}, {UNFINISHED} AND {which} ORDER BY d.id"))
        .bind(channel)
        .bind(alert)
        .bind(held.0)
        .fetch_all(pool)
        .await?;
    let unfinished = rows.iter().map(unfinished).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = release::first_held(&unfinished) else { return Ok(None) };
    let before: Option<(i64, Option<i64>)> =
        query_as(FINISHED_BEFORE).bind(channel).bind(alert).bind(first.0).fetch_optional(pool).await?;
    let before = before.map(|(id, began)| NotifiedBefore { delivery: DeliveryId(id), began_at: row::time(began) });
    let Some(Gathered { steps, newest, was_notified }) = release::gather(unfinished, before) else { return Ok(None) };
    let Some(last) = steps.last() else { return Ok(None) };
    let body: String = query_scalar(
        "SELECT n.body FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id WHERE d.id = $1",
    )
    .bind(last.delivery.0)
    .fetch_one(pool)
    .await?;
    let (channel, says) = (row::channel(channel)?, row::notification(&body)?);
    Ok(Some(HeldGroup { channel, was_notified, envelope: newest, newest: says, steps }))
}

fn unfinished(found: &Row) -> Result<Unfinished, StoreError> {
    Ok(Unfinished {
        envelope: row::envelope(found, 0)?,
        delivery: DeliveryId(found.try_get(AFTER_ENVELOPE)?),
        made_at: Timestamp::from_nanos(found.try_get(AFTER_ENVELOPE + 1)?),
        hold: row::hold(found.try_get(AFTER_ENVELOPE + 2)?, found.try_get(AFTER_ENVELOPE + 3)?)?,
        state: row::state(found.try_get(AFTER_ENVELOPE + 4)?)?,
        attempts: row::count(found.try_get(AFTER_ENVELOPE + 5)?)?,
    })
}

/// The SQL behind [`crate::store::Holds::release`].
pub(super) async fn release(
    connection: &mut Connection,
    decided: &[Vec<(DeliveryId, Decision)>],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut count = 0;
    for fates in decided {
        let ids: Vec<DeliveryId> = fates.iter().map(|(id, _)| *id).collect();
        if is_unchanged(connection, &ids).await? {
            settle(connection, fates, now).await?;
            count += 1;
        }
    }
    Ok(count)
}

/// Whether the group is still what was decided on.
pub(super) async fn is_unchanged(connection: &mut Connection, ids: &[DeliveryId]) -> Result<bool, StoreError> {
    let Some(newest) = ids.iter().max() else { return Ok(false) };
    let rows = query("SELECT id, state, attempts FROM delivery WHERE id IN list($1)")
        .bind(list_of(ids))
        .fetch_all(&mut *connection)
        .await?;
    let mut known = Vec::with_capacity(rows.len());
    for found in &rows {
        let (state, attempts) = (row::state(found.try_get(1)?)?, row::count(found.try_get(2)?)?);
        known.push((DeliveryId(found.try_get(0)?), state, attempts));
    }
    let unfinished: Option<i64> = query_scalar(
        "SELECT max(d.id) FROM delivery AS b JOIN delivery AS d ON d.channel = b.channel AND d.alert_key = b.alert_key \
         AND d.finished_at IS NULL WHERE b.id = $1",
    )
    .bind(newest.0)
    .fetch_one(connection)
    .await?;
    Ok(release::is_unchanged(ids, &known, unfinished.map(DeliveryId)))
}

/// Writes what was decided on each delivery of a group.
pub(super) async fn settle(
    connection: &mut Connection,
    fates: &[(DeliveryId, Decision)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut merged: BTreeMap<DeliveryId, Vec<DeliveryId>> = BTreeMap::new();
    for (id, fate) in fates {
        if let Decision::Merged(by) = fate {
            merged.entry(*by).or_default().push(*id);
        }
    }
    for (by, members) in merged {
        merge::merge_into(connection, by, &members).await?;
    }
    for (id, fate) in fates {
        if matches!(fate, Decision::Merged(_)) {
            continue;
        }
        let change = Change::decided(*fate, now);
        queue::write(connection, Which::These(&[*id]), &change).await?;
        if change.finished_at.is_some() {
            alert_notes::note_notified(connection, *id, now).await?;
        }
    }
    Ok(())
}

/// The SQL behind [`crate::store::Holds::look_again`].
pub(super) async fn look_again(connection: &mut Connection, why: HoldReason, now: Timestamp) -> Result<(), StoreError> {
    let whys: Vec<&str> = why.looked_at_with().iter().map(|why| why.as_str()).collect();
    query(
        "UPDATE delivery SET hold_until = $1 WHERE state = 'held' AND hold_until > $1 \
         AND hold_why IN list($2)",
    )
    .bind(now.as_nanos())
    .bind(list_of(whys))
    .execute(connection)
    .await?;
    Ok(())
}
