//! Notifications and their deliveries: queued, claimed, settled, recovered, sent again.

use sqlx::{Row, SqliteConnection};

use super::{channel, check::to_json, dead, hold};
use crate::{
    domain::{Severity, TenantId, Timestamp},
    notify::{
        ChannelHealth, DeliveryId, DeliveryState, Envelope, Hold, NotificationType,
        settle::{ChannelChange, Settlement},
    },
    rule::Resolution,
    store::{AttemptOutcome, NewNotification, StoreError},
};

/// A notification with its texts already written.
pub(super) struct Prepared {
    id: String,
    envelope: Envelope,
    alert_key: Option<String>,
    channels: String,
    hold: Option<Hold>,
    body: String,
    now: Timestamp,
}

impl Prepared {
    /// The identifier of the notification.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn new(new: &NewNotification, now: Timestamp) -> Result<Self, StoreError> {
        Ok(Self {
            id: new.notification.data.notification.id.as_str().to_owned(),
            envelope: new.envelope(),
            alert_key: new.alert.as_ref().map(to_json).transpose()?,
            channels: to_json(&new.channels)?,
            hold: new.hold,
            body: to_json(&new.notification)?,
            now,
        })
    }
}

/// Writes a notification and its deliveries; `false`: its id was already there, and nothing was done.
pub(super) async fn announce(connection: &mut SqliteConnection, new: &Prepared) -> Result<bool, StoreError> {
    let tenant = new.envelope.tenant.as_ref().map(TenantId::as_str);
    if !insert(connection, &new.id, (&new.envelope, new.alert_key.as_deref()), &new.body, new.now).await? {
        return Ok(false);
    }
    let (state, hold_why, hold_until) = hold::columns(new.hold);
    sqlx::query(
        "INSERT INTO delivery (notification_id, channel, alert_key, tenant, state, queued_at, next_attempt_at, hold_why, \
         hold_until) SELECT ?1, value, ?2, ?3, ?6, ?4, ?4, ?7, ?8 FROM json_each(?5) WHERE true ON CONFLICT DO NOTHING",
    )
    .bind(&new.id)
    .bind(&new.alert_key)
    .bind(tenant)
    .bind(new.now.as_nanos())
    .bind(&new.channels)
    .bind(state)
    .bind(hold_why)
    .bind(hold_until)
    .execute(&mut *connection)
    .await?;
    if new.envelope.kind == NotificationType::Drill {
        channel::note_drill(connection, &new.id, &new.channels, new.now).await?;
    }
    if let Some(key) = &new.alert_key {
        sqlx::query(
            "UPDATE alert SET notified_at = NULL, last_notification = ?1, acknowledged_at = iif(?4, acknowledged_at, NULL), \
               acknowledged_by = iif(?4, acknowledged_by, NULL), \
               acknowledged_comment = iif(?4, acknowledged_comment, NULL), shift = iif(?5, shift, NULL), owes = NULL, notified_generation = generation, notified_channels = (\
               SELECT json_group_array(value) FROM (\
                 SELECT value FROM json_each(CASE WHEN notified_generation = generation THEN notified_channels ELSE '[]' END) \
                 UNION SELECT value FROM json_each(?2))) WHERE key = ?3",
        )
        .bind(&new.id)
        .bind(&new.channels)
        .bind(key)
        .bind(new.envelope.keeps_acknowledgement())
        .bind(new.envelope.keeps_shift())
        .execute(&mut *connection)
        .await?;
    }
    Ok(true)
}

/// Writes a notification with what the queue knows of it; `false`: its id was already there.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    id: &str,
    (envelope, alert_key): (&Envelope, Option<&str>),
    body: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO notification (id, type, tenant, alert_key, at, body, said_at, began_at, sequence, is_over, resolution, \
         observed_at, severity, loss_percent, is_operator) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(id)
    .bind(envelope.kind.as_str())
    .bind(envelope.tenant.as_ref().map(TenantId::as_str))
    .bind(alert_key)
    .bind(now.as_nanos())
    .bind(body)
    .bind(envelope.at.as_nanos())
    .bind(envelope.began_at.map(Timestamp::as_nanos))
    .bind(envelope.sequence.cast_signed())
    .bind(envelope.is_over)
    .bind(envelope.resolution.map(Resolution::as_str))
    .bind(envelope.observed_at.map(Timestamp::as_nanos))
    .bind(envelope.severity.map(Severity::as_str))
    .bind(envelope.loss_percent)
    .bind(envelope.is_operator)
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

/// See [`crate::store::Outbox::settle`]. An attempt that is not the one under way changes nothing.
pub(super) async fn settle(
    connection: &mut SqliteConnection,
    id: DeliveryId,
    attempt: u32,
    outcome: AttemptOutcome,
    health: Option<ChannelHealth>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_rejection = matches!(outcome, AttemptOutcome::Rejected { .. });
    let outcome = match outcome {
        AttemptOutcome::Rejected { error } if is_under_way(connection, id, attempt).await? => {
            dead::judge(connection, id, error, now).await?
        }
        outcome => outcome,
    };
    let Some(settlement) = Settlement::of(&outcome, now) else { return undo_claim(connection, id, attempt).await };
    let Settlement { state, error, channel: change, .. } = settlement;
    let settled = sqlx::query(
        "UPDATE delivery SET state = ?3, last_error = coalesce(?4, last_error), \
         next_attempt_at = coalesce(?5, next_attempt_at), finished_at = ?6, plain = max(plain, ?7), \
         possible_duplicate = max(possible_duplicate, ?8) \
         WHERE id = ?1 AND attempts = ?2 AND state = 'sending' RETURNING channel",
    )
    .bind(id.0)
    .bind(i64::from(attempt))
    .bind(state.as_str())
    .bind(error)
    .bind(settlement.next_attempt_at.map(Timestamp::as_nanos))
    .bind(state.is_finished().then_some(now.as_nanos()))
    .bind(settlement.is_plainer)
    .bind(settlement.may_have_arrived)
    .fetch_all(&mut *connection)
    .await?;
    let Some(settled) = settled.first() else { return Ok(()) };
    sqlx::query("UPDATE attempt SET finished_at = ?, outcome = ?, error = ? WHERE delivery_id = ? AND number = ?")
        .bind(now.as_nanos())
        .bind(if is_rejection { "rejected" } else { settlement.name })
        .bind(error)
        .bind(id.0)
        .bind(i64::from(attempt))
        .execute(&mut *connection)
        .await?;
    if state.is_finished() {
        settle_alerts(connection, id, state, error, now).await?;
    }
    let channel = settled.try_get::<String, _>(0)?;
    if let Some(health) = health {
        channel::health_after(connection, &channel, &health, error).await?;
    }
    match change {
        ChannelChange::Parks => {
            channel::park(connection, &channel, error.unwrap_or_default(), now).await?;
            dead::revive(connection, &channel).await
        }
        ChannelChange::Works => {
            channel::unpark(connection, &channel, now).await?;
            channel::note_delivered(connection, &channel, now).await
        }
        ChannelChange::None => Ok(()),
    }
}

/// What is merged into a delivery shares its result, and all their alerts count as notified.
async fn settle_alerts(
    connection: &mut SqliteConnection,
    id: DeliveryId,
    state: DeliveryState,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE delivery SET state = ?2, last_error = coalesce(?3, last_error), finished_at = ?4 \
         WHERE merged_into = ?1 AND finished_at IS NULL",
    )
    .bind(id.0)
    .bind(state.as_str())
    .bind(error)
    .bind(now.as_nanos())
    .execute(&mut *connection)
    .await?;
    end_acknowledgement(connection, id).await?;
    note_notified(connection, id, now).await
}

/// Ends the acknowledgement of alerts that got worse after it, as this delivery says, and that still are.
async fn end_acknowledgement(connection: &mut SqliteConnection, id: DeliveryId) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE alert SET acknowledged_at = NULL, acknowledged_by = NULL, acknowledged_comment = NULL \
         WHERE acknowledged_at IS NOT NULL AND EXISTS (SELECT 1 FROM delivery AS d \
           JOIN notification AS n ON n.id = d.notification_id WHERE (d.id = ?1 OR d.merged_into = ?1) \
           AND n.alert_key = alert.key AND n.type = ?2 AND n.at >= alert.acknowledged_at \
           AND n.sequence > alert.taken_back)",
    )
    .bind(id.0)
    .bind(NotificationType::AlertWorsened.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that the alerts whose newest notification is in this delivery, or in one merged into it, have been notified.
pub(super) async fn note_notified(
    connection: &mut SqliteConnection,
    id: DeliveryId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE alert SET notified_at = ?2 WHERE notified_at IS NULL AND last_notification IN (\
         SELECT notification_id FROM delivery WHERE (id = ?1 OR merged_into = ?1) AND alert_key IS NOT NULL)",
    )
    .bind(id.0)
    .bind(now.as_nanos())
    .execute(connection)
    .await?;
    Ok(())
}

async fn is_under_way(connection: &mut SqliteConnection, id: DeliveryId, attempt: u32) -> Result<bool, StoreError> {
    let found: i64 = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM delivery WHERE id = ? AND attempts = ? AND state = 'sending')",
    )
    .bind(id.0)
    .bind(i64::from(attempt))
    .fetch_one(connection)
    .await?;
    Ok(found != 0)
}

async fn undo_claim(connection: &mut SqliteConnection, id: DeliveryId, attempt: u32) -> Result<(), StoreError> {
    let undone = sqlx::query(
        "UPDATE delivery SET state = 'queued', attempts = attempts - 1 WHERE id = ? AND attempts = ? AND state = 'sending'",
    )
    .bind(id.0)
    .bind(i64::from(attempt))
    .execute(&mut *connection)
    .await?;
    if undone.rows_affected() > 0 {
        sqlx::query("DELETE FROM attempt WHERE delivery_id = ? AND number = ?")
            .bind(id.0)
            .bind(i64::from(attempt))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The SQL behind [`crate::store::Outbox::recover`].
pub(super) async fn recover(connection: &mut SqliteConnection, now: Timestamp) -> Result<u64, StoreError> {
    let recovered = sqlx::query(
        "UPDATE delivery SET state = 'queued', possible_duplicate = 1, next_attempt_at = ? \
         WHERE state = 'sending'",
    )
    .bind(now.as_nanos())
    .execute(connection)
    .await?;
    Ok(recovered.rows_affected())
}

/// The SQL behind [`crate::store::Outbox::resend`].
pub(super) async fn resend(
    connection: &mut SqliteConnection,
    id: DeliveryId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let queued = sqlx::query(
        "UPDATE delivery SET state = 'queued', queued_at = ?2, next_attempt_at = ?2, finished_at = NULL, merged_into = NULL, \
         is_noticed = 0, plain = 0, hold_why = NULL, hold_until = NULL WHERE id = ?1 AND state IN ('delivered', 'dead', 'parked', 'held', 'suppressed')",
    )
    .bind(id.0)
    .bind(now.as_nanos())
    .execute(&mut *connection)
    .await?;
    // What died with it goes along again: the message says it still.
    sqlx::query(
        "UPDATE delivery SET state = 'merged', finished_at = NULL WHERE merged_into = ?1 AND state = 'dead' AND ?2",
    )
    .bind(id.0)
    .bind(queued.rows_affected() > 0)
    .execute(connection)
    .await?;
    Ok(queued.rows_affected() > 0)
}
