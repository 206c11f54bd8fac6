//! Writes what becomes of deliveries, as [`crate::notify::queue`] says.

use super::db::{Connection, list_of, query, query_scalar};
use crate::{
    domain::Timestamp,
    notify::{
        DeliveryId, DeliveryState,
        queue::{Change, MergedInto},
    },
    store::StoreError,
};

#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    These(&'a [DeliveryId]),
    /// The unfinished ones among these and what is merged into them, other than the one that they are merged into.
    WithMerged(&'a [DeliveryId]),
    /// The unfinished ones that are merged into it.
    MergedInto(DeliveryId),
    /// The dead letters that were merged into it.
    DeadWith(DeliveryId),
}

impl Which<'_> {
    const fn condition(self) -> &'static str {
        match self {
            Self::These(_) => "id IN list($1)",
            Self::WithMerged(_) => {
                "finished_at IS NULL AND id IS DISTINCT FROM $5 \
                 AND (id IN list($1) OR merged_into IN list($1))"
            }
            Self::MergedInto(_) => "merged_into = $1 AND finished_at IS NULL",
            Self::DeadWith(_) => "merged_into = $1 AND state = 'dead'",
        }
    }
}

pub(super) async fn write(
    connection: &mut Connection,
    which: Which<'_>,
    change: &Change<'_>,
) -> Result<(), StoreError> {
    let Change { state, hold, merged, finished_at, restarts_at, error, starts_over } = *change;
    let target = if let MergedInto::This(into) = merged { Some(into.0) } else { None };
    let query = query(format!(
        "UPDATE delivery SET state = $2, hold_why = $3, hold_until = $4, merged_into = CASE WHEN $6 = 1 THEN merged_into ELSE $5 END, finished_at = $7, \
         queued_at = coalesce($8, queued_at), next_attempt_at = coalesce($8, next_attempt_at), \
         last_error = coalesce($9, last_error), is_noticed = CASE WHEN $10 = 1 THEN 0 ELSE is_noticed END, \
         plain = CASE WHEN $10 = 1 THEN 0 ELSE plain END WHERE {}",
        which.condition()
    ));
    let query = match which {
        Which::These(ids) | Which::WithMerged(ids) => query.bind(list_of(ids)),
        Which::MergedInto(target) | Which::DeadWith(target) => query.bind(target.0),
    };
    query
        .bind(state.as_str())
        .bind(hold.map(|hold| hold.why.as_str()))
        .bind(hold.map(|hold| hold.until.as_nanos()))
        .bind(target)
        .bind(merged == MergedInto::Same)
        .bind(finished_at.map(Timestamp::as_nanos))
        .bind(restarts_at.map(Timestamp::as_nanos))
        .bind(error)
        .bind(starts_over)
        .execute(connection)
        .await?;
    Ok(())
}

/// Lets a message wait for its channel again with all that was merged into it, if it is a dead letter.
pub(super) async fn revive(connection: &mut Connection, id: DeliveryId) -> Result<(), StoreError> {
    let state: Option<String> =
        query_scalar("SELECT state FROM delivery WHERE id = $1").bind(id.0).fetch_optional(&mut *connection).await?;
    if state.as_deref() == Some(DeliveryState::Dead.as_str()) {
        write(connection, Which::DeadWith(id), &Change::merged_again()).await?;
        write(connection, Which::These(&[id]), &Change::parked_again()).await?;
    }
    Ok(())
}
