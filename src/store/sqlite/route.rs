//! What a changed configuration changes of who is notified: of alerts that fire, and of what waits.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{channel, check::to_json, hold, merge, outbox, row};
use crate::{
    domain::{ChannelName, Timestamp},
    notify::{DeliveryId, Hold},
    store::{ChannelIdentity, Reroute, Rerouted, Routed, RoutedAlert, Routes, StoreError},
};

/// Why a channel is sent nothing more of an alert.
const LEFT: &str = "the channel is not notified of this any more";
/// The same of a channel that is gone.
const GONE: &str = "the channel is no longer configured";
/// Why a message is not sent to a channel: it is on its way to another one of the operator's.
const ELSEWHERE: &str = "another channel of the operator has it";

/// The SQL behind [`crate::store::Channels::note_channels`].
pub(super) async fn note_channels(
    connection: &mut SqliteConnection,
    identities: &[ChannelIdentity],
    now: Timestamp,
) -> Result<(), StoreError> {
    for ChannelIdentity { channel: name, destination, access } in identities {
        let known: Option<(Option<String>, Option<String>)> =
            sqlx::query_as("SELECT destination, access FROM channel WHERE name = ?")
                .bind(name.as_str())
                .fetch_optional(&mut *connection)
                .await?;
        let (before, before_access) = known.unwrap_or_default();
        if before.as_ref().is_some_and(|before| before != destination) {
            begin_again(connection, name, now).await?;
        } else if before_access.as_ref().is_some_and(|before| before != access) {
            channel::unpark(connection, name.as_str(), now).await?;
        }
        sqlx::query(
            "INSERT INTO channel (name, destination, access) VALUES (?, ?, ?) ON CONFLICT (name) \
             DO UPDATE SET destination = excluded.destination, access = excluded.access",
        )
        .bind(name.as_str())
        .bind(destination)
        .bind(access)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A channel with another destination is as good as new, but what waits for it goes there.
async fn begin_again(connection: &mut SqliteConnection, name: &ChannelName, now: Timestamp) -> Result<(), StoreError> {
    channel::unpark(connection, name.as_str(), now).await?;
    for sql in [
        "UPDATE channel SET failures = 0, failing_since = NULL, failed_from = NULL, failed_until = NULL, last_error = NULL, \
         cooldown_from = 0, cooldown_until = 0, proven_at = NULL, rejected_delivery = NULL, delivered_at = NULL, \
         was_parked_from = NULL, was_parked_until = NULL, seen_at = ?2, drilled_at = ?2 WHERE name = ?1",
        // Giving up counts from here, and no retry waits for what the old receiver asked for.
        "UPDATE delivery SET next_attempt_at = ?2, queued_at = ?2, plain = 0, rejected_at = NULL \
         WHERE channel = ?1 AND finished_at IS NULL",
        // Whoever reads there was notified of nothing yet, other than of what waits.
        "UPDATE alert SET notified_channels = (SELECT json_group_array(value) FROM json_each(alert.notified_channels) WHERE value <> ?1) \
         WHERE state = 'firing' AND EXISTS (SELECT 1 FROM json_each(alert.notified_channels) WHERE value = ?1) \
         AND ?2 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.channel = ?1 AND d.alert_key = alert.key \
         AND d.finished_at IS NULL)",
    ] {
        sqlx::query(sql).bind(name.as_str()).bind(now.as_nanos()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The SQL behind [`crate::store::Routing::routed`].
pub(super) async fn routed(pool: &SqlitePool) -> Result<Routed, StoreError> {
    let waiting: Vec<(String, String)> = sqlx::query_as(
        "SELECT DISTINCT alert_key, channel FROM delivery WHERE finished_at IS NULL AND alert_key IS NOT NULL",
    )
    .fetch_all(pool)
    .await?;
    let mut by_alert: BTreeMap<String, BTreeSet<ChannelName>> = BTreeMap::new();
    for (alert, name) in waiting {
        by_alert.entry(alert).or_default().insert(row::channel(&name)?);
    }
    let found = sqlx::query(
        "SELECT key, state = 'firing' AND notified_generation = generation AND last_notification IS NOT NULL, \
         iif(notified_generation = generation, notified_channels, '[]') FROM alert WHERE state = 'firing' \
         OR key IN (SELECT alert_key FROM delivery WHERE finished_at IS NULL)",
    )
    .fetch_all(pool)
    .await?;
    let mut alerts = Vec::with_capacity(found.len());
    for alert in &found {
        let key: String = alert.try_get(0)?;
        alerts.push(RoutedAlert {
            alert: row::alert_key(&key)?,
            is_firing: alert.try_get::<Option<i64>, _>(1)? == Some(1),
            notified_channels: row::channels(alert.try_get(2)?)?,
            waiting: by_alert.remove(&key).unwrap_or_default(),
        });
    }
    // What waits of an alert that is forgotten; what is said of an outage has a key that is none of an alert.
    for (key, waiting) in by_alert {
        if let Ok(alert) = row::alert_key(&key) {
            alerts.push(RoutedAlert { alert, is_firing: false, notified_channels: Vec::new(), waiting });
        }
    }
    let others: Vec<(String, i64)> = sqlx::query_as(
        "SELECT DISTINCT d.channel, n.type LIKE 'operator.%' FROM delivery AS d JOIN notification AS n \
         ON n.id = d.notification_id WHERE d.finished_at IS NULL AND coalesce(d.alert_key, '') NOT LIKE '{%'",
    )
    .fetch_all(pool)
    .await?;
    let other = |(name, is_operator): (String, i64)| Ok((row::channel(&name)?, is_operator != 0));
    Ok(Routed { alerts, others: others.into_iter().map(other).collect::<Result<_, StoreError>>()? })
}

/// The SQL behind [`crate::store::Routing::reroute`].
pub(super) async fn reroute(
    connection: &mut SqliteConnection,
    routes: &Routes,
    now: Timestamp,
) -> Result<Rerouted, StoreError> {
    let mut done = Rerouted { at: Some(now), ..Rerouted::default() };
    for one in &routes.alerts {
        of_alert(connection, one, now, &mut done).await?;
    }
    of_operator(connection, &to_json(&routes.operator)?, now, &mut done).await?;
    let channels = to_json(&routes.channels)?;
    let left = sqlx::query(
        // A drill shows whether its channel works, and a digest of which nothing is left has nothing to say.
        "UPDATE delivery SET finished_at = ?2, last_error = ?3, hold_why = NULL, hold_until = NULL, \
         state = iif(notification_id IN (SELECT id FROM notification WHERE type IN ('drill', 'digest', 'fleet.shift')), \
         'suppressed', 'dead') WHERE finished_at IS NULL AND state NOT IN ('sending', 'merged') \
         AND channel NOT IN (SELECT value FROM json_each(?1)) RETURNING state",
    )
    .bind(&channels)
    .bind(now.as_nanos())
    .bind(GONE)
    .fetch_all(&mut *connection)
    .await?;
    done.dead += left.iter().filter(|row| row.try_get::<&str, _>(0).is_ok_and(|state| state == "dead")).count() as u64;
    sqlx::query(
        "DELETE FROM channel WHERE name NOT IN (SELECT value FROM json_each(?)) \
         AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.channel = channel.name AND d.finished_at IS NULL)",
    )
    .bind(&channels)
    .execute(connection)
    .await?;
    Ok(done)
}

/// What is known of an alert whose route is another one.
struct Known {
    notified_channels: Vec<ChannelName>,
    /// Its newest notification, if it fires and somebody was to be notified of that.
    says: Option<String>,
    tenant: String,
}

async fn of_alert(
    connection: &mut SqliteConnection,
    Reroute { alert, route, hold }: &Reroute,
    now: Timestamp,
    done: &mut Rerouted,
) -> Result<(), StoreError> {
    let (key, names) = (to_json(alert)?, to_json(route)?);
    take_apart(connection, &key, &names, now).await?;
    let leaving = leaving(connection, &key, &names).await?;
    let known = known(connection, &key).await?;
    let fires = known.as_ref().is_some_and(|known| known.says.is_some());
    let (notified_channels, says, tenant) = match known {
        Some(Known { notified_channels, says, tenant }) => (notified_channels, says, tenant),
        None => (Vec::new(), None, alert.tenant.to_string()),
    };
    let says = says.or_else(|| leaving.last().map(|(_, notification)| notification.clone()));
    let mut target = None;
    if let Some(says) = &says {
        let hold = match hold {
            Some(hold) => Some(*hold),
            None => held_as(connection, says).await?,
        };
        let to_queue = Queued { notification: says, alert: Some(&key), tenant: Some(&tenant), hold, is_gathered: true };
        for channel in route.iter().filter(|channel| !notified_channels.contains(channel)) {
            let queued = queue(connection, &to_queue, channel, now).await?;
            done.queued += u64::from(queued.is_some());
            done.busy.extend(queued.map(|_| channel.clone()));
            target = target.or(queued);
        }
    }
    let ids: Vec<DeliveryId> = leaving.iter().map(|(id, _)| *id).collect();
    match target {
        Some(target) => {
            merge::merge_into(connection, target, &ids).await?;
            done.moved += ids.len() as u64;
        }
        None => give_up(connection, &ids, LEFT, now, done).await?,
    }
    if fires {
        let note = sqlx::query("UPDATE alert SET notified_channels = ? WHERE key = ?");
        note.bind(&names).bind(&key).execute(connection).await?;
    }
    Ok(())
}

/// Takes digests and notices of fleet shifts apart that hold something of the alert for a channel that is not on its route.
async fn take_apart(
    connection: &mut SqliteConnection,
    key: &str,
    route: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let targets: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT c.id FROM delivery AS d JOIN delivery AS c ON c.id = d.merged_into WHERE d.alert_key = ?1 \
         AND d.finished_at IS NULL AND d.state = 'merged' AND d.channel NOT IN (SELECT value FROM json_each(?2)) \
         AND c.channel = d.channel AND c.alert_key IS NULL AND c.finished_at IS NULL AND c.state <> 'sending'",
    )
    .bind(key)
    .bind(route)
    .fetch_all(&mut *connection)
    .await?;
    for target in targets {
        merge::take_apart(connection, DeliveryId(target), LEFT, now).await?;
    }
    Ok(())
}

/// What waits of the alert for channels that are not on its route, oldest first, each with what it says. What is under way is looked
/// at once its answer is there.
async fn leaving(
    connection: &mut SqliteConnection,
    key: &str,
    route: &str,
) -> Result<Vec<(DeliveryId, String)>, StoreError> {
    let found: Vec<(i64, String)> = sqlx::query_as(
        "SELECT d.id, d.notification_id FROM delivery AS d WHERE d.alert_key = ?1 AND d.finished_at IS NULL \
         AND d.state <> 'sending' AND d.channel NOT IN (SELECT value FROM json_each(?2)) \
         AND NOT EXISTS (SELECT 1 FROM delivery AS c WHERE c.id = d.merged_into AND (c.state = 'sending' OR c.channel <> d.channel)) \
         ORDER BY d.id",
    )
    .bind(key)
    .bind(route)
    .fetch_all(connection)
    .await?;
    Ok(found.into_iter().map(|(id, notification)| (DeliveryId(id), notification)).collect())
}

async fn known(connection: &mut SqliteConnection, key: &str) -> Result<Option<Known>, StoreError> {
    let found = sqlx::query(
        "SELECT iif(a.notified_generation = a.generation, a.notified_channels, '[]'), \
         iif(a.state = 'firing' AND a.notified_generation = a.generation, a.last_notification, NULL), t.tenant \
         FROM alert AS a JOIN tenant AS t ON t.id = a.tenant_id WHERE a.key = ?",
    )
    .bind(key)
    .fetch_optional(connection)
    .await?;
    let known = |found: SqliteRow| -> Result<Known, StoreError> {
        let notified_channels = row::channels(found.try_get(0)?)?;
        Ok(Known { notified_channels, says: found.try_get(1)?, tenant: found.try_get(2)? })
    };
    found.map(known).transpose()
}

/// Why other deliveries of that notification are held, and until when.
async fn held_as(connection: &mut SqliteConnection, notification: &str) -> Result<Option<Hold>, StoreError> {
    let found = sqlx::query(
        "SELECT hold_why, hold_until FROM delivery WHERE notification_id = ? AND state = 'held' ORDER BY id LIMIT 1",
    )
    .bind(notification)
    .fetch_optional(connection)
    .await?;
    found.map_or(Ok(None), |found| row::hold(found.try_get(0)?, found.try_get(1)?))
}

/// A notification to be queued for a channel to which it is new.
struct Queued<'a> {
    notification: &'a str,
    alert: Option<&'a str>,
    tenant: Option<&'a str>,
    hold: Option<Hold>,
    /// Whether it goes out with all that waits.
    is_gathered: bool,
}

/// Queues it; `None`: it waits there already. A channel that was sent it before it left the route, and is on it again, is sent it again.
async fn queue(
    connection: &mut SqliteConnection,
    new: &Queued<'_>,
    channel: &ChannelName,
    now: Timestamp,
) -> Result<Option<DeliveryId>, StoreError> {
    let (state, why, until) = hold::columns(new.hold);
    let id: Option<i64> = sqlx::query_scalar(
        "INSERT INTO delivery (notification_id, channel, alert_key, tenant, state, queued_at, next_attempt_at, hold_why, \
         hold_until, is_gathered) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9) ON CONFLICT (notification_id, channel) \
         DO UPDATE SET state = excluded.state, queued_at = excluded.queued_at, next_attempt_at = excluded.next_attempt_at, \
         hold_why = excluded.hold_why, hold_until = excluded.hold_until, is_gathered = excluded.is_gathered, \
         finished_at = NULL, merged_into = NULL, is_noticed = 0, plain = 0 WHERE delivery.finished_at IS NOT NULL RETURNING id",
    )
    .bind(new.notification)
    .bind(channel.as_str())
    .bind(new.alert)
    .bind(new.tenant)
    .bind(state)
    .bind(now.as_nanos())
    .bind(why)
    .bind(until)
    .bind(new.is_gathered)
    .fetch_optional(connection)
    .await?;
    Ok(id.map(DeliveryId))
}

/// Makes dead letters of what has nowhere to go; the operator is notified of those.
async fn give_up(
    connection: &mut SqliteConnection,
    ids: &[DeliveryId],
    why: &str,
    now: Timestamp,
    done: &mut Rerouted,
) -> Result<(), StoreError> {
    for id in ids {
        sqlx::query(
            "UPDATE delivery SET state = 'dead', finished_at = ?2, last_error = ?3, merged_into = NULL, hold_why = NULL, \
             hold_until = NULL WHERE id = ?1 AND finished_at IS NULL",
        )
        .bind(id.0)
        .bind(now.as_nanos())
        .bind(why)
        .execute(&mut *connection)
        .await?;
        outbox::note_notified(connection, *id, now).await?;
        done.dead += 1;
    }
    Ok(())
}

/// The operator's messages that wait for a channel which is not the operator's any more go to those that are. What is said of one
/// tenant, or of an outage, was written for those who may read it, and stays.
async fn of_operator(
    connection: &mut SqliteConnection,
    operator: &str,
    now: Timestamp,
    done: &mut Rerouted,
) -> Result<(), StoreError> {
    const LEAVING: &str = "FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id WHERE d.finished_at IS NULL \
        AND d.alert_key IS NULL AND d.tenant IS NULL AND n.type LIKE 'operator.%' \
        AND d.channel NOT IN (SELECT value FROM json_each(?1))";
    let targets: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT DISTINCT d.merged_into {LEAVING} AND EXISTS (SELECT 1 FROM delivery AS c WHERE c.id = d.merged_into \
         AND c.finished_at IS NULL AND c.state <> 'sending')"
    )))
    .bind(operator)
    .fetch_all(&mut *connection)
    .await?;
    for target in targets {
        merge::take_apart(connection, DeliveryId(target), LEFT, now).await?;
    }
    let leaving: Vec<(i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT d.id, d.notification_id {LEAVING} AND d.state NOT IN ('sending', 'merged') ORDER BY d.id"
    )))
    .bind(operator)
    .fetch_all(&mut *connection)
    .await?;
    let channels = row::channels(operator)?;
    for (id, notification) in leaving {
        let new = Queued { notification: &notification, alert: None, tenant: None, hold: None, is_gathered: false };
        let mut target = None;
        for channel in &channels {
            let known: i64 =
                sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM delivery WHERE notification_id = ? AND channel = ?)")
                    .bind(&notification)
                    .bind(channel.as_str())
                    .fetch_one(&mut *connection)
                    .await?;
            if known == 0 {
                target = target.or(queue(connection, &new, channel, now).await?);
                done.busy.insert(channel.clone());
            }
        }
        match target {
            Some(target) => {
                merge::merge_into(connection, target, &[DeliveryId(id)]).await?;
                done.moved += 1;
            }
            None if channels.is_empty() => give_up(connection, &[DeliveryId(id)], LEFT, now, done).await?,
            None => {
                sqlx::query("UPDATE delivery SET state = 'suppressed', finished_at = ?, last_error = ? WHERE id = ?")
                    .bind(now.as_nanos())
                    .bind(ELSEWHERE)
                    .bind(id)
                    .execute(&mut *connection)
                    .await?;
            }
        }
    }
    Ok(())
}
