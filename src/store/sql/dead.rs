//! Dead letters: which of them the operator was not notified of.

use super::{
    db::{Connection, Pool, Row, query},
    outbox, row,
};
use crate::{
    domain::{ChannelName, Timestamp},
    notify::{
        DeliveryId,
        queue::{Letters, Unnoticed, dead_letters},
    },
    store::{DeadLetters, StoreError},
};

/// As described at [`crate::store::Outbox::unnoticed_dead`].
pub(super) async fn unnoticed(pool: &Pool, since: Timestamp) -> Result<Vec<DeadLetters>, StoreError> {
    let rows = query(
        "SELECT d.channel, coalesce(d.last_error, '') AS cause, n.type, count(*), min(CASE WHEN d.merged_into IS NULL THEN d.id END), \
         min(d.id), min(d.finished_at) FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
         WHERE d.state = 'dead' AND d.is_noticed = 0 AND NOT EXISTS (SELECT 1 FROM dead_notice AS o \
         WHERE o.channel = d.channel AND o.cause = coalesce(d.last_error, '') AND o.at > $1) GROUP BY 1, 2, 3 ORDER BY 1, 2",
    )
    .bind(since.as_nanos())
    .fetch_all(pool)
    .await?;
    let counted = |found: &Row| -> Result<(ChannelName, String, Unnoticed), StoreError> {
        let unnoticed = Unnoticed {
            kind: row::notification_type(found.try_get(2)?)?,
            count: found.try_get::<i64, _>(3)?.cast_unsigned(),
            first_alone: found.try_get::<Option<i64>, _>(4)?.map(DeliveryId),
            first: DeliveryId(found.try_get(5)?),
            since: Timestamp::from_nanos(found.try_get(6)?),
        };
        Ok((row::channel(found.try_get(0)?)?, found.try_get(1)?, unnoticed))
    };
    let counted = rows.iter().map(counted).collect::<Result<Vec<_>, _>>()?;
    let groups = counted.chunk_by(|one, next| (&one.0, &one.1) == (&next.0, &next.1));
    let letters = |group: &[(ChannelName, String, Unnoticed)]| {
        let (channel, cause, _) = group.first()?;
        let kinds = group.iter().map(|(_, _, unnoticed)| *unnoticed);
        let Letters { count, first, since } = dead_letters(kinds)?;
        Some(DeadLetters { channel: channel.clone(), cause: cause.clone(), count, first, since })
    };
    Ok(groups.filter_map(letters).collect())
}

/// The SQL behind [`crate::store::Outbox::notice_dead`].
pub(super) async fn notice(
    connection: &mut Connection,
    letters: &DeadLetters,
    new: &outbox::Prepared,
    now: Timestamp,
) -> Result<(), StoreError> {
    let noticed = query(
        "UPDATE delivery SET is_noticed = 1 WHERE state = 'dead' AND is_noticed = 0 AND channel = $1 \
         AND coalesce(last_error, '') = $2",
    )
    .bind(letters.channel.as_str())
    .bind(&letters.cause)
    .execute(&mut *connection)
    .await?;
    // Somebody else has noticed them since they were listed.
    if noticed.rows_affected() == 0 {
        return Ok(());
    }
    outbox::announce(connection, new).await?;
    query(
        "INSERT INTO dead_notice (channel, cause, at) VALUES ($1, $2, $3) \
         ON CONFLICT (channel, cause) DO UPDATE SET at = excluded.at",
    )
    .bind(letters.channel.as_str())
    .bind(&letters.cause)
    .bind(now.as_nanos())
    .execute(connection)
    .await?;
    Ok(())
}
