//! Movements of series: written with their check, read to find fleet shifts in them, and kept with the shift that they are part of.

use std::time::Duration;

use super::{
    db::{Connection, List, Pool, Row, query, query_scalar},
    row,
    text::{subject_from, subject_text},
};
use crate::{
    domain::{Sample, ScoreKind, TenantId, Timestamp},
    notify::fleet::{Attributed, Movement, Scope, Tracked, amount},
    rule::ShiftedBy,
    store::{SeriesShift, StoreError},
};

/// How many polling intervals around an undecided movement others are considered.
const AROUND_INTERVALS: i64 = 3;

/// Keeps what a check saw move.
pub(super) async fn write(connection: &mut Connection, tenant: i64, movements: &[Movement]) -> Result<(), StoreError> {
    for movement in movements {
        query(
            "INSERT INTO movement (tenant_id, score, subject, before_at, before, at, value, by, read_at, interval) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        )
        .bind(tenant)
        .bind(movement.score.as_str())
        .bind(subject_text(movement.subject.as_ref()))
        .bind(movement.before.at.as_nanos())
        .bind(movement.before.value)
        .bind(movement.after.at.as_nanos())
        .bind(movement.after.value)
        .bind(movement.by)
        .bind(movement.read_at.as_nanos())
        .bind(i64::try_from(movement.interval.as_nanos()).unwrap_or(i64::MAX))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The SQL behind [`crate::store::Fleet::movements`].
pub(super) async fn undecided(pool: &Pool, since: Timestamp) -> Result<Vec<Tracked>, StoreError> {
    let from: Option<i64> =
        query_scalar("SELECT min(least(before_at, at - $1 * \"interval\")) FROM movement WHERE is_decided = 0")
            .bind(AROUND_INTERVALS)
            .fetch_one(pool)
            .await?;
    let Some(from) = from else { return Ok(Vec::new()) };
    let rows = query(
        "SELECT m.id, t.tenant, m.score, m.subject, m.before_at, m.before, m.at, m.value, m.by, m.read_at, m.interval, \
         m.is_decided, m.shift, m.part_by, m.is_outlier FROM movement AS m JOIN tenant AS t ON t.id = m.tenant_id \
         WHERE m.at >= $1 OR m.is_decided = 0 ORDER BY m.at, m.id",
    )
    .bind(from.max(since.as_nanos()))
    .fetch_all(pool)
    .await?;
    rows.iter().map(tracked).collect()
}

fn tracked(found: &Row) -> Result<Tracked, StoreError> {
    let sample = |at: usize, value: usize| -> Result<Sample, StoreError> {
        Ok(Sample { at: Timestamp::from_nanos(found.try_get(at)?), value: found.try_get(value)? })
    };
    let part = match (found.try_get::<Option<String>, _>(12)?, found.try_get::<Option<f64>, _>(13)?) {
        (Some(shift), Some(by)) => Some(Attributed { shift, by, is_outlier: found.try_get::<i64, _>(14)? != 0 }),
        _ => None,
    };
    Ok(Tracked {
        id: found.try_get(0)?,
        movement: Movement {
            tenant: row::tenant(found.try_get(1)?)?,
            score: row::score(found.try_get(2)?)?,
            subject: subject_from(found.try_get(3)?),
            before: sample(4, 5)?,
            after: sample(6, 7)?,
            by: found.try_get(8)?,
            read_at: Timestamp::from_nanos(found.try_get(9)?),
            interval: Duration::from_nanos(u64::try_from(found.try_get::<i64, _>(10)?).unwrap_or_default()),
        },
        is_decided: found.try_get::<i64, _>(11)? != 0,
        part,
    })
}

/// The SQL behind [`crate::store::Fleet::newest_samples`].
pub(super) async fn newest_samples(pool: &Pool, scope: &Scope) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
    let rows = query(
        "SELECT t.tenant, s.newest_at FROM series AS s JOIN tenant AS t ON t.id = s.tenant_id \
         WHERE s.score = $1 AND ($2 = '' OR s.subject = $2) AND s.newest_at IS NOT NULL",
    )
    .bind(scope.score.as_str())
    .bind(subject_text(scope.category.as_ref()))
    .fetch_all(pool)
    .await?;
    rows.iter().map(|found| Ok((row::tenant(found.try_get(0)?)?, Timestamp::from_nanos(found.try_get(1)?)))).collect()
}

/// Notes what was decided of movements.
pub(super) async fn note(connection: &mut Connection, decided: &[Tracked]) -> Result<(), StoreError> {
    for Tracked { id, part, .. } in decided {
        query(
            "UPDATE movement SET is_decided = 1, shift = coalesce(shift, $2), part_by = coalesce(part_by, $3), \
             is_outlier = greatest(is_outlier, $4) WHERE id = $1",
        )
        .bind(id)
        .bind(part.as_ref().map(|part| part.shift.as_str()))
        .bind(part.as_ref().map(|part| part.by))
        .bind(part.as_ref().is_some_and(|part| part.is_outlier))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// What fleet shifts did to the series of these tenants, each with the tenant's number, oldest first.
pub(super) async fn parts_of(pool: &Pool, tenants: &List) -> Result<Vec<(i64, SeriesShift)>, StoreError> {
    let rows = query(
        "SELECT tenant_id, score, subject, shift, at, part_by, is_outlier FROM movement \
         WHERE shift IS NOT NULL AND tenant_id IN list($1) ORDER BY tenant_id, at",
    )
    .bind(tenants)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|found| {
            let score = row::score(found.try_get(1)?)?;
            let by = amount(score.unit(), found.try_get::<Option<f64>, _>(5)?.unwrap_or_default());
            let shifted = SeriesShift {
                score,
                subject: subject_from(found.try_get(2)?),
                shift: found.try_get(3)?,
                shifted_by: ShiftedBy { at: Timestamp::from_nanos(found.try_get(4)?), by },
                is_outlier: found.try_get::<i64, _>(6)? != 0,
            };
            Ok((found.try_get(0)?, shifted))
        })
        .collect()
}

/// The SQL behind [`crate::store::Overview::shifted_since`].
pub(super) async fn shifted_since(
    pool: &Pool,
    since: Timestamp,
) -> Result<Vec<(TenantId, ScoreKind, ShiftedBy)>, StoreError> {
    let rows = query(
        "SELECT t.tenant, m.score, m.at, m.part_by FROM movement AS m JOIN tenant AS t ON t.id = m.tenant_id \
         WHERE m.shift IS NOT NULL AND m.subject = '' AND m.at > $1 ORDER BY m.tenant_id, m.at",
    )
    .bind(since.as_nanos())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|found| {
            let score = row::score(found.try_get(1)?)?;
            let by = amount(score.unit(), found.try_get::<Option<f64>, _>(3)?.unwrap_or_default());
            let shifted_by = ShiftedBy { at: Timestamp::from_nanos(found.try_get(2)?), by };
            Ok((row::tenant(found.try_get(0)?)?, score, shifted_by))
        })
        .collect()
}

/// The SQL behind [`crate::store::Fleet::shifted_tenants`].
pub(super) async fn tenants_of(pool: &Pool, shift: &str) -> Result<Vec<(TenantId, bool)>, StoreError> {
    let rows = query(
        "SELECT t.tenant, max(m.is_outlier) FROM movement AS m JOIN tenant AS t ON t.id = m.tenant_id \
         WHERE m.shift = $1 GROUP BY t.tenant ORDER BY t.tenant",
    )
    .bind(shift)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|found| Ok((row::tenant(found.try_get(0)?)?, found.try_get::<i64, _>(1)? != 0))).collect()
}
