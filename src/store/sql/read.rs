//! Reads tenants, samples and alerts, on readers that see the newest commit.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use super::{
    alert_notes,
    days::day_of,
    db::{Dialect, Pool, Row, list_of, pairs, query, query_as, query_scalar},
    encoding, excluded, movement, roster, row,
    text::{subject_from, subject_text, to_json},
};
use crate::{
    domain::{Excluded, Sample, ScoreKind, SeriesKey, Subject, TenantId, Timestamp},
    notify::{NotificationId, NotificationType, alert_notes::ends_acknowledgement, silence::Acknowledgement},
    rule::{Alert, AlertKey, AlertState},
    store::{
        AlertFilter, AlertRecord, AlertRow, Due, Failing, Owed, SeriesRecord, StoreError, TenantHealth, TenantIdentity,
        TenantRecord,
    },
};

pub(super) async fn schedule(pool: &Pool) -> Result<Vec<Due>, StoreError> {
    use futures_util::TryStreamExt;
    let mut rows = query("SELECT tenant, next_due_at, wake_at FROM tenant").fetch(pool);
    let mut schedule = Vec::new();
    while let Some(row) = rows.try_next().await? {
        schedule.push(Due {
            tenant: row::tenant(row.try_get(0)?)?,
            next_due_at: Timestamp::from_nanos(row.try_get(1)?),
            wake_at: row::time(row.try_get(2)?),
        });
    }
    Ok(schedule)
}

/// The SQL behind [`crate::store::Outbox::knows`].
pub(super) async fn knows(pool: &Pool, notification: &NotificationId) -> Result<bool, StoreError> {
    let query = query_scalar("SELECT EXISTS (SELECT 1 FROM notification WHERE id = $1)");
    query.bind(notification.as_str()).fetch_one(pool).await
}

/// Reads versions first: what a later query shows may be newer, never older, and then the version no longer fits at commit.
pub(super) async fn load(pool: &Pool, tenants: &[TenantId]) -> Result<Vec<TenantRecord>, StoreError> {
    let rows = query(
        "SELECT id, tenant, version, first_seen_at, next_due_at, wake_at, checked_at, failing_since, failing_class, failing_hint, \
         failures, watched_since, entra, id_key FROM tenant WHERE tenant IN list($1)",
    )
    .bind(list_of(tenants))
    .fetch_all(pool)
    .await?;
    let mut records = Vec::with_capacity(rows.len());
    let mut places = HashMap::with_capacity(rows.len());
    for row in &rows {
        places.insert(row.try_get::<i64, _>(0)?, records.len());
        records.push(tenant_record(row)?);
    }
    let ids = list_of(places.keys());
    let series = query(
        "SELECT tenant_id, score, subject, last_data_at, recent, keep, onboarded_at FROM series \
         WHERE tenant_id IN list($1) AND keep > 0 ORDER BY tenant_id, score, subject",
    )
    .bind(&ids)
    .fetch_all(pool)
    .await?;
    for row in &series {
        records[places[&row.try_get(0)?]].series.push(series_record(row)?);
    }
    let alerts = query(format!(
        "SELECT tenant_id, rule, score, subject, body, {} FROM alert \
         WHERE tenant_id IN list($1) ORDER BY id",
        alert_notes::COLUMNS
    ))
    .bind(&ids)
    .fetch_all(pool)
    .await?;
    let (mut ends, mut unsettled) = (Vec::new(), Vec::new());
    for row in &alerts {
        let (alert, newest) = alert_record(row)?;
        let place = places[&row.try_get(0)?];
        if matches!(alert.alert.state, AlertState::Inactive) && alert.notified_at.is_none() {
            ends.push((newest.clone(), place, records[place].alerts.len()));
        }
        if alert.alert.is_firing() && alert.notified_at.is_none() {
            unsettled.extend(newest.map(|newest| (newest, place, records[place].alerts.len())));
        }
        records[place].alerts.push(alert);
    }
    let tried = tried(pool, ends.iter().filter_map(|(newest, ..)| newest.as_ref()).collect()).await?;
    for (newest, place, index) in ends {
        records[place].alerts[index].can_be_withdrawn = newest.is_none_or(|newest| !tried.contains(&newest));
    }
    let sendable = sendable(pool, unsettled.iter().map(|(newest, ..)| newest).collect()).await?;
    for (newest, place, index) in unsettled {
        let Some(newest) = sendable.get(&newest) else { continue };
        let record = &mut records[place].alerts[index];
        record.sendable_since = Some(newest.since);
        record.outgrows_acknowledgement =
            record.acknowledged.as_ref().is_some_and(|seen| newest.ends(seen, &record.alert));
    }
    for (tenant, shifted) in movement::parts_of(pool, &ids).await? {
        records[places[&tenant]].shifted.push(shifted);
    }
    for (tenant, excluded) in excluded::of(pool, &ids).await? {
        records[places[&tenant]].excluded = excluded;
    }
    Ok(records)
}

/// Those of these notifications that somebody has tried to send.
async fn tried(pool: &Pool, of: Vec<&NotificationId>) -> Result<HashSet<NotificationId>, StoreError> {
    let mut tried = HashSet::new();
    if of.is_empty() {
        return Ok(tried);
    }
    let deliveries: Vec<(String, String, i64)> =
        query_as("SELECT notification_id, state, attempts FROM delivery WHERE notification_id IN list($1)")
            .bind(list_of(of))
            .fetch_all(pool)
            .await?;
    for (notification, state, attempts) in &deliveries {
        if !row::state(state)?.can_be_withdrawn(row::count(*attempts)?) {
            tried.insert(NotificationId::from_text(notification));
        }
    }
    Ok(tried)
}

/// Those of these series whose subjects are gone.
pub(super) async fn gone_series(
    pool: &Pool,
    tenant: &TenantId,
    subjects: &[(ScoreKind, Subject)],
) -> Result<Vec<SeriesRecord>, StoreError> {
    let named = subjects.iter().map(|(score, subject)| (score.as_str(), subject_text(Some(subject))));
    let rows = query(
        "SELECT tenant_id, score, subject, last_data_at, recent, keep, onboarded_at FROM series \
         WHERE tenant_id = (SELECT id FROM tenant WHERE tenant = $1) AND keep = 0 \
         AND (score, subject) IN (SELECT v.key, v.value FROM pairs($2) AS v) ORDER BY score, subject",
    )
    .bind(tenant.as_str())
    .bind(pairs(named)?)
    .fetch_all(pool)
    .await?;
    rows.iter().map(series_record).collect()
}

/// A notification that nothing holds on some channel.
struct Sendable {
    /// From when on it could be sent.
    since: Timestamp,
    kind: NotificationType,
    sequence: u64,
    made_at: Timestamp,
}

impl Sendable {
    fn ends(&self, seen: &Acknowledgement, alert: &Alert) -> bool {
        let taken_back = alert.firing().map_or(0, |firing| firing.taken_back);
        ends_acknowledgement(self.kind, self.sequence, self.made_at, seen.at, taken_back)
    }
}

/// Those of these notifications that nothing holds on some channel. One that is merged into another message is sent with that.
async fn sendable(pool: &Pool, of: Vec<&NotificationId>) -> Result<HashMap<NotificationId, Sendable>, StoreError> {
    if of.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<(String, i64, String, i64, i64)> = query_as(
        "SELECT n.id, min(coalesce(c.queued_at, d.queued_at)), n.type, n.sequence, n.at \
         FROM notification n JOIN delivery d ON d.notification_id = n.id LEFT JOIN delivery c ON c.id = d.merged_into \
         WHERE n.id IN list($1) AND d.state <> 'held' AND coalesce(c.state, '') <> 'held' \
         GROUP BY n.id",
    )
    .bind(list_of(of))
    .fetch_all(pool)
    .await?;
    let sendable = |(id, since, kind, sequence, made_at): &(String, i64, String, i64, i64)| {
        let sendable = Sendable {
            since: Timestamp::from_nanos(*since),
            kind: row::notification_type(kind)?,
            sequence: sequence.cast_unsigned(),
            made_at: Timestamp::from_nanos(*made_at),
        };
        Ok((NotificationId::from_text(id), sendable))
    };
    found.iter().map(sendable).collect()
}

fn tenant_record(row: &Row) -> Result<TenantRecord, StoreError> {
    let failing = match (row::time(row.try_get(7)?), row.try_get(8)?) {
        (Some(since), Some(class)) => Some(Failing { since, class, hint: row.try_get(9)? }),
        _ => None,
    };
    let slug: &str = row.try_get(1)?;
    let key: Option<&str> = row.try_get(13)?;
    Ok(TenantRecord {
        tenant: row::tenant(slug)?,
        identity: TenantIdentity { entra: roster::entra(row.try_get(12)?)?, key: key.unwrap_or(slug).to_owned() },
        version: row.try_get::<i64, _>(2)?.cast_unsigned(),
        health: TenantHealth {
            first_seen_at: Timestamp::from_nanos(row.try_get(3)?),
            next_due_at: Timestamp::from_nanos(row.try_get(4)?),
            wake_at: row::time(row.try_get(5)?),
            checked_at: row::time(row.try_get(6)?),
            failing,
            failures: row::failures(row.try_get(10)?)?,
            watched_since: row::time(row.try_get(11)?),
        },
        series: Vec::new(),
        alerts: Vec::new(),
        shifted: Vec::new(),
        excluded: Excluded::default(),
    })
}

fn samples(blob: &[u8]) -> Result<Vec<Sample>, StoreError> {
    encoding::decode(blob).map_err(|_| StoreError::Undecodable("samples of a series".to_owned()))
}

fn series_record(row: &Row) -> Result<SeriesRecord, StoreError> {
    Ok(SeriesRecord {
        score: row::score(row.try_get(1)?)?,
        subject: subject_from(row.try_get(2)?),
        last_data_at: Timestamp::from_nanos(row.try_get(3)?),
        window: samples(row.try_get(4)?)?,
        keep: Duration::from_nanos(row.try_get::<i64, _>(5)?.unsigned_abs()),
        onboarded_at: row::time(row.try_get(6)?),
    })
}

/// An alert, and its newest notification. Whether that can be withdrawn is asked of those alerts only that are over.
fn alert_record(row: &Row) -> Result<(AlertRecord, Option<NotificationId>), StoreError> {
    let notes = alert_notes::notes(row)?;
    let record = AlertRecord {
        rule: row::rule(row.try_get(1)?)?,
        score: row::alert_score(row.try_get(2)?)?,
        subject: row.try_get::<Option<&str>, _>(3)?.map(|text| Subject(text.into())),
        alert: row::alert(row.try_get(4)?)?,
        notified_at: notes.notified_at,
        sendable_since: None,
        outgrows_acknowledgement: false,
        can_be_withdrawn: false,
        notified_channels: notes.current_channels().to_vec(),
        acknowledged: notes.acknowledged,
        shift: notes.shift,
        owes: notes.owes,
    };
    Ok((record, notes.newest))
}

pub(super) async fn alerts(pool: &Pool, filter: &AlertFilter) -> Result<Vec<AlertRow>, StoreError> {
    let rows = query(format!(
        "SELECT a.tenant_id, a.rule, a.score, a.subject, a.body, t.tenant, a.changed_at, n.body, {} \
         FROM alert AS a JOIN tenant AS t ON t.id = a.tenant_id LEFT JOIN notification AS n ON n.id = a.last_notification \
         WHERE ($1 IS NULL OR t.tenant = $1) AND ($2 IS NULL OR a.rule = $2) \
         AND ($3 = 0 OR a.state IN ('pending', 'firing')) AND ($4 = 0 OR a.state = 'firing') \
         AND ($5 IS NULL OR a.shift = $5) AND ($6 IS NULL OR a.owes = $6) AND (a.state <> 'resolved' OR a.generation > 0) \
         AND ($7 IS NULL OR t.tenant IN list($7)) \
         AND ($8 IS NULL OR a.changed_at < $8 OR (a.changed_at = $8 \
              AND a.id < coalesce((SELECT id FROM alert WHERE key = $9), 9223372036854775807))) \
         ORDER BY a.changed_at DESC, a.id DESC LIMIT $10",
        alert_notes::COLUMNS
    ))
    .bind(filter.tenant.as_ref().map(TenantId::as_str))
    .bind(filter.rule.as_ref().map(crate::rule::RuleName::as_str))
    .bind(filter.open_only)
    .bind(filter.firing_only)
    .bind(filter.shift.as_deref())
    .bind(filter.owes.map(Owed::as_str))
    .bind(filter.tenants.as_ref().map(list_of))
    .bind(filter.after.as_ref().map(|after| after.changed_at.as_nanos()))
    .bind(filter.after.as_ref().map(|after| to_json(&after.alert)).transpose()?)
    .bind(filter.limit.map_or(i64::MAX, i64::from))
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|found| {
            let (record, _) = alert_record(found)?;
            let AlertRecord {
                rule,
                score,
                subject,
                alert,
                notified_at,
                notified_channels,
                acknowledged,
                shift,
                owes,
                ..
            } = record;
            Ok(AlertRow {
                key: AlertKey { tenant: row::tenant(found.try_get(5)?)?, rule, score, subject },
                acknowledged: acknowledged.filter(|_| alert.is_firing()),
                alert,
                notified_at,
                notified_channels,
                shift,
                owes,
                last_notification: found.try_get::<Option<&str>, _>(7)?.map(row::notification).transpose()?,
                changed_at: Timestamp::from_nanos(found.try_get(6)?),
            })
        })
        .collect()
}

/// One search for each day, from the first day that anybody has: the days of all series are side by side.
const DAYS_SQLITE: &str = "WITH RECURSIVE days (day) AS (SELECT max($2, (SELECT min(day) FROM sample_day)) \
    UNION ALL SELECT day + 1 FROM days WHERE day < $3) \
    SELECT samples FROM days CROSS JOIN sample_day USING (day) WHERE series_id = $1 ORDER BY day";
/// The days of one series are side by side.
const DAYS_POSTGRES: &str =
    "SELECT samples FROM sample_day WHERE series_id = $1 AND day BETWEEN $2 AND $3 ORDER BY day";

/// The series first, its days after: a day archived in between is in both, and only its row's samples up to `archived_through` count.
pub(super) async fn history(pool: &Pool, key: &SeriesKey, since: Timestamp) -> Result<Vec<Sample>, StoreError> {
    let series = query(
        "SELECT id, archived_through, recent FROM series \
         WHERE tenant_id = (SELECT id FROM tenant WHERE tenant = $1) AND score = $2 AND subject = $3",
    )
    .bind(key.tenant.as_str())
    .bind(key.score.as_str())
    .bind(subject_text(key.subject.as_ref()))
    .fetch_optional(pool)
    .await?;
    let Some(series) = series else { return Ok(Vec::new()) };
    let archived_through = row::time(series.try_get(1)?);
    let mut history = Vec::new();
    if let Some(through) = archived_through {
        let days = query(match pool.dialect() {
            Dialect::Sqlite => DAYS_SQLITE,
            Dialect::Postgres => DAYS_POSTGRES,
        })
        .bind(series.try_get::<i64, _>(0)?)
        .bind(day_of(since))
        .bind(day_of(through))
        .fetch_all(pool)
        .await?;
        for day in &days {
            history.extend(samples(day.try_get(0)?)?.into_iter().filter(|sample| sample.at <= through));
        }
    }
    let fresh = |sample: &Sample| archived_through.is_none_or(|through| sample.at > through);
    history.extend(samples(series.try_get(2)?)?.into_iter().filter(fresh));
    history.retain(|sample| sample.at >= since);
    Ok(history)
}
