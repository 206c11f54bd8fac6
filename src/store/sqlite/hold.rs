//! Deliveries that are held: which of them are to be reviewed, and what becomes of them.

use std::collections::BTreeMap;

use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{
    check::to_json,
    merge, outbox,
    row::{self, AFTER_ENVELOPE, ENVELOPE},
};
use crate::{
    domain::Timestamp,
    notify::{
        DeliveryId, Envelope, Hold, HoldReason,
        fleet::Decidable,
        release::{Decision, HeldDelivery, HeldGroup},
    },
    store::StoreError,
};

/// Whether a delivery that waits for the fleet can be decided on before its time; what a person accepted waits for its time.
const IS_DECIDABLE: &str = "d.hold_why = 'fleet' AND EXISTS (SELECT 1 FROM notification AS n WHERE n.id = d.notification_id \
    AND CASE WHEN n.type = 'alert.reminder' THEN d.queued_at < ?4 \
    WHEN n.resolution = 'accepted' THEN 0 ELSE d.queued_at < ?3 END)";

/// The SQL behind [`crate::store::Holds::held_decidable`].
pub(super) async fn due(
    pool: &SqlitePool,
    now: Timestamp,
    fleet: Decidable,
    at_most: usize,
) -> Result<Vec<HeldGroup>, StoreError> {
    // A run begins with the first that is held, though a later one may be due before it.
    let found = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT min(d.id), coalesce(min((SELECT min(e.id) FROM delivery AS e WHERE e.channel = d.channel \
         AND e.alert_key = d.alert_key AND e.finished_at IS NULL AND e.state = 'held')), min(d.id)), d.channel, d.alert_key \
         FROM delivery AS d WHERE d.state = 'held' AND (d.hold_until <= ?1 OR {IS_DECIDABLE}) \
         GROUP BY d.channel, coalesce(d.alert_key, d.id) ORDER BY 1 LIMIT ?2"
    )))
    .bind(now.as_nanos())
    .bind(i64::try_from(at_most).unwrap_or(i64::MAX))
    .bind(fleet.next_tick_at.as_nanos())
    .bind(fleet.next_wake_at.as_nanos())
    .fetch_all(pool)
    .await?;
    let mut runs = Vec::with_capacity(found.len());
    for begin in &found {
        let channel = begin.try_get(2)?;
        // A release in between leaves nothing of it.
        runs.extend(run(pool, begin.try_get(1)?, channel, begin.try_get(3)?).await?);
    }
    Ok(runs)
}

/// What waits of an alert for a channel from that delivery on; after the envelope's columns.
const WAITING: &str = "d.id, d.queued_at, d.hold_why, d.hold_until \
    FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
    WHERE d.finished_at IS NULL AND d.state IN ('held', 'queued') AND d.attempts = 0";
/// When the firing began that the channel was last notified of, or is being notified of, before that delivery of the alert. Deliveries of
/// one firing follow each other, so no older one needs to be asked.
const NOTIFIED_BEFORE: &str = "SELECT began FROM (SELECT * FROM (\
    SELECT d.id, n.began_at AS began FROM delivery AS d \
    JOIN notification AS n ON n.id = d.notification_id WHERE d.channel = ?1 AND d.alert_key = ?2 AND d.id < ?3 \
    AND d.finished_at IS NOT NULL AND d.state <> 'suppressed' ORDER BY d.id DESC LIMIT 1) UNION ALL SELECT * FROM (\
    SELECT d.id, n.began_at FROM delivery AS d \
    JOIN notification AS n ON n.id = d.notification_id WHERE d.channel = ?1 AND d.alert_key = ?2 AND d.id < ?3 \
    AND d.finished_at IS NULL ORDER BY d.id DESC LIMIT 1)) ORDER BY id DESC LIMIT 1";

/// The run of an alert, or of a message about none, that begins with that delivery.
async fn run(
    pool: &SqlitePool,
    first: i64,
    channel: &str,
    alert: Option<&str>,
) -> Result<Option<HeldGroup>, StoreError> {
    let which = match alert {
        Some(_) => "d.channel = ?1 AND d.alert_key = ?2 AND d.id >= ?3",
        None => "d.channel = ?1 AND d.alert_key IS ?2 AND d.id = ?3",
    };
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {ENVELOPE}, {WAITING} AND {which} ORDER BY d.id")))
        .bind(channel)
        .bind(alert)
        .bind(first)
        .fetch_all(pool)
        .await?;
    let waiting = rows.iter().map(waiting).collect::<Result<Vec<_>, _>>()?;
    let (mut steps, mut newest) = (Vec::with_capacity(waiting.len()), None);
    for (step, envelope) in waiting {
        steps.push(step);
        newest = Some(envelope);
    }
    let (Some(begin), Some(end), Some(envelope)) = (steps.first(), steps.last(), newest) else { return Ok(None) };
    let says: String = sqlx::query_scalar(
        "SELECT n.body FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id WHERE d.id = ?",
    )
    .bind(end.delivery.0)
    .fetch_one(pool)
    .await?;
    let before: Option<Option<i64>> =
        sqlx::query_scalar(NOTIFIED_BEFORE).bind(channel).bind(alert).bind(first).fetch_optional(pool).await?;
    let was_notified = before.flatten().is_some_and(|before| begin.began == Some(Timestamp::from_nanos(before)));
    Ok(Some(HeldGroup {
        channel: row::channel(channel)?,
        was_notified,
        envelope,
        newest: row::notification(&says)?,
        steps,
    }))
}

fn waiting(found: &SqliteRow) -> Result<(HeldDelivery, Envelope), StoreError> {
    let envelope = row::envelope(found, 0)?;
    let delivery = DeliveryId(found.try_get(AFTER_ENVELOPE)?);
    let made_at = Timestamp::from_nanos(found.try_get(AFTER_ENVELOPE + 1)?);
    let hold = row::hold(found.try_get(AFTER_ENVELOPE + 2)?, found.try_get(AFTER_ENVELOPE + 3)?)?;
    Ok((HeldDelivery::of(delivery, &envelope, made_at, hold), envelope))
}

/// The SQL behind [`crate::store::Holds::release`].
pub(super) async fn release(
    connection: &mut SqliteConnection,
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

/// Whether the run is still what was decided on: nobody has sent anything of it, and nothing was added.
pub(super) async fn is_unchanged(connection: &mut SqliteConnection, ids: &[DeliveryId]) -> Result<bool, StoreError> {
    let Some(newest) = ids.iter().max() else { return Ok(false) };
    let untouched: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM delivery WHERE id IN (SELECT value FROM json_each(?1)) AND state IN ('held', 'queued') \
         AND attempts = 0 AND NOT EXISTS (SELECT 1 FROM delivery AS b JOIN delivery AS d ON d.channel = b.channel \
         AND d.alert_key = b.alert_key AND d.finished_at IS NULL WHERE b.id = ?2 AND d.id > ?2)",
    )
    .bind(to_json(&ids)?)
    .bind(newest.0)
    .fetch_one(connection)
    .await?;
    Ok(usize::try_from(untouched) == Ok(ids.len()))
}

/// Lets each delivery of a run have its fate.
pub(super) async fn settle(
    connection: &mut SqliteConnection,
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
        let (state, hold) = match fate {
            Decision::Send => ("queued", None),
            Decision::Merged(_) => ("merged", None),
            Decision::Suppress => ("suppressed", None),
            Decision::Hold(hold) => ("held", Some(hold)),
        };
        // Giving up counts from here: the time in which it was held must not kill it.
        sqlx::query(
            "UPDATE delivery SET state = ?2, hold_why = ?3, hold_until = ?4, finished_at = iif(?2 = 'suppressed', ?5, NULL), \
             queued_at = iif(?2 = 'queued', ?5, queued_at), next_attempt_at = iif(?2 = 'queued', ?5, next_attempt_at) \
             WHERE id = ?1",
        )
        .bind(id.0)
        .bind(state)
        .bind(hold.map(|hold| hold.why.as_str()))
        .bind(hold.map(|hold| hold.until.as_nanos()))
        .bind(now.as_nanos())
        .execute(&mut *connection)
        .await?;
        if matches!(fate, Decision::Suppress) {
            outbox::note_notified(connection, *id, now).await?;
        }
    }
    Ok(())
}

/// The SQL behind [`crate::store::Holds::look_again`].
pub(super) async fn look_again(
    connection: &mut SqliteConnection,
    why: HoldReason,
    now: Timestamp,
) -> Result<(), StoreError> {
    let whys: Vec<&str> = match why {
        HoldReason::Silence | HoldReason::LateSilence => {
            vec![HoldReason::Silence.as_str(), HoldReason::LateSilence.as_str()]
        }
        HoldReason::Fleet => vec![why.as_str()],
    };
    sqlx::query(
        "UPDATE delivery SET hold_until = ?1 WHERE state = 'held' AND hold_until > ?1 \
         AND hold_why IN (SELECT value FROM json_each(?2))",
    )
    .bind(now.as_nanos())
    .bind(to_json(&whys)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// What a delivery that is born held waits for.
pub(super) fn columns(hold: Option<Hold>) -> (&'static str, Option<&'static str>, Option<i64>) {
    match hold {
        Some(Hold { why, until }) => ("held", Some(why.as_str()), Some(until.as_nanos())),
        None => ("queued", None, None),
    }
}
