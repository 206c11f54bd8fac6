//! Reads a fleet at a glance.

use std::collections::{BTreeSet, HashMap};

use super::{
    days::day_of,
    db::{Dialect, Pool, Row, list_of, query, query_scalar},
    encoding, roster, row,
};
use crate::{
    domain::{Impact, Sample, TenantId, Timestamp},
    store::{Advice, Failing, OpenAlert, SeriesSamples, StoreError, TenantAdvice, TenantLine},
};

/// Below this, points are the rounding of doubles.
const NOTHING: f64 = 1e-6;

/// All lines as one text: a column of a row costs the driver more than a whole line costs here, and there are thousands of lines.
const LINES_SQLITE: &str = "SELECT json_group_array(json_array(tenant, entra, version, checked_at, next_due_at, failing_since, \
    failing_class, failing_hint)) FROM tenant";
const LINES_POSTGRES: &str = "SELECT coalesce(json_agg(json_build_array(tenant, entra, version, checked_at, next_due_at, failing_since, \
    failing_class, failing_hint))::text, '[]') FROM tenant";

/// A line in that text.
type Line = (String, Option<String>, i64, Option<i64>, i64, Option<i64>, Option<String>, Option<String>);

/// The SQL behind [`crate::store::Overview::tenant_lines`].
pub(super) async fn tenant_lines(pool: &Pool) -> Result<Vec<TenantLine>, StoreError> {
    let text: String = query_scalar(match pool.dialect() {
        Dialect::Sqlite => LINES_SQLITE,
        Dialect::Postgres => LINES_POSTGRES,
    })
    .fetch_one(pool)
    .await?;
    let lines: Vec<Line> =
        serde_json::from_str(&text).map_err(|_| StoreError::Undecodable("lines of tenants".to_owned()))?;
    let mut lines = lines.into_iter().map(line).collect::<Result<Vec<_>, _>>()?;
    // An aggregate promises no order.
    lines.sort_by(|a, b| a.tenant.cmp(&b.tenant));
    Ok(lines)
}

fn line(found: Line) -> Result<TenantLine, StoreError> {
    let (tenant, entra, version, checked_at, next_due_at, failing_since, failing_class, hint) = found;
    let failing = match (row::time(failing_since), failing_class) {
        (Some(since), Some(class)) => Some(Failing { since, class, hint }),
        _ => None,
    };
    Ok(TenantLine {
        tenant: row::tenant(&tenant)?,
        entra: roster::entra(entra.as_deref())?,
        version: version.cast_unsigned(),
        checked_at: row::time(checked_at),
        next_due_at: Timestamp::from_nanos(next_due_at),
        failing,
    })
}

fn decoded(blob: &[u8]) -> Result<Vec<Sample>, StoreError> {
    encoding::decode(blob).map_err(|_| StoreError::Undecodable("samples of a series".to_owned()))
}

/// The SQL behind [`crate::store::Overview::newest_samples_of`].
pub(super) async fn newest_samples_of(
    pool: &Pool,
    tenants: &[TenantId],
    archived_since: Option<Timestamp>,
) -> Result<Vec<SeriesSamples>, StoreError> {
    let rows = query(
        "SELECT s.id, t.tenant, s.score, s.archived_through, s.recent FROM tenant AS t JOIN series AS s ON s.tenant_id = t.id \
         WHERE t.tenant IN list($1) AND s.subject = '' AND s.keep > 0",
    )
    .bind(list_of(tenants))
    .fetch_all(pool)
    .await?;
    let mut archived = match archived_since {
        Some(since) => archive(pool, &rows, since).await?,
        None => HashMap::new(),
    };
    rows.iter()
        .map(|found| {
            let through = row::time(found.try_get(3)?);
            let mut samples = archived.remove(&found.try_get(0)?).unwrap_or_default();
            // A day that was archived after the series was read is in both.
            samples.retain(|sample| through.is_some_and(|through| sample.at <= through));
            let newest = samples.last().map(|sample: &Sample| sample.at);
            let recent = decoded(found.try_get(4)?)?;
            samples.extend(recent.into_iter().filter(|sample| newest.is_none_or(|newest| sample.at > newest)));
            Ok(SeriesSamples {
                tenant: row::tenant(found.try_get(1)?)?,
                score: row::score(found.try_get(2)?)?,
                samples,
            })
        })
        .collect()
}

/// One search for each day and series: the days of all series are side by side. The days of a series are joined here, as blobs may be: a row
/// costs the driver more than a day costs the database, and a fleet has hundreds of thousands of days. What is joined is a text to SQLite,
/// of whatever bytes.
const DAYS_SQLITE: &str = "WITH RECURSIVE days (day) AS MATERIALIZED (SELECT max($2, (SELECT min(day) FROM sample_day)) \
    UNION ALL SELECT day + 1 FROM days WHERE day < (SELECT max(day) FROM sample_day)) \
    SELECT j.value, (SELECT CAST(group_concat(d.samples, '' ORDER BY d.day) AS BLOB) FROM days CROSS JOIN sample_day AS d \
    WHERE d.day = days.day AND d.series_id = j.value) FROM json_each($1) AS j";
/// The days of one series are side by side.
const DAYS_POSTGRES: &str = "SELECT series_id, string_agg(samples, ''::bytea ORDER BY day) FROM sample_day \
    WHERE series_id = ANY($1) AND day >= $2 GROUP BY series_id";

/// The archived samples of these series, by their numbers.
async fn archive(pool: &Pool, series: &[Row], since: Timestamp) -> Result<HashMap<i64, Vec<Sample>>, StoreError> {
    let ids = series.iter().map(|found| found.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
    let rows = query(match pool.dialect() {
        Dialect::Sqlite => DAYS_SQLITE,
        Dialect::Postgres => DAYS_POSTGRES,
    })
    .bind(list_of(&ids))
    .bind(day_of(since))
    .fetch_all(pool)
    .await?;
    let mut archived: HashMap<i64, Vec<Sample>> = HashMap::with_capacity(ids.len());
    for found in &rows {
        if let Some(days) = found.try_get::<Option<&[u8]>, _>(1)? {
            archived.insert(found.try_get(0)?, decoded(days)?);
        }
    }
    Ok(archived)
}

/// The SQL behind [`crate::store::Overview::open_alerts`].
pub(super) async fn open_alerts(pool: &Pool) -> Result<Vec<OpenAlert>, StoreError> {
    let rows = query(
        "SELECT t.tenant, a.rule, a.state, a.acknowledged_at IS NOT NULL AND a.state = 'firing' FROM alert AS a JOIN tenant AS t ON t.id = a.tenant_id \
         WHERE a.state <> 'resolved' AND a.state IN ('pending', 'firing')",
    )
    .fetch_all(pool)
    .await?;
    let open = |found: &Row| -> Result<OpenAlert, StoreError> {
        Ok(OpenAlert {
            tenant: row::tenant(found.try_get(0)?)?,
            rule: row::rule(found.try_get(1)?)?,
            is_firing: found.try_get::<&str, _>(2)? == "firing",
            is_acknowledged: found.try_get::<i64, _>(3)? != 0,
        })
    };
    rows.iter().map(open).collect()
}

const ADVICE_SQLITE: &str = "SELECT j.value ->> 0, r.impact, sum(j.value ->> 3), count(*), sum(coalesce(j.value ->> 1, 0)), min(r.taken_at), \
    max(j.value ->> 5) \
    FROM recommendation AS r JOIN tenant AS t ON t.id = r.tenant_id, json_each(r.rows) AS j \
    WHERE ($1 IS NULL OR t.tenant IN list($1)) AND (j.value ->> 3) > $2 \
    AND coalesce(j.value ->> 1, 1) > 0 AND NOT (j.value ->> 4) \
    GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT $3";
const ADVICE_POSTGRES: &str = "SELECT a.id, a.impact, sum(a.points), count(*), sum(coalesce(a.exposed, 0))::bigint, min(a.taken_at), \
    max(a.name) \
    FROM (SELECT j.value ->> 0 AS id, r.impact, r.taken_at, (j.value ->> 1)::bigint AS exposed, \
    (j.value ->> 3)::double precision AS points, (j.value ->> 4)::boolean AS is_excepted, j.value ->> 5 AS name \
    FROM recommendation AS r JOIN tenant AS t ON t.id = r.tenant_id, json_array_elements(r.rows::json) AS j(value) \
    WHERE $1 IS NULL OR t.tenant IN list($1)) AS a \
    WHERE a.points > $2 AND coalesce(a.exposed, 1) > 0 AND NOT coalesce(a.is_excepted, false) \
    GROUP BY 1, 2 ORDER BY 3 DESC, a.id COLLATE \"C\", a.impact COLLATE \"C\" LIMIT $3";

const ADVISED_SQLITE: &str = "SELECT id, impact, tenant, points FROM (\
    SELECT j.value ->> 0 AS id, r.impact AS impact, t.tenant AS tenant, j.value ->> 3 AS points, row_number() OVER (\
    PARTITION BY j.value ->> 0, r.impact ORDER BY j.value ->> 3 DESC, t.tenant) AS place \
    FROM recommendation AS r JOIN tenant AS t ON t.id = r.tenant_id, json_each(r.rows) AS j \
    WHERE ($1 IS NULL OR t.tenant IN list($1)) AND (j.value ->> 3) > $2 \
    AND coalesce(j.value ->> 1, 1) > 0 AND NOT (j.value ->> 4) AND j.value ->> 0 IN list($3)\
    ) WHERE place <= $4 ORDER BY id, impact, place";
const ADVISED_POSTGRES: &str = "SELECT p.id, p.impact, p.tenant, p.points FROM (\
    SELECT a.id, a.impact, a.tenant, a.points, row_number() OVER (PARTITION BY a.id, a.impact ORDER BY a.points DESC, a.tenant) AS place FROM (\
    SELECT j.value ->> 0 AS id, r.impact, t.tenant, (j.value ->> 1)::bigint AS exposed, \
    (j.value ->> 3)::double precision AS points, (j.value ->> 4)::boolean AS is_excepted \
    FROM recommendation AS r JOIN tenant AS t ON t.id = r.tenant_id, json_array_elements(r.rows::json) AS j(value) \
    WHERE $1 IS NULL OR t.tenant IN list($1)) AS a \
    WHERE a.points > $2 AND coalesce(a.exposed, 1) > 0 AND NOT coalesce(a.is_excepted, false) AND a.id IN list($3)\
    ) AS p WHERE p.place <= $4 ORDER BY p.id COLLATE \"C\", p.impact COLLATE \"C\", p.place";

/// The SQL behind [`crate::store::Overview::advice`]. A row is written as a list: id, exposed, total, impact, whether it is
/// excepted, name.
pub(super) async fn advice(
    pool: &Pool,
    tenants: Option<&BTreeSet<TenantId>>,
    limit: u32,
) -> Result<Vec<Advice>, StoreError> {
    let rows = query(match pool.dialect() {
        Dialect::Sqlite => ADVICE_SQLITE,
        Dialect::Postgres => ADVICE_POSTGRES,
    })
    .bind(tenants.map(list_of))
    .bind(NOTHING)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let mut advice = Vec::with_capacity(rows.len());
    for found in &rows {
        let name: &str = found.try_get(1)?;
        let Some(impact) = impact_of(name) else { continue };
        advice.push(Advice {
            id: found.try_get(0)?,
            impact,
            points: found.try_get(2)?,
            tenants: found.try_get::<i64, _>(3)?.cast_unsigned(),
            exposed: found.try_get::<i64, _>(4)?.cast_unsigned(),
            oldest_at: Timestamp::from_nanos(found.try_get(5)?),
            name: found.try_get(6)?,
        });
    }
    Ok(advice)
}

/// The SQL behind [`crate::store::Overview::advised`].
pub(super) async fn advised(
    pool: &Pool,
    tenants: Option<&BTreeSet<TenantId>>,
    of: &[&str],
    each: u32,
) -> Result<Vec<TenantAdvice>, StoreError> {
    let rows = query(match pool.dialect() {
        Dialect::Sqlite => ADVISED_SQLITE,
        Dialect::Postgres => ADVISED_POSTGRES,
    })
    .bind(tenants.map(list_of))
    .bind(NOTHING)
    .bind(list_of(of.iter().copied()))
    .bind(each)
    .fetch_all(pool)
    .await?;
    let mut advised = Vec::with_capacity(rows.len());
    for found in &rows {
        let Some(impact) = impact_of(found.try_get(1)?) else { continue };
        let (id, points, tenant) = (found.try_get(0)?, found.try_get(3)?, row::tenant(found.try_get(2)?)?);
        advised.push(TenantAdvice { id, impact, tenant, points });
    }
    Ok(advised)
}

/// The SQL behind [`crate::store::Overview::advised_count`].
pub(super) async fn advised_count(pool: &Pool, tenants: Option<&BTreeSet<TenantId>>) -> Result<u64, StoreError> {
    let rows = query(
        "SELECT count(DISTINCT r.tenant_id) FROM recommendation AS r JOIN tenant AS t ON t.id = r.tenant_id \
         WHERE $1 IS NULL OR t.tenant IN list($1)",
    )
    .bind(tenants.map(list_of))
    .fetch_all(pool)
    .await?;
    rows.first().map_or(Ok(0), |found| Ok(found.try_get::<i64, _>(0)?.cast_unsigned()))
}

/// The score of that name; `None`: this version does not know it, and leaves it out.
fn impact_of(name: &str) -> Option<Impact> {
    Impact::ALL.into_iter().find(|impact| impact.as_str() == name)
}
