//! Takes back the end of an alert that is still firing, in the transaction that makes it fire again, as long as nobody has tried to
//! send that end. What the same check has to say about the alert is queued afterwards.

use super::{
    super::{
        alert_notes,
        db::{Connection, query_as},
        queue::{self, Which},
        row,
    },
    AlertRow, Check,
};
use crate::{
    domain::Timestamp,
    notify::{DeliveryId, queue::Change},
    rule::Alert,
    store::StoreError,
};

/// The sequence number of the end that this alert has taken back; it counts only while the store has the alert as resolved.
fn taken_back(alert: &Alert) -> Option<u64> {
    alert.firing().map(|firing| firing.end_taken_back).filter(|end| *end > 0)
}

fn taking_back(check: &Check) -> impl Iterator<Item = (&AlertRow, u64)> {
    check.alerts.iter().filter_map(|row| Some((row, taken_back(&row.alert)?)))
}

/// Leaves out the checks that take back an end that somebody has tried to send meanwhile: they must be evaluated again.
pub(super) async fn possible(
    connection: &mut Connection,
    checks: &[Check],
    round: Vec<usize>,
) -> Result<Vec<usize>, StoreError> {
    let mut possible = Vec::with_capacity(round.len());
    for index in round {
        let mut is_late = false;
        for (alert, _) in taking_back(&checks[index]) {
            let deliveries: Vec<(String, i64)> = query_as(
                "SELECT d.state, d.attempts FROM alert AS a JOIN delivery AS d ON d.notification_id = a.last_notification \
                 WHERE a.key = $1 AND a.state = 'resolved'",
            )
            .bind(&alert.key)
            .fetch_all(&mut *connection)
            .await?;
            for (state, attempts) in deliveries {
                is_late |= row::state(&state)?.is_late(row::count(attempts)?);
            }
        }
        if !is_late {
            possible.push(index);
        }
    }
    Ok(possible)
}

/// Takes the ends back, before their alerts are written as firing.
pub(super) async fn ends(connection: &mut Connection, checks: impl Iterator<Item = &Check>) -> Result<(), StoreError> {
    for check in checks {
        for (row, sequence) in taking_back(check) {
            end(connection, &row.key, sequence, check.now).await?;
        }
    }
    Ok(())
}

async fn end(connection: &mut Connection, key: &str, sequence: u64, now: Timestamp) -> Result<(), StoreError> {
    let deliveries: Vec<(i64, String, i64)> = query_as(
        "SELECT d.id, d.state, d.attempts FROM alert AS a JOIN notification AS n ON n.id = a.last_notification \
         JOIN delivery AS d ON d.notification_id = n.id \
         WHERE a.key = $1 AND a.state = 'resolved' AND n.is_over = 1 AND n.sequence = $2",
    )
    .bind(key)
    .bind(sequence.cast_signed())
    .fetch_all(&mut *connection)
    .await?;
    let mut withdrawn = Vec::with_capacity(deliveries.len());
    for (id, state, attempts) in deliveries {
        if row::state(&state)?.can_be_withdrawn(row::count(attempts)?) {
            withdrawn.push(DeliveryId(id));
        }
    }
    if !withdrawn.is_empty() {
        queue::write(connection, Which::These(&withdrawn), &Change::suppressed(None, now)).await?;
        // The end is settled, so reminders count from here.
        alert_notes::change(connection, key, |notes| *notes.notified_at.get_or_insert(now)).await?;
    }
    Ok(())
}
