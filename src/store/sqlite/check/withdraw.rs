//! Takes back the end of an alert that is still firing, in the transaction that makes it fire again, as long as nobody has tried to
//! send that end. What the same check has to say about the alert is queued afterwards.

use sqlx::SqliteConnection;

use super::{AlertRow, Check};
use crate::{domain::Timestamp, rule::Alert, store::StoreError};

/// The sequence number of the end that this alert has taken back; it counts only while the store has the alert as resolved.
fn taken_back(alert: &Alert) -> Option<u64> {
    alert.firing().map(|firing| firing.end_taken_back).filter(|end| *end > 0)
}

fn taking_back(check: &Check) -> impl Iterator<Item = (&AlertRow, u64)> {
    check.alerts.iter().filter_map(|row| Some((row, taken_back(&row.alert)?)))
}

/// Leaves out the checks that take back an end that somebody has tried to send meanwhile: they must be evaluated again.
pub(super) async fn possible(
    connection: &mut SqliteConnection,
    checks: &[Check],
    round: Vec<usize>,
) -> Result<Vec<usize>, StoreError> {
    let mut possible = Vec::with_capacity(round.len());
    for index in round {
        let mut is_late = false;
        for (row, _) in taking_back(&checks[index]) {
            is_late |= sqlx::query_scalar::<_, bool>(
                "SELECT EXISTS (SELECT 1 FROM alert AS a JOIN delivery AS d ON d.notification_id = a.last_notification \
                 WHERE a.key = ?1 AND a.state = 'resolved' \
                 AND (d.state NOT IN ('held', 'queued', 'suppressed') OR d.state <> 'suppressed' AND d.attempts > 0))",
            )
            .bind(&row.key)
            .fetch_one(&mut *connection)
            .await?;
        }
        if !is_late {
            possible.push(index);
        }
    }
    Ok(possible)
}

/// Takes the ends back, before their alerts are written as firing.
pub(super) async fn ends(
    connection: &mut SqliteConnection,
    checks: impl Iterator<Item = &Check>,
) -> Result<(), StoreError> {
    for check in checks {
        for (row, sequence) in taking_back(check) {
            end(connection, &row.key, sequence, check.now).await?;
        }
    }
    Ok(())
}

async fn end(connection: &mut SqliteConnection, key: &str, sequence: u64, now: Timestamp) -> Result<(), StoreError> {
    let taken = sqlx::query(
        "UPDATE delivery SET state = 'suppressed', hold_why = NULL, hold_until = NULL, finished_at = ?3 \
         WHERE state IN ('held', 'queued') AND notification_id = (SELECT n.id FROM alert AS a \
           JOIN notification AS n ON n.id = a.last_notification \
           WHERE a.key = ?1 AND a.state = 'resolved' AND n.is_over AND n.sequence = ?2)",
    )
    .bind(key)
    .bind(sequence.cast_signed())
    .bind(now.as_nanos())
    .execute(&mut *connection)
    .await?;
    if taken.rows_affected() > 0 {
        // The end is settled, so reminders count from here.
        sqlx::query("UPDATE alert SET notified_at = ?2 WHERE key = ?1 AND notified_at IS NULL")
            .bind(key)
            .bind(now.as_nanos())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
