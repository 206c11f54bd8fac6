//! Notifications and their deliveries: queued, claimed, settled, recovered, sent again.

use super::{
    alert_notes, channel,
    db::{Connection, Row, list_of, query, query_scalar},
    notification,
    queue::{self, Which},
    row,
    text::to_json,
};
use crate::{
    domain::{ChannelName, TenantId, Timestamp},
    notify::{
        ChannelHealth, DeliveryId, DeliveryState, Envelope, Hold, NotificationId, NotificationType,
        queue::Change,
        settle::{ChannelChange, Settlement},
    },
    store::{AttemptOutcome, NewNotification, StoreError},
};

/// A notification with its texts already written.
pub(super) struct Prepared {
    id: String,
    envelope: Envelope,
    alert_key: Option<String>,
    channels: Vec<ChannelName>,
    hold: Option<Hold>,
    body: String,
    now: Timestamp,
}

impl Prepared {
    /// The identifier of the notification.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The channels that it is for.
    pub(super) fn channels(&self) -> &[ChannelName] {
        &self.channels
    }

    pub(super) fn new(new: &NewNotification, now: Timestamp) -> Result<Self, StoreError> {
        Ok(Self {
            id: new.notification.data.notification.id.as_str().to_owned(),
            envelope: new.envelope(),
            alert_key: new.alert.as_ref().map(to_json).transpose()?,
            channels: new.channels.clone(),
            hold: new.hold,
            body: to_json(&new.notification)?,
            now,
        })
    }
}

/// Writes a notification and its deliveries; `false`: its id was already there, and nothing was done.
pub(super) async fn announce(connection: &mut Connection, new: &Prepared) -> Result<bool, StoreError> {
    let tenant = new.envelope.tenant.as_ref().map(TenantId::as_str);
    if !notification::insert(connection, &new.id, &new.envelope, new.alert_key.as_deref(), &new.body, new.now).await? {
        return Ok(false);
    }
    let channels = list_of(&new.channels);
    query(
        "INSERT INTO delivery (notification_id, channel, alert_key, tenant, state, queued_at, next_attempt_at, hold_why, \
         hold_until, is_gathered) SELECT $1, v.value, $2, $3, $6, $4, $4, $7, $8, $9 FROM list($5) AS v WHERE true ON CONFLICT DO NOTHING",
    )
    .bind(&new.id)
    .bind(&new.alert_key)
    .bind(tenant)
    .bind(new.now.as_nanos())
    .bind(&channels)
    .bind(DeliveryState::at_first(new.hold).as_str())
    .bind(new.hold.map(|hold| hold.why.as_str()))
    .bind(new.hold.map(|hold| hold.until.as_nanos()))
    .bind(new.hold.is_some_and(|hold| hold.why.gathers()))
    .execute(&mut *connection)
    .await?;
    if new.envelope.kind == NotificationType::Drill {
        channel::note_drill(connection, &new.id, &channels, new.now).await?;
    }
    if let Some(key) = &new.alert_key {
        let id = NotificationId::from_text(&new.id);
        alert_notes::change(connection, key, |notes| notes.queued(id, &new.envelope, &new.channels)).await?;
    }
    Ok(true)
}

/// See [`crate::store::Outbox::settle`]. An attempt that is not the one under way changes nothing.
pub(super) async fn settle(
    connection: &mut Connection,
    id: DeliveryId,
    attempt: u32,
    outcome: AttemptOutcome,
    health: Option<ChannelHealth>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(UnderWay { channel, rejected_at }) = under_way(connection, id, attempt).await? else { return Ok(()) };
    let is_rejection = matches!(outcome, AttemptOutcome::Rejected { .. });
    let known = channel::state(connection, &channel).await?;
    let mut state = known.clone();
    let outcome = match outcome {
        AttemptOutcome::Rejected { error } => {
            let (outcome, is_first) = state.rejection(id, rejected_at).judge(error);
            if is_first {
                state.rejected = Some(id);
            }
            outcome
        }
        outcome => outcome,
    };
    let Some(settlement) = Settlement::of(&outcome, now) else { return undo_claim(connection, id, attempt).await };
    write_settled(connection, id, attempt, &settlement, is_rejection, now).await?;
    let error = settlement.error;
    if settlement.state.is_finished() {
        queue::write(connection, Which::MergedInto(id), &Change::settled_with(settlement.state, error, now)).await?;
        alert_notes::end_acknowledgements(connection, id).await?;
        alert_notes::note_notified(connection, id, now).await?;
    }
    if let Some(health) = health {
        state.attempted(health, error);
    }
    let mut waits_again = None;
    let is_unparked = match settlement.channel {
        ChannelChange::Parks => {
            waits_again = state.park(error.unwrap_or_default(), now);
            false
        }
        ChannelChange::Works => state.accepted(now),
        ChannelChange::None => false,
    };
    if state != known {
        channel::write(connection, &channel, &state).await?;
    }
    if is_unparked {
        channel::continue_queue(connection, &channel, now).await?;
    }
    match waits_again {
        Some(rejected) => queue::revive(connection, rejected).await,
        None => Ok(()),
    }
}

/// A delivery that is being sent.
struct UnderWay {
    channel: String,
    /// When it was rejected before.
    rejected_at: Option<Timestamp>,
}

/// The delivery, if that attempt of it is under way.
async fn under_way(connection: &mut Connection, id: DeliveryId, attempt: u32) -> Result<Option<UnderWay>, StoreError> {
    let found =
        query("SELECT channel, rejected_at FROM delivery WHERE id = $1 AND attempts = $2 AND state = 'sending'")
            .bind(id.0)
            .bind(i64::from(attempt))
            .fetch_optional(connection)
            .await?;
    let under_way = |found: Row| Ok(UnderWay { channel: found.try_get(0)?, rejected_at: row::time(found.try_get(1)?) });
    found.map(under_way).transpose()
}

/// Writes what came of an attempt; `is_rejection`: the receiver rejected it, whatever that came to.
async fn write_settled(
    connection: &mut Connection,
    id: DeliveryId,
    attempt: u32,
    settlement: &Settlement<'_>,
    is_rejection: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    query(
        "UPDATE delivery SET state = $2, last_error = coalesce($3, last_error), \
         next_attempt_at = coalesce($4, next_attempt_at), finished_at = $5, plain = greatest(plain, $6), \
         possible_duplicate = greatest(possible_duplicate, $7), rejected_at = CASE WHEN $8 = 1 THEN $9 ELSE rejected_at END WHERE id = $1",
    )
    .bind(id.0)
    .bind(settlement.state.as_str())
    .bind(settlement.error)
    .bind(settlement.next_attempt_at.map(Timestamp::as_nanos))
    .bind(settlement.state.is_finished().then_some(now.as_nanos()))
    .bind(settlement.is_plainer)
    .bind(settlement.may_have_arrived)
    .bind(is_rejection)
    .bind(now.as_nanos())
    .execute(&mut *connection)
    .await?;
    query("UPDATE attempt SET finished_at = $1, outcome = $2, error = $3 WHERE delivery_id = $4 AND number = $5")
        .bind(now.as_nanos())
        .bind(if is_rejection { "rejected" } else { settlement.name })
        .bind(settlement.error)
        .bind(id.0)
        .bind(i64::from(attempt))
        .execute(connection)
        .await?;
    Ok(())
}

/// Puts a delivery back as it was before that attempt, which is under way.
pub(super) async fn undo_claim(connection: &mut Connection, id: DeliveryId, attempt: u32) -> Result<(), StoreError> {
    query("UPDATE delivery SET state = 'queued', attempts = attempts - 1 WHERE id = $1")
        .bind(id.0)
        .execute(&mut *connection)
        .await?;
    query("DELETE FROM attempt WHERE delivery_id = $1 AND number = $2")
        .bind(id.0)
        .bind(i64::from(attempt))
        .execute(connection)
        .await?;
    Ok(())
}

/// The SQL behind [`crate::store::Outbox::recover`].
pub(super) async fn recover(connection: &mut Connection, now: Timestamp) -> Result<u64, StoreError> {
    let recovered = query(
        "UPDATE delivery SET state = 'queued', possible_duplicate = 1, next_attempt_at = $1 \
         WHERE state = 'sending'",
    )
    .bind(now.as_nanos())
    .execute(connection)
    .await?;
    Ok(recovered.rows_affected())
}

/// The SQL behind [`crate::store::Outbox::resend`]. Gives the state before.
pub(super) async fn resend(
    connection: &mut Connection,
    id: DeliveryId,
    now: Timestamp,
) -> Result<Option<DeliveryState>, StoreError> {
    let state: Option<String> =
        query_scalar("SELECT state FROM delivery WHERE id = $1").bind(id.0).fetch_optional(&mut *connection).await?;
    let before = state.as_deref().map(row::state).transpose()?.filter(|state| state.can_be_resent());
    if before.is_some() {
        queue::write(connection, Which::These(&[id]), &Change::resent(now)).await?;
        queue::write(connection, Which::DeadWith(id), &Change::merged_again()).await?;
    }
    Ok(before)
}
