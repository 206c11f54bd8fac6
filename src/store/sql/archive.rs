//! Once a day per tenant: completed days go from each series' newest samples to rows of their own.

use std::{collections::HashMap, time::Duration};

use super::{
    bulk::Bulk,
    days::roll,
    db::{Connection, Dialect, Query, list_of, query},
    encoding,
};
use crate::{domain::Timestamp, store::StoreError};

const PUT_DAY: &str = "INSERT INTO sample_day (day, series_id, samples) VALUES ";

/// Joining blobs is appending samples; a day is written twice only when a late sample came.
static PUT_DAY_SQLITE: Bulk = Bulk::new(
    PUT_DAY,
    3,
    " ON CONFLICT (day, series_id) DO UPDATE SET samples = CAST(samples || excluded.samples AS BLOB)",
);

/// The same. There, two blobs joined are a blob.
static PUT_DAY_POSTGRES: Bulk = Bulk::new(
    PUT_DAY,
    3,
    " ON CONFLICT (day, series_id) DO UPDATE SET samples = sample_day.samples || excluded.samples",
);

static PUT_RECENT: Bulk = Bulk::new(
    "UPDATE series SET archived_through = v.column2, recent = v.column3 FROM (VALUES ",
    3,
    ") AS v WHERE series.id = v.column1",
);

static ROLLED: Bulk =
    Bulk::new("UPDATE tenant SET rolled_day = v.column2 FROM (VALUES ", 2, ") AS v WHERE tenant.id = v.column1");

/// What becomes of a series: its number, how far it is archived, and its window.
type Window = (i64, Option<i64>, Vec<u8>);

fn bind_day<'q>(query: Query<'q>, (day, id, samples): &'q (i64, i64, Vec<u8>)) -> Query<'q> {
    query.bind(day).bind(id).bind(samples.as_slice())
}

fn bind_window<'q>(query: Query<'q>, (id, through, recent): &'q Window) -> Query<'q> {
    query.bind(id).bind(*through).bind(recent.as_slice())
}

/// Rolls every series of these tenants, each to the day beside it.
pub(super) async fn roll_tenants(connection: &mut Connection, due: &[(i64, i64)]) -> Result<(), StoreError> {
    if due.is_empty() {
        return Ok(());
    }
    let todays: HashMap<i64, i64> = due.iter().copied().collect();
    let tenants = list_of(due.iter().map(|(tenant, _)| tenant));
    let rows = query(
        "SELECT id, tenant_id, archived_through, keep, recent FROM series \
         WHERE tenant_id IN list($1)",
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
    let put_day = match connection.dialect() {
        Dialect::Sqlite => &PUT_DAY_SQLITE,
        Dialect::Postgres => &PUT_DAY_POSTGRES,
    };
    put_day.execute(connection, &days, bind_day).await?;
    PUT_RECENT.execute(connection, &windows, bind_window).await?;
    ROLLED.execute(connection, due, |query, (id, day)| query.bind(id).bind(day)).await
}
