//! What a changed configuration changes of who is notified: of alerts that fire, and of what waits.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    alert_notes, channel,
    db::{Connection, Pool, Row, list_of, query, query_as, query_scalar},
    merge,
    queue::{Which, write},
    row,
    text::to_json,
};
use crate::{
    domain::{ChannelName, Timestamp},
    notify::{
        DeliveryId, DeliveryState, Hold, NotificationId,
        destination::KnownDestination,
        parking::{ChannelState, Moved},
        queue::Change,
        reroute::{self, Covering, GONE, LEFT, OnItsWay},
    },
    store::{ChannelIdentity, Reroute, Rerouted, Routed, RoutedAlert, Routes, StoreError},
};

/// As described at [`crate::store::Channels::note_channels`].
pub(super) async fn note_channels(
    connection: &mut Connection,
    identities: &[ChannelIdentity],
    now: Timestamp,
) -> Result<(), StoreError> {
    for ChannelIdentity { channel: name, destination, access } in identities {
        let (known, access_before) = known(connection, name).await?;
        let (mut before, mut moved_at) = (known.before.as_deref(), known.moved_at);
        match Moved::of(known.destination.as_deref(), destination, access_before.as_deref(), access) {
            Moved::LeadsElsewhere => {
                begin_again(connection, name, now).await?;
                (before, moved_at) = (known.left_for(destination), Some(now));
            }
            Moved::HasOtherSecrets => drop(channel::unpark(connection, name.as_str(), now).await?),
            Moved::Not => {}
        }
        query(
            "INSERT INTO channel (name, destination, access, led_before, moved_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (name) DO UPDATE SET destination = excluded.destination, access = excluded.access, \
             led_before = excluded.led_before, moved_at = excluded.moved_at",
        )
        .bind(name.as_str())
        .bind(destination)
        .bind(access)
        .bind(before)
        .bind(moved_at.map(Timestamp::as_nanos))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Where a channel leads as far as that is known, and the fingerprint of that with all its secrets.
async fn known(
    connection: &mut Connection,
    name: &ChannelName,
) -> Result<(KnownDestination, Option<String>), StoreError> {
    let found = query(format!("SELECT {}, access FROM channel WHERE name = $1", channel::LEADS))
        .bind(name.as_str())
        .fetch_optional(connection)
        .await?;
    let Some(found) = found else { return Ok((KnownDestination::default(), None)) };
    Ok((channel::leads(&found)?, found.try_get("access")?))
}

/// A channel with another destination is as good as new, but what waits for it goes there.
async fn begin_again(connection: &mut Connection, name: &ChannelName, now: Timestamp) -> Result<(), StoreError> {
    channel::write(connection, name.as_str(), &ChannelState::default()).await?;
    channel::continue_queue(connection, name.as_str(), now).await?;
    for sql in [
        "UPDATE channel SET seen_at = $2, drilled_at = $2 WHERE name = $1",
        // No retry waits for what the old receiver asked for.
        "UPDATE delivery SET rejected_at = NULL WHERE channel = $1 AND finished_at IS NULL AND $2 IS NOT NULL",
    ] {
        query(sql).bind(name.as_str()).bind(now.as_nanos()).execute(&mut *connection).await?;
    }
    let alerts: Vec<(String, bool)> = query_as(
        "SELECT key, EXISTS (SELECT 1 FROM delivery AS d WHERE d.channel = $1 AND d.alert_key = alert.key \
         AND d.finished_at IS NULL) FROM alert WHERE state = 'firing' \
         AND strpos(notified_channels, $2) > 0",
    )
    .bind(name.as_str())
    .bind(format!("\"{name}\""))
    .fetch_all(&mut *connection)
    .await?;
    for (key, is_waiting) in alerts {
        alert_notes::change(connection, &key, |notes| notes.leads_elsewhere(name, is_waiting)).await?;
    }
    Ok(())
}

/// The SQL behind [`crate::store::Routing::routed`].
pub(super) async fn routed(pool: &Pool) -> Result<Routed, StoreError> {
    let waiting: Vec<(String, String)> = query_as(
        "SELECT DISTINCT alert_key, channel FROM delivery WHERE finished_at IS NULL AND alert_key IS NOT NULL",
    )
    .fetch_all(pool)
    .await?;
    let mut by_alert: BTreeMap<String, BTreeSet<ChannelName>> = BTreeMap::new();
    for (alert, name) in waiting {
        by_alert.entry(alert).or_default().insert(row::channel(&name)?);
    }
    let found = query(format!(
        "SELECT key, {} FROM alert WHERE state = 'firing' OR key IN (SELECT alert_key FROM delivery WHERE finished_at IS NULL)",
        alert_notes::COLUMNS
    ))
    .fetch_all(pool)
    .await?;
    let mut alerts = Vec::with_capacity(found.len());
    for alert in &found {
        let key: String = alert.try_get(0)?;
        let notes = alert_notes::notes(alert)?;
        alerts.push(RoutedAlert {
            alert: row::alert_key(&key)?,
            is_firing: notes.firing_notification().is_some(),
            escalated: notes.escalated,
            notified_channels: notes.current_channels().to_vec(),
            waiting: by_alert.remove(&key).unwrap_or_default(),
        });
    }
    // What waits of an alert that is forgotten; what is said of an outage has a key that is none of an alert.
    for (key, waiting) in by_alert {
        if let Ok(alert) = row::alert_key(&key) {
            alerts.push(RoutedAlert { alert, is_firing: false, escalated: 0, notified_channels: Vec::new(), waiting });
        }
    }
    let unfinished: Vec<(String, String)> = query_as(
        "SELECT DISTINCT d.channel, n.type FROM delivery AS d JOIN notification AS n \
         ON n.id = d.notification_id WHERE d.finished_at IS NULL AND coalesce(d.alert_key, '') NOT LIKE '{%'",
    )
    .fetch_all(pool)
    .await?;
    let mut others = BTreeSet::new();
    for (name, kind) in unfinished {
        others.insert((row::channel(&name)?, reroute::follows_operator(row::notification_type(&kind)?)));
    }
    Ok(Routed { alerts, others: others.into_iter().collect() })
}

/// The SQL behind [`crate::store::Routing::reroute`].
pub(super) async fn reroute(
    connection: &mut Connection,
    routes: &Routes,
    now: Timestamp,
) -> Result<Rerouted, StoreError> {
    let mut done = Rerouted { at: Some(now), ..Rerouted::default() };
    for one in &routes.alerts {
        of_alert(connection, one, now, &mut done).await?;
    }
    of_operator(connection, &routes.operator, now, &mut done).await?;
    let channels = list_of(&routes.channels);
    let left: Vec<(i64, String, String)> = query_as(
        "SELECT d.id, n.type, d.state FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
         WHERE d.finished_at IS NULL AND d.channel NOT IN list($1)",
    )
    .bind(&channels)
    .fetch_all(&mut *connection)
    .await?;
    for (id, kind, state) in left {
        let (kind, state) = (row::notification_type(&kind)?, row::state(&state)?);
        let Some(change) = Change::without_channel(kind, state, GONE, now) else { continue };
        write(connection, Which::These(&[DeliveryId(id)]), &change).await?;
        done.dead += u64::from(change.state == DeliveryState::Dead);
    }
    query(
        "DELETE FROM channel WHERE name NOT IN list($1) \
         AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.channel = channel.name AND d.finished_at IS NULL)",
    )
    .bind(&channels)
    .execute(connection)
    .await?;
    Ok(done)
}

/// The columns of a delivery on its way, in the order in which [`on_its_way`] reads them.
const ON_ITS_WAY: &str = "d.id, d.channel, d.notification_id, d.state, c.id, c.channel, c.alert_key IS NOT NULL, c.state, n.type \
    FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id LEFT JOIN delivery AS c ON c.id = d.merged_into";

fn on_its_way(found: &Row) -> Result<OnItsWay, StoreError> {
    let covered_by = match found.try_get::<Option<i64>, _>(4)? {
        Some(id) => Some(Covering {
            delivery: DeliveryId(id),
            channel: row::channel(found.try_get(5)?)?,
            is_about_an_alert: found.try_get(6)?,
            state: row::state(found.try_get(7)?)?,
        }),
        None => None,
    };
    Ok(OnItsWay {
        delivery: DeliveryId(found.try_get(0)?),
        channel: row::channel(found.try_get(1)?)?,
        notification: NotificationId::from_text(found.try_get(2)?),
        state: row::state(found.try_get(3)?)?,
        covered_by,
    })
}

/// The unfinished deliveries of an alert, oldest first. The plus keeps the search within the index of unfinished ones.
async fn of_key(connection: &mut Connection, key: &str) -> Result<Vec<OnItsWay>, StoreError> {
    let rows = query(format!("SELECT {ON_ITS_WAY} WHERE d.alert_key = $1 AND d.finished_at IS NULL ORDER BY +d.id"))
        .bind(key)
        .fetch_all(connection)
        .await?;
    rows.iter().map(on_its_way).collect()
}

/// The operator's unfinished messages about no alert and no tenant, oldest first.
async fn operator_messages(connection: &mut Connection) -> Result<Vec<OnItsWay>, StoreError> {
    let rows = query(format!(
        "SELECT {ON_ITS_WAY} WHERE d.finished_at IS NULL AND d.alert_key IS NULL AND d.tenant IS NULL ORDER BY +d.id"
    ))
    .fetch_all(connection)
    .await?;
    let mut messages = Vec::new();
    for found in &rows {
        if reroute::follows_operator(row::notification_type(found.try_get(8)?)?) {
            messages.push(on_its_way(found)?);
        }
    }
    Ok(messages)
}

/// Takes digests and notices apart that show some of these to a channel which is not on the route. `true`: there were some.
async fn take_apart(
    connection: &mut Connection,
    waiting: &[OnItsWay],
    route: &[ChannelName],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let targets: BTreeSet<DeliveryId> = waiting.iter().filter_map(|one| one.to_take_apart(route)).collect();
    for target in &targets {
        merge::take_apart(connection, *target, LEFT, now).await?;
    }
    Ok(!targets.is_empty())
}

async fn of_alert(
    connection: &mut Connection,
    Reroute { alert, route, hold }: &Reroute,
    now: Timestamp,
    done: &mut Rerouted,
) -> Result<(), StoreError> {
    let key = to_json(alert)?;
    let mut leaving = of_key(connection, &key).await?;
    if take_apart(connection, &leaving, route, now).await? {
        leaving = of_key(connection, &key).await?;
    }
    leaving.retain(|one| one.leaves(route));
    let notes = alert_notes::load(connection, &key).await?.unwrap_or_default();
    let mut target = None;
    if let Some(says) = reroute::says(notes.firing_notification(), &leaving) {
        let hold = match hold {
            Some(hold) => Some(*hold),
            None => held_as(connection, says).await?,
        };
        let tenant = Some(alert.tenant.as_str());
        let to_queue = Queued { notification: says, alert: Some(&key), tenant, hold, is_gathered: true };
        for channel in reroute::new_to(route, notes.current_channels()) {
            let queued = queue(connection, &to_queue, channel, now).await?;
            done.queued += u64::from(queued.is_some());
            done.busy.extend(queued.map(|_| channel.clone()));
            target = target.or(queued);
        }
    }
    let ids: Vec<DeliveryId> = leaving.iter().map(|one| one.delivery).collect();
    leave(connection, &ids, target, false, now, done).await?;
    if notes.firing_notification().is_some() {
        alert_notes::change(connection, &key, |notes| notes.notified_channels.clone_from(route)).await?;
    }
    Ok(())
}

/// Lets deliveries leave a route: they go to the channel for which the carrier was queued, or nowhere. The operator is notified of
/// those that are dead letters.
async fn leave(
    connection: &mut Connection,
    ids: &[DeliveryId],
    target: Option<DeliveryId>,
    has_it: bool,
    now: Timestamp,
    done: &mut Rerouted,
) -> Result<(), StoreError> {
    if let Some(target) = target {
        done.moved += ids.len() as u64;
        return merge::merge_into(connection, target, ids).await;
    }
    let change = reroute::left(None, has_it, now);
    for id in ids {
        write(connection, Which::These(&[*id]), &change).await?;
        alert_notes::note_notified(connection, *id, now).await?;
        done.dead += u64::from(change.state == DeliveryState::Dead);
    }
    Ok(())
}

/// Why other deliveries of that notification are held, and until when.
async fn held_as(connection: &mut Connection, notification: &NotificationId) -> Result<Option<Hold>, StoreError> {
    let found = query(
        "SELECT hold_why, hold_until FROM delivery WHERE notification_id = $1 AND state = 'held' ORDER BY id LIMIT 1",
    )
    .bind(notification.as_str())
    .fetch_optional(connection)
    .await?;
    found.map_or(Ok(None), |found| row::hold(found.try_get(0)?, found.try_get(1)?))
}

/// A notification to be queued for a channel to which it is new.
struct Queued<'a> {
    notification: &'a NotificationId,
    alert: Option<&'a str>,
    tenant: Option<&'a str>,
    hold: Option<Hold>,
    /// Whether it goes out with all that waits.
    is_gathered: bool,
}

/// Queues it; `None`: it waits there already. A channel that was sent it before it left the route, and is on it again, is sent it again.
async fn queue(
    connection: &mut Connection,
    new: &Queued<'_>,
    channel: &ChannelName,
    now: Timestamp,
) -> Result<Option<DeliveryId>, StoreError> {
    let id: Option<i64> = query_scalar(
        "INSERT INTO delivery (notification_id, channel, alert_key, tenant, state, queued_at, next_attempt_at, hold_why, \
         hold_until, is_gathered) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9) ON CONFLICT (notification_id, channel) \
         DO UPDATE SET state = excluded.state, queued_at = excluded.queued_at, next_attempt_at = excluded.next_attempt_at, \
         hold_why = excluded.hold_why, hold_until = excluded.hold_until, is_gathered = excluded.is_gathered, \
         finished_at = NULL, merged_into = NULL, is_noticed = 0, plain = 0 WHERE delivery.finished_at IS NOT NULL RETURNING id",
    )
    .bind(new.notification.as_str())
    .bind(channel.as_str())
    .bind(new.alert)
    .bind(new.tenant)
    .bind(DeliveryState::at_first(new.hold).as_str())
    .bind(now.as_nanos())
    .bind(new.hold.map(|hold| hold.why.as_str()))
    .bind(new.hold.map(|hold| hold.until.as_nanos()))
    .bind(new.is_gathered)
    .fetch_optional(connection)
    .await?;
    Ok(id.map(DeliveryId))
}

/// The operator's messages that wait for a channel which is not the operator's any more go to those that are.
async fn of_operator(
    connection: &mut Connection,
    operator: &[ChannelName],
    now: Timestamp,
    done: &mut Rerouted,
) -> Result<(), StoreError> {
    let mut leaving = operator_messages(connection).await?;
    if take_apart(connection, &leaving, operator, now).await? {
        leaving = operator_messages(connection).await?;
    }
    leaving.retain(|one| one.leaves(operator));
    for one in leaving {
        let new = Queued { notification: &one.notification, alert: None, tenant: None, hold: None, is_gathered: false };
        let known: Vec<String> = query_scalar("SELECT channel FROM delivery WHERE notification_id = $1")
            .bind(one.notification.as_str())
            .fetch_all(&mut *connection)
            .await?;
        let known = known.iter().map(|name| row::channel(name)).collect::<Result<Vec<_>, _>>()?;
        let mut target = None;
        for channel in reroute::new_to(operator, &known) {
            target = target.or(queue(connection, &new, channel, now).await?);
            done.busy.insert(channel.clone());
        }
        leave(connection, &[one.delivery], target, !operator.is_empty(), now, done).await?;
    }
    Ok(())
}
