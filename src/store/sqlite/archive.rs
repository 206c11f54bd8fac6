//! Once a day per tenant: completed days go from each series' newest samples to rows of their own.

use std::{collections::HashMap, time::Duration};

use sqlx::{Row, SqliteConnection};

use super::{
    bulk::{Bound, Bulk},
    days::roll,
    encoding,
    text::to_json,
};
use crate::{domain::Timestamp, store::StoreError};

/// Joining blobs is appending samples; a day is written twice only when a late sample came.
const PUT_DAY: Bulk = Bulk {
    head: "INSERT INTO sample_day (day, series_id, samples) VALUES ",
    row: "(?,?,?)",
    tail: " ON CONFLICT (day, series_id) DO UPDATE SET samples = CAST(samples || excluded.samples AS BLOB)",
};

const PUT_RECENT: Bulk = Bulk {
    head: "UPDATE series SET archived_through = v.column2, recent = v.column3 FROM (VALUES ",
    row: "(?,?,?)",
    tail: ") AS v WHERE series.id = v.column1",
};

const ROLLED: Bulk = Bulk {
    head: "UPDATE tenant SET rolled_day = v.column2 FROM (VALUES ",
    row: "(?,?)",
    tail: ") AS v WHERE tenant.id = v.column1",
};

/// Rolls every series of these tenants, each to the day beside it.
pub(super) async fn roll_tenants(connection: &mut SqliteConnection, due: &[(i64, i64)]) -> Result<(), StoreError> {
    if due.is_empty() {
        return Ok(());
    }
    let todays: HashMap<i64, i64> = due.iter().copied().collect();
    let tenants = to_json(&due.iter().map(|(tenant, _)| tenant).collect::<Vec<_>>())?;
    let rows = sqlx::query(
        "SELECT id, tenant_id, archived_through, keep, recent FROM series \
         WHERE tenant_id IN (SELECT value FROM json_each(?))",
    )
    .bind(tenants)
    .fetch_all(&mut *connection)
    .await?;
    let (mut days, mut windows) = (Vec::new(), Vec::new());
    for row in rows {
        let (id, tenant): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let archived_through: Option<i64> = row.try_get(2)?;
        let keep = Duration::from_nanos(row.try_get::<i64, _>(3)?.unsigned_abs());
        let Ok(samples) = encoding::decode(row.try_get(4)?) else {
            // Reading it is refused with an error; here it must not stop the other tenants of the group.
            tracing::warn!(series = id, "a series can't be read and is left as it is");
            continue;
        };
        let rolled = roll(&samples, archived_through.map(Timestamp::from_nanos), keep, todays[&tenant]);
        if rolled.completed.is_empty() && rolled.recent.len() == samples.len() {
            continue;
        }
        days.extend(rolled.completed.iter().map(|(day, samples)| (*day, id, encoding::encode(samples))));
        windows.push((id, rolled.archived_through.map(Timestamp::as_nanos), encoding::encode(&rolled.recent)));
    }
    let bind_day =
        |query: Bound, (day, id, samples): &(i64, i64, Vec<u8>)| query.bind(*day).bind(*id).bind(samples.as_slice());
    PUT_DAY.execute(connection, &days, bind_day).await?;
    let bind_window = |query: Bound, (id, through, recent): &(i64, Option<i64>, Vec<u8>)| {
        query.bind(*id).bind(*through).bind(recent.as_slice())
    };
    PUT_RECENT.execute(connection, &windows, bind_window).await?;
    ROLLED.execute(connection, due, |query: Bound, (id, day): &(i64, i64)| query.bind(*id).bind(*day)).await
}
