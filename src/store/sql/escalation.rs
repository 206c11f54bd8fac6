//! Takes an escalation back, as [`crate::notify::escalation`] says.

use super::{
    alert_notes,
    db::{Connection, Row, list_of, query, query_scalar},
    queue::{self, Which},
    row,
    text::to_json,
};
use crate::{
    domain::Timestamp,
    notify::{
        DeliveryId, NotificationType,
        escalation::{OfFiring, TakenBack, taken_back},
        queue::Change,
    },
    rule::{Alert, AlertState},
    store::StoreError,
};

/// The deliveries of an alert's newest firing: those that are finished and were not suppressed, and the unfinished ones to the channels
/// that it was queued for.
const OF_FIRING: &str = "SELECT d.id, d.channel, d.state, d.attempts, n.type, n.sequence, \
    CASE WHEN n.type = 'alert.escalated' THEN n.body END FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
    WHERE n.began_at = $2 AND d.alert_key = $1 AND (d.finished_at IS NOT NULL AND d.state <> 'suppressed') \
    UNION ALL \
    SELECT d.id, d.channel, d.state, d.attempts, n.type, n.sequence, \
    CASE WHEN n.type = 'alert.escalated' THEN n.body END FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
    WHERE n.began_at = $2 AND d.alert_key = $1 AND d.finished_at IS NULL AND d.channel IN list($3)";

/// Takes back what nobody has tried to send of an alert's escalation. Whoever does so lets a check under way judge again.
pub(super) async fn take_back(connection: &mut Connection, key: &str, now: Timestamp) -> Result<(), StoreError> {
    let Some(notes) = alert_notes::load(connection, key).await?.filter(|notes| notes.escalated > 0) else {
        return Ok(());
    };
    let body: String =
        query_scalar("SELECT body FROM alert WHERE key = $1").bind(key).fetch_one(&mut *connection).await?;
    let mut alert = row::alert(&body)?;
    let AlertState::Firing(firing) = &mut alert.state else { return Ok(()) };
    let found = query(OF_FIRING)
        .bind(key)
        .bind(firing.since.as_nanos())
        .bind(list_of(notes.current_channels()))
        .fetch_all(&mut *connection)
        .await?;
    let of_firing = found.iter().map(of_firing).collect::<Result<Vec<_>, _>>()?;
    let Some(TakenBack { deliveries, channels, steps }) = taken_back(&of_firing) else { return Ok(()) };
    firing.escalated.steps = steps;
    queue::write(connection, Which::These(&deliveries), &Change::suppressed(None, now)).await?;
    let newest: Option<i64> = query_scalar(
        "SELECT max(d.id) FROM alert AS a JOIN delivery AS d ON d.notification_id = a.last_notification \
         WHERE a.key = $1 AND d.id IN list($2)",
    )
    .bind(key)
    .bind(list_of(&deliveries))
    .fetch_one(&mut *connection)
    .await?;
    let is_all = newest.is_some() && channels.len() == notes.current_channels().len();
    alert_notes::change(connection, key, |notes| notes.taken_back(&channels, is_all, now)).await?;
    write(connection, key, &alert, steps).await
}

async fn write(connection: &mut Connection, key: &str, alert: &Alert, steps: u32) -> Result<(), StoreError> {
    query("UPDATE alert SET body = $2, escalated = $3 WHERE key = $1")
        .bind(key)
        .bind(to_json(alert)?)
        .bind(i64::from(steps))
        .execute(connection)
        .await?;
    Ok(())
}

fn of_firing(found: &Row) -> Result<OfFiring, StoreError> {
    let body: Option<&str> = found.try_get(6)?;
    let notification = body.map(row::notification).transpose()?;
    let escalation = notification.and_then(|said| said.data.alert.as_ref()?.escalation);
    let kind: NotificationType = row::notification_type(found.try_get(4)?)?;
    Ok(OfFiring {
        delivery: DeliveryId(found.try_get(0)?),
        channel: row::channel(found.try_get(1)?)?,
        state: row::state(found.try_get(2)?)?,
        attempts: row::count(found.try_get(3)?)?,
        kind,
        sequence: found.try_get::<i64, _>(5)?.cast_unsigned(),
        step: escalation.map(|escalation| escalation.step),
    })
}
