//! Loads and writes what is noted at alerts of their notifications; see [`crate::notify::alert_notes`].

use super::{
    db::{Connection, Row, query},
    row,
    text::to_json,
};
use crate::{
    domain::Timestamp,
    notify::{
        DeliveryId, NotificationId,
        alert_notes::{AlertNotes, Owed, ends_acknowledgement},
        silence::Acknowledgement,
    },
    store::StoreError,
};

/// The columns that [`notes`] reads, of the table `alert`.
pub(super) const COLUMNS: &str = "state, generation, last_notification, notified_at, notified_generation, notified_channels, acknowledged_at, \
    acknowledged_by, acknowledged_comment, shift, owes, escalated";

/// What is noted at an alert: [`COLUMNS`].
pub(super) fn notes(found: &Row) -> Result<AlertNotes, StoreError> {
    let newest: Option<&str> = found.try_get("last_notification")?;
    Ok(AlertNotes {
        is_firing: found.try_get::<&str, _>("state")? == "firing",
        generation: found.try_get::<i64, _>("generation")?.cast_unsigned(),
        escalated: row::count(found.try_get("escalated")?)?,
        newest: newest.map(NotificationId::from_text),
        notified_at: row::time(found.try_get("notified_at")?),
        notified_generation: found.try_get::<Option<i64>, _>("notified_generation")?.map(i64::cast_unsigned),
        notified_channels: row::channels(found.try_get("notified_channels")?)?,
        acknowledged: acknowledgement(found)?,
        shift: found.try_get("shift")?,
        owes: found.try_get::<Option<&str>, _>("owes")?.and_then(Owed::from_name),
    })
}

fn acknowledgement(found: &Row) -> Result<Option<Acknowledgement>, StoreError> {
    let Some(at) = row::time(found.try_get("acknowledged_at")?) else { return Ok(None) };
    let text = |column: &str| Ok::<_, StoreError>(found.try_get::<Option<String>, _>(column)?.unwrap_or_default());
    Ok(Some(Acknowledgement { at, by: text("acknowledged_by")?, comment: text("acknowledged_comment")? }))
}

/// What is noted at the alert with that key; `None`: there is no such alert.
pub(super) async fn load(connection: &mut Connection, key: &str) -> Result<Option<AlertNotes>, StoreError> {
    let found =
        query(format!("SELECT {COLUMNS} FROM alert WHERE key = $1")).bind(key).fetch_optional(connection).await?;
    found.as_ref().map(notes).transpose()
}

/// Writes what is noted at the alert with that key. Whether it fires, its generation and its escalation are written with the alert.
pub(super) async fn write(connection: &mut Connection, key: &str, notes: &AlertNotes) -> Result<(), StoreError> {
    let acknowledged = notes.acknowledged.as_ref();
    query(
        "UPDATE alert SET last_notification = $1, notified_at = $2, notified_generation = $3, notified_channels = $4, acknowledged_at = $5, \
         acknowledged_by = $6, acknowledged_comment = $7, shift = $8, owes = $9 WHERE key = $10",
    )
    .bind(notes.newest.as_ref().map(NotificationId::as_str))
    .bind(notes.notified_at.map(Timestamp::as_nanos))
    .bind(notes.notified_generation.map(u64::cast_signed))
    .bind(to_json(&notes.notified_channels)?)
    .bind(acknowledged.map(|one| one.at.as_nanos()))
    .bind(acknowledged.map(|one| one.by.as_str()))
    .bind(acknowledged.map(|one| one.comment.as_str()))
    .bind(notes.shift.as_deref())
    .bind(notes.owes.map(Owed::as_str))
    .bind(key)
    .execute(connection)
    .await?;
    Ok(())
}

/// Changes what is noted at an alert, if there is one; gives what the change gives.
pub(super) async fn change<T>(
    connection: &mut Connection,
    key: &str,
    change: impl FnOnce(&mut AlertNotes) -> T,
) -> Result<Option<T>, StoreError> {
    let Some(before) = load(connection, key).await? else { return Ok(None) };
    let mut after = before.clone();
    let given = change(&mut after);
    if after != before {
        write(connection, key, &after).await?;
    }
    Ok(Some(given))
}

/// Notes that the alerts whose newest notification this delivery says, or one that is merged into it, have been notified of it.
pub(super) async fn note_notified(
    connection: &mut Connection,
    id: DeliveryId,
    now: Timestamp,
) -> Result<(), StoreError> {
    query(
        "UPDATE alert SET notified_at = $2 WHERE notified_at IS NULL AND last_notification IN (\
         SELECT notification_id FROM delivery WHERE (id = $1 OR merged_into = $1) AND alert_key IS NOT NULL)",
    )
    .bind(id.0)
    .bind(now.as_nanos())
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends the acknowledgements that end now that this delivery, with all that is merged into it, has reached a final state.
pub(super) async fn end_acknowledgements(connection: &mut Connection, id: DeliveryId) -> Result<(), StoreError> {
    let acknowledged = query(
        "SELECT a.key, n.type, n.sequence, n.at, a.acknowledged_at, a.taken_back FROM delivery AS d \
         JOIN notification AS n ON n.id = d.notification_id JOIN alert AS a ON a.key = n.alert_key \
         WHERE (d.id = $1 OR d.merged_into = $1) AND a.acknowledged_at IS NOT NULL",
    )
    .bind(id.0)
    .fetch_all(&mut *connection)
    .await?;
    for found in &acknowledged {
        let ends = ends_acknowledgement(
            row::notification_type(found.try_get(1)?)?,
            found.try_get::<i64, _>(2)?.cast_unsigned(),
            Timestamp::from_nanos(found.try_get(3)?),
            Timestamp::from_nanos(found.try_get(4)?),
            found.try_get::<i64, _>(5)?.cast_unsigned(),
        );
        if ends {
            change(connection, found.try_get(0)?, |notes| notes.acknowledged = None).await?;
        }
    }
    Ok(())
}
