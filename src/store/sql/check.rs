//! Writes what checks made of their tenants: a whole group of them in a handful of statements.

mod withdraw;

use std::collections::{HashMap, HashSet};

use super::{
    archive, average,
    bulk::Bulk,
    days::day_of,
    db::{Connection, Query, query},
    encoding, excluded, movement, outbox, recommendation,
    text::{subject_text, to_json},
};
use crate::{
    domain::{ScoreKind, Subject, TenantId, Timestamp},
    notify::fleet::Movement,
    rule::{Alert, AlertKey, RuleName},
    store::{CheckOutcome, Commit, Inherited, StoreError, TenantHealth},
};

/// A check's outcome with its blobs and texts already written, which callers do on their own threads.
pub(super) struct Check {
    tenant: TenantId,
    entra: Option<String>,
    id_key: String,
    expected_version: Option<u64>,
    health: TenantHealth,
    failures: Option<String>,
    series: Vec<SeriesRow>,
    alerts: Vec<AlertRow>,
    notifications: Vec<outbox::Prepared>,
    movements: Vec<Movement>,
    excluded: Option<excluded::Prepared>,
    recommendations: Vec<recommendation::Prepared>,
    averages: Option<String>,
    now: Timestamp,
}

struct SeriesRow {
    score: ScoreKind,
    subject: String,
    last_data_at: i64,
    onboarded_at: Option<i64>,
    keep: i64,
    newest_at: Option<i64>,
    recent: Vec<u8>,
}

struct AlertRow {
    key: String,
    rule: RuleName,
    score: Option<ScoreKind>,
    subject: Option<Subject>,
    alert: Alert,
    body: String,
    inherits: Option<(Inherited, String)>,
}

impl Check {
    pub(super) fn prepare(outcome: CheckOutcome) -> Result<Self, StoreError> {
        let CheckOutcome {
            tenant,
            identity,
            expected_version,
            health,
            series,
            alerts,
            notifications,
            movements,
            excluded,
            recommendations,
            averages,
            now,
        } = outcome;
        let series = series.into_iter().map(|mut update| {
            if !update.window.is_sorted_by_key(|sample| sample.at) {
                update.window.sort_by_key(|sample| sample.at);
            }
            SeriesRow {
                score: update.score,
                subject: subject_text(update.subject.as_ref()),
                last_data_at: update.last_data_at.as_nanos(),
                onboarded_at: update.onboarded_at.map(Timestamp::as_nanos),
                keep: i64::try_from(update.keep.as_nanos()).unwrap_or(i64::MAX),
                newest_at: update.window.last().map(|newest| newest.at.as_nanos()),
                recent: encoding::encode(&update.window),
            }
        });
        let series = series.collect();
        let alerts = alerts.into_iter().map(|update| {
            let (rule, score, subject) = (update.rule, update.score, update.subject);
            let older = update.inherits.map(|inherits| {
                let (score, subject) = inherits.from.clone();
                let key = AlertKey { tenant: tenant.clone(), rule: rule.clone(), score, subject };
                to_json(&key).map(|key| (inherits, key))
            });
            let key = AlertKey { tenant: tenant.clone(), rule, score, subject };
            let body = to_json(&update.alert)?;
            let text = to_json(&key)?;
            let AlertKey { rule, score, subject, .. } = key;
            Ok(AlertRow { key: text, rule, score, subject, alert: update.alert, body, inherits: older.transpose()? })
        });
        let alerts = alerts.collect::<Result<_, StoreError>>()?;
        let notifications =
            notifications.iter().map(|new| outbox::Prepared::new(new, now)).collect::<Result<_, _>>()?;
        let excluded = excluded.as_ref().map(excluded::Prepared::new).transpose()?;
        let recommendations = recommendations.iter().map(recommendation::Prepared::new).collect::<Result<_, _>>()?;
        let averages = averages.as_ref().map(to_json).transpose()?;
        let failures = (!health.failures.is_empty()).then(|| to_json(&health.failures)).transpose()?;
        let entra = identity.entra.map(|entra| entra.to_string());
        let id_key = if identity.key.is_empty() { tenant.to_string() } else { identity.key };
        Ok(Self {
            tenant,
            entra,
            id_key,
            expected_version,
            health,
            failures,
            series,
            alerts,
            notifications,
            movements,
            excluded,
            recommendations,
            averages,
            now,
        })
    }
}

/// Writes these checks within the transaction that is open. Checks of one tenant see each other in order.
pub(super) async fn write(connection: &mut Connection, checks: &[Check]) -> Result<Vec<Commit>, StoreError> {
    let mut commits = vec![Commit::Conflict; checks.len()];
    let mut waiting: Vec<usize> = (0..checks.len()).collect();
    while !waiting.is_empty() {
        let mut seen = HashSet::new();
        let (round, later) = waiting.into_iter().partition(|&index| seen.insert(checks[index].tenant.as_str()));
        waiting = later;
        write_round(connection, checks, round, &mut commits).await?;
    }
    Ok(commits)
}

/// Writes checks of tenants that are all different.
async fn write_round(
    connection: &mut Connection,
    checks: &[Check],
    round: Vec<usize>,
    commits: &mut [Commit],
) -> Result<(), StoreError> {
    let round = withdraw::possible(connection, checks, round).await?;
    let accepted = write_tenants(connection, &round.iter().map(|&index| &checks[index]).collect::<Vec<_>>()).await?;
    let mut won: Vec<(i64, &Check)> = Vec::with_capacity(accepted.len());
    for index in round {
        let check = &checks[index];
        if let Some(tenant) = accepted.get(check.tenant.as_str()) {
            commits[index] = Commit::Done;
            won.push((tenant.id, check));
        }
    }
    write_series(connection, &won).await?;
    withdraw::ends(connection, won.iter().map(|(_, check)| *check)).await?;
    write_alerts(connection, &won).await?;
    write_inherited(connection, &won).await?;
    for notification in won.iter().flat_map(|(_, check)| &check.notifications) {
        outbox::announce(connection, notification).await?;
    }
    delete_blank_alerts(connection, &won).await?;
    for (tenant, check) in &won {
        if let Some(excluded) = &check.excluded {
            excluded::write(connection, *tenant, excluded).await?;
        }
        recommendation::write(connection, *tenant, &check.recommendations).await?;
        movement::write(connection, *tenant, &check.movements).await?;
    }
    let averages: Vec<_> =
        won.iter().filter_map(|(tenant, check)| Some((*tenant, check.averages.as_deref()?))).collect();
    average::write(connection, &averages).await?;
    let due = won.iter().filter_map(|(id, check)| {
        let today = day_of(check.now);
        (accepted.get(check.tenant.as_str())?.rolled_day < today).then_some((*id, today))
    });
    archive::roll_tenants(connection, &due.collect::<Vec<_>>()).await
}

struct Accepted {
    id: i64,
    rolled_day: i64,
}

static UPDATE_TENANT: Bulk = Bulk::new(
    "UPDATE tenant SET version = version + 1, first_seen_at = v.column3, next_due_at = v.column4, wake_at = v.column5, \
     checked_at = v.column6, failing_since = v.column7, failing_class = v.column8, failing_hint = v.column9, \
     failures = v.column10, recheck_requested_at = NULL FROM (VALUES ",
    12,
    ") AS v WHERE tenant.tenant = v.column1 AND tenant.version = v.column2 \
     AND tenant.entra IS NOT DISTINCT FROM v.column11 RETURNING id, tenant, rolled_day",
);

static INSERT_TENANT: Bulk = Bulk::new(
    "INSERT INTO tenant (tenant, version, first_seen_at, next_due_at, wake_at, checked_at, failing_since, failing_class, \
     failing_hint, failures, entra, id_key) VALUES ",
    12,
    // The slug or the Entra id may have a row meanwhile.
    " ON CONFLICT DO NOTHING RETURNING id, tenant, rolled_day",
);

fn bind_tenant<'q>(query: Query<'q>, check: &'q &Check) -> Query<'q> {
    let health = &check.health;
    let failing = health.failing.as_ref();
    query
        .bind(check.tenant.as_str())
        .bind(check.expected_version.map_or(1, u64::cast_signed))
        .bind(health.first_seen_at.as_nanos())
        .bind(health.next_due_at.as_nanos())
        .bind(health.wake_at.map(Timestamp::as_nanos))
        .bind(health.checked_at.map(Timestamp::as_nanos))
        .bind(failing.map(|failing| failing.since.as_nanos()))
        .bind(failing.map(|failing| failing.class.as_str()))
        .bind(failing.and_then(|failing| failing.hint.as_deref()))
        .bind(check.failures.as_deref())
        .bind(check.entra.as_deref())
        .bind(check.id_key.as_str())
}

/// Compares versions and writes tenants; returns those whose version was the expected one.
async fn write_tenants(connection: &mut Connection, round: &[&Check]) -> Result<HashMap<String, Accepted>, StoreError> {
    let (known, new): (Vec<&Check>, Vec<&Check>) = round.iter().partition(|check| check.expected_version.is_some());
    let mut rows = UPDATE_TENANT.fetch(connection, &known, bind_tenant).await?;
    rows.append(&mut INSERT_TENANT.fetch(connection, &new, bind_tenant).await?);
    let mut accepted = HashMap::with_capacity(rows.len());
    for row in rows {
        accepted.insert(row.try_get(1)?, Accepted { id: row.try_get(0)?, rolled_day: row.try_get(2)? });
    }
    Ok(accepted)
}

static UPSERT_SERIES: Bulk = Bulk::new(
    "INSERT INTO series (tenant_id, score, subject, last_data_at, keep, newest_at, recent, onboarded_at) VALUES ",
    8,
    " ON CONFLICT (tenant_id, score, subject) DO UPDATE SET last_data_at = excluded.last_data_at, \
     keep = excluded.keep, newest_at = excluded.newest_at, recent = excluded.recent, \
     onboarded_at = excluded.onboarded_at",
);

async fn write_series(connection: &mut Connection, won: &[(i64, &Check)]) -> Result<(), StoreError> {
    let rows: Vec<_> = won.iter().flat_map(|(id, check)| check.series.iter().map(|series| (*id, series))).collect();
    UPSERT_SERIES.execute(connection, &rows, bind_series).await
}

fn bind_series<'q>(query: Query<'q>, (tenant, series): &'q (i64, &SeriesRow)) -> Query<'q> {
    query
        .bind(tenant)
        .bind(series.score.as_str())
        .bind(series.subject.as_str())
        .bind(series.last_data_at)
        .bind(series.keep)
        .bind(series.newest_at)
        .bind(series.recent.as_slice())
        .bind(series.onboarded_at)
}

static UPSERT_ALERT: Bulk = Bulk::new(
    "INSERT INTO alert (key, tenant_id, rule, score, subject, state, body, generation, changed_at, taken_back, \
     escalated) VALUES ",
    11,
    " ON CONFLICT (key) DO UPDATE SET state = excluded.state, body = excluded.body, \
     generation = excluded.generation, changed_at = excluded.changed_at, taken_back = excluded.taken_back, \
     escalated = excluded.escalated, \
     acknowledged_at = CASE WHEN alert.generation = excluded.generation THEN alert.acknowledged_at END",
);

async fn write_alerts(connection: &mut Connection, won: &[(i64, &Check)]) -> Result<(), StoreError> {
    let rows: Vec<_> = won
        .iter()
        .flat_map(|(id, check)| check.alerts.iter().map(|alert| (*id, check.now, alert)))
        .filter(|(_, _, row)| !row.alert.is_blank())
        .collect();
    UPSERT_ALERT.execute(connection, &rows, bind_alert).await
}

fn bind_alert<'q>(query: Query<'q>, (tenant, now, row): &'q (i64, Timestamp, &AlertRow)) -> Query<'q> {
    query
        .bind(row.key.as_str())
        .bind(tenant)
        .bind(row.rule.as_str())
        .bind(row.score.map_or("", ScoreKind::as_str))
        .bind(row.subject.as_ref().map(Subject::as_str))
        .bind(row.alert.state.as_str())
        .bind(row.body.as_str())
        .bind(row.alert.generation.cast_signed())
        .bind(now.as_nanos())
        .bind(row.alert.firing().map_or(0, |firing| firing.taken_back.cast_signed()))
        .bind(row.alert.firing().map_or(0, |firing| i64::from(firing.escalated.steps)))
}

/// Who was notified of the alerts that these replace.
async fn write_inherited(connection: &mut Connection, won: &[(i64, &Check)]) -> Result<(), StoreError> {
    let rows = won.iter().flat_map(|(_, check)| &check.alerts);
    for (row, (inherits, older)) in rows.filter_map(|row| Some((row, row.inherits.as_ref()?))) {
        query(
            "UPDATE alert SET notified_channels = $2, notified_generation = generation, notified_at = $3, \
             last_notification = (SELECT last_notification FROM alert WHERE key = $4) WHERE key = $1",
        )
        .bind(&row.key)
        .bind(to_json(&inherits.notified_channels)?)
        .bind(inherits.notified_at.map(Timestamp::as_nanos))
        .bind(older)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

static DELETE_ALERT: Bulk = Bulk::new("DELETE FROM alert WHERE key IN (VALUES ", 1, ")");

async fn delete_blank_alerts(connection: &mut Connection, won: &[(i64, &Check)]) -> Result<(), StoreError> {
    let blank: Vec<&AlertRow> =
        won.iter().flat_map(|(_, check)| &check.alerts).filter(|row| row.alert.is_blank()).collect();
    DELETE_ALERT.execute(connection, &blank, |query, row| query.bind(row.key.as_str())).await
}
