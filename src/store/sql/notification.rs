//! Writes notifications, each with its envelope.

use super::db::{Connection, query};
use crate::{
    domain::{Severity, TenantId, Timestamp},
    notify::Envelope,
    rule::Resolution,
    store::StoreError,
};

/// Writes a notification with what the queue knows of it; `false`: its id was already there.
pub(super) async fn insert(
    connection: &mut Connection,
    id: &str,
    envelope: &Envelope,
    alert_key: Option<&str>,
    body: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let inserted = query(
        "INSERT INTO notification (id, type, tenant, alert_key, at, body, said_at, began_at, sequence, is_over, resolution, \
         observed_at, severity, loss_percent, is_operator) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
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
