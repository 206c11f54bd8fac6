//! Deliveries that go along with another: several of one alert with the newest, many of one channel with a digest.

use std::collections::{BTreeSet, HashMap};

use super::{
    db::{Connection, Row, list_of, query, query_as, query_scalar},
    notification,
    queue::{Which, write},
    row::{self, AFTER_ENVELOPE, ENVELOPE},
    text::to_json,
};
use crate::{
    domain::{ChannelName, TenantId, Timestamp},
    notify::{
        DeliveryId, Envelope, Notification, NotificationId, NotificationType,
        digest::{self, Line, Preceded, Waiting},
        notification::DigestItem,
        queue::{self, Change},
        reading::{self, QueuedDelivery},
    },
    store::StoreError,
};

/// Queued deliveries of a channel, oldest first, with what precedes each among the unfinished ones of its alert.
const QUEUED: &str = "EXISTS (SELECT 1 FROM delivery AS e WHERE e.channel = $1 AND e.finished_at IS NULL \
    AND e.alert_key IS NOT NULL AND e.alert_key = d.alert_key AND e.id < d.id AND e.state = 'held'), \
    EXISTS (SELECT 1 FROM delivery AS e WHERE e.channel = $1 AND e.finished_at IS NULL \
    AND e.alert_key IS NOT NULL AND e.alert_key = d.alert_key AND e.id < d.id AND e.state = 'merged' \
    AND NOT EXISTS (SELECT 1 FROM delivery AS c WHERE c.id = e.merged_into AND c.alert_key = d.alert_key)) \
    FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
    WHERE d.channel = $1 AND d.finished_at IS NULL AND d.state = 'queued'";
/// Most of them that are read at a time.
const READ_AT_ONCE_MAX: usize = 1024;

/// What must be known of a delivery that begins with its number and what it is ordered by.
fn waiting(found: &Row) -> Result<Waiting, StoreError> {
    Ok(Waiting::queued(DeliveryId(found.try_get(0)?), found.try_get(1)?, row::envelope(found, 2)?))
}

/// What precedes a delivery, from that column on.
fn preceded(found: &Row, first: usize) -> Result<Preceded, StoreError> {
    Ok(Preceded { by_held: found.try_get(first)?, by_shared: found.try_get(first + 1)? })
}

/// Queued deliveries that a digest may take, oldest first; empty if no more than `over` wait.
async fn to_merge(connection: &mut Connection, channel: &ChannelName, over: usize) -> Result<Vec<Waiting>, StoreError> {
    let sql = format!("SELECT d.id, d.alert_key, {ENVELOPE}, {QUEUED} AND d.id > $2 ORDER BY d.id LIMIT $3");
    let (mut taken, mut seen, mut count) = (Vec::new(), 0_i64, over.saturating_add(1).min(READ_AT_ONCE_MAX));
    loop {
        let rows = query(sql.clone())
            .bind(channel.as_str())
            .bind(seen)
            .bind(i64::try_from(count).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await?;
        for found in &rows {
            let one = waiting(found)?;
            seen = one.delivery.0;
            if digest::may_take(one.kind, preceded(found, 2 + AFTER_ENVELOPE)?) {
                taken.push(one);
            }
        }
        if rows.len() < count || taken.len() >= digest::MEMBERS_MAX {
            break;
        }
        count = READ_AT_ONCE_MAX;
    }
    taken.truncate(if taken.len() > over { digest::MEMBERS_MAX } else { 0 });
    Ok(taken)
}

/// Makes one delivery of all that waits for the channel, if that is more than `over`. Of what waits, only what the first
/// `lines_max` lines say is read whole.
pub(super) async fn into_digest(
    connection: &mut Connection,
    store: &str,
    channel: &ChannelName,
    over: usize,
    lines_max: usize,
    now: Timestamp,
) -> Result<Option<DeliveryId>, StoreError> {
    let has_gathered: bool = query_scalar(
        "SELECT EXISTS (SELECT 1 FROM delivery WHERE channel = $1 AND is_gathered = 1 AND state = 'queued')",
    )
    .bind(channel.as_str())
    .fetch_one(&mut *connection)
    .await?;
    let waiting = to_merge(connection, channel, digest::merged_over(over, has_gathered)).await?;
    let lines = digest::lines(waiting);
    if lines.len() < 2 {
        return Ok(None);
    }
    let items = items(connection, &lines[..lines.len().min(lines_max)]).await?;
    let message = digest::message(store, channel, &lines, items, now);
    let members: Vec<DeliveryId> = lines.into_iter().flat_map(|line| line.deliveries).collect();
    let target = queue_digest(connection, channel, message, now).await?;
    merge_into(connection, target, &members).await?;
    Ok(Some(target))
}

/// Merges what several rules say of the reading that a delivery is about into one delivery. `None`: only one rule does.
pub(super) async fn into_reading(
    connection: &mut Connection,
    store: &str,
    channel: &ChannelName,
    head: DeliveryId,
    lines_max: usize,
    now: Timestamp,
) -> Result<Option<DeliveryId>, StoreError> {
    // The sign keeps the order from being read off the whole table.
    let rows = query(format!(
        "SELECT d.id, d.alert_key, {ENVELOPE}, d.attempts, {QUEUED} \
         AND d.tenant = (SELECT h.tenant FROM delivery AS h WHERE h.id = $2) ORDER BY +d.id LIMIT $3"
    ))
    .bind(channel.as_str())
    .bind(head.0)
    .bind(i64::try_from(digest::RUN_MAX).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    if rows.len() < 2 {
        return Ok(None);
    }
    let mut queue = Vec::with_capacity(rows.len());
    for found in &rows {
        let one = queued(found)?;
        if digest::may_take(one.waiting.kind, preceded(found, 3 + AFTER_ENVELOPE)?) {
            queue.push(one);
        }
    }
    let members = reading::together_with(head, &queue);
    let taken = queue.into_iter().map(|one| one.waiting).filter(|one| members.contains(&one.delivery));
    let lines = digest::lines(taken.collect());
    if lines.len() < 2 {
        return Ok(None);
    }
    let items = items(connection, &lines[..lines.len().min(lines_max)]).await?;
    let mut message = digest::message(store, channel, &lines, items, now);
    // The evidence is about the reading, whichever rule asked for it.
    let worst = lines[0].newest.delivery.0;
    let body: String = query_scalar(
        "SELECT n.body FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id WHERE d.id = $1",
    )
    .bind(worst)
    .fetch_one(&mut *connection)
    .await?;
    let worst = row::notification(&body)?;
    (message.data.causes, message.data.breakdown) = (worst.data.causes, worst.data.breakdown);
    let target = queue_digest(connection, channel, message, now).await?;
    merge_into(connection, target, &members).await?;
    Ok(Some(target))
}

/// The same as [`waiting`], with the reading that it is about and whether it was tried.
fn queued(found: &Row) -> Result<QueuedDelivery, StoreError> {
    let reading = reading::of(&row::envelope(found, 2)?);
    let is_tried = found.try_get::<i64, _>(2 + row::AFTER_ENVELOPE)? > 0;
    Ok(QueuedDelivery { waiting: waiting(found)?, reading, is_tried })
}

/// Queues a digest, which names the id under which it can be looked up.
async fn queue_digest(
    connection: &mut Connection,
    channel: &ChannelName,
    mut message: Notification,
    now: Timestamp,
) -> Result<DeliveryId, StoreError> {
    let id = message.data.notification.id.as_str().to_owned();
    let mut short = message.data.notification.short_id.to_string();
    // Digits alone would be taken for the number of another delivery.
    if short.bytes().all(|letter| letter.is_ascii_digit()) {
        short.insert_str(0, "msg_");
    }
    if let Some(digest) = &mut message.data.digest {
        digest.stored_as = Some(short);
    }
    let (envelope, body) = (Envelope::new(&message, None, None), to_json(&message)?);
    if !notification::insert(connection, &id, &envelope, None, &body, now).await? {
        // The same lines were merged before; what they say may be newer now.
        query("UPDATE notification SET body = $1 WHERE id = $2").bind(body).bind(&id).execute(&mut *connection).await?;
    }
    let target: i64 = query_scalar(
        "INSERT INTO delivery (notification_id, channel, state, queued_at, next_attempt_at) \
         VALUES ($1, $2, 'queued', $3, $3) RETURNING id",
    )
    .bind(&id)
    .bind(channel.as_str())
    .bind(now.as_nanos())
    .fetch_one(&mut *connection)
    .await?;
    Ok(DeliveryId(target))
}

/// What these lines say, each with the notifications that it covers beside what it says.
async fn items(connection: &mut Connection, lines: &[Line]) -> Result<Vec<DigestItem>, StoreError> {
    let newest: Vec<DeliveryId> = lines.iter().map(|line| line.newest.delivery).collect();
    let rows = query(
        "SELECT d.id, n.body, d.possible_duplicate FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
         WHERE d.id IN list($1)",
    )
    .bind(list_of(newest))
    .fetch_all(&mut *connection)
    .await?;
    let mut said = rows.iter().map(read).collect::<Result<HashMap<_, _>, _>>()?;
    let members: Vec<DeliveryId> = lines.iter().flat_map(|line| line.deliveries.iter().copied()).collect();
    let rows: Vec<(i64, Option<i64>, String)> = query_as(
        "SELECT id, merged_into, notification_id FROM delivery WHERE id IN list($1) \
         UNION SELECT id, merged_into, notification_id FROM delivery WHERE merged_into IN list($1) ORDER BY 1",
    )
    .bind(list_of(members))
    .fetch_all(connection)
    .await?;
    let line_of: HashMap<DeliveryId, usize> =
        (0..).zip(lines).flat_map(|(index, line)| line.deliveries.iter().map(move |id| (*id, index))).collect();
    let mut covers: Vec<Vec<NotificationId>> = vec![Vec::new(); lines.len()];
    for (id, target, notification) in rows {
        let line = line_of.get(&DeliveryId(id)).or_else(|| line_of.get(&DeliveryId(target?))).copied();
        if let Some(index) = line.filter(|index| lines[*index].newest.delivery != DeliveryId(id)) {
            covers[index].push(NotificationId::from_text(&notification));
        }
    }
    let item = |(line, covers): (&Line, Vec<NotificationId>)| {
        let mut item = DigestItem::from(said.remove(&line.newest.delivery)?);
        item.notification.covers = covers;
        Some(item)
    };
    Ok(lines.iter().zip(covers).filter_map(item).collect())
}

/// Lets the newest waiting delivery of an alert cover the ones before it, as far as it can. Returns the one to send.
pub(super) async fn into_newest(
    connection: &mut Connection,
    channel: &ChannelName,
    alert: &str,
    head: DeliveryId,
) -> Result<DeliveryId, StoreError> {
    let rows = query(format!(
        "SELECT d.id, d.alert_key, {ENVELOPE}, d.state FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
         WHERE d.channel = $1 AND d.alert_key = $2 AND d.finished_at IS NULL AND d.id >= $3 \
         AND (d.state IN ('queued', 'held') OR d.state = 'merged' AND NOT EXISTS \
         (SELECT 1 FROM delivery AS c WHERE c.id = d.merged_into AND c.alert_key = d.alert_key)) ORDER BY d.id LIMIT $4"
    ))
    .bind(channel.as_str())
    .bind(alert)
    .bind(head.0)
    .bind(i64::try_from(digest::RUN_MAX).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    if rows.len() < 2 {
        return Ok(head);
    }
    let mut run = Vec::with_capacity(rows.len());
    for found in &rows {
        run.push((row::state(found.try_get(2 + AFTER_ENVELOPE)?)?, waiting(found)?));
    }
    let run = digest::queued_alone(run);
    let mut ids: Vec<DeliveryId> = run.iter().map(|one| one.delivery).collect();
    ids.truncate(digest::foldable(&run));
    let Some(newest) = ids.pop() else { return Ok(head) };
    merge_into(connection, newest, &ids).await?;
    Ok(newest)
}

/// The notifications that a message of that type covers in addition to what it says, oldest first.
pub(super) async fn covers(
    connection: &mut Connection,
    target: DeliveryId,
    kind: NotificationType,
) -> Result<Vec<NotificationId>, StoreError> {
    if queue::says_what_is_merged(kind) {
        return Ok(Vec::new());
    }
    let merged: Vec<(String, Option<String>, Option<String>)> = query_as(
        "SELECT d.notification_id, c.alert_key, d.alert_key FROM delivery AS d JOIN delivery AS c ON c.id = d.merged_into \
         WHERE d.merged_into = $1 AND d.notification_id <> c.notification_id ORDER BY d.id",
    )
    .bind(target.0)
    .fetch_all(connection)
    .await?;
    let is_named = |(_, alert, merged): &&(String, Option<String>, Option<String>)| {
        queue::names_merged(kind, alert.as_deref(), merged.as_deref())
    };
    Ok(merged.iter().filter(is_named).map(|(id, ..)| NotificationId::from_text(id)).collect())
}

/// The tenants of what is merged into a delivery; `None` among them: something is about no tenant.
pub(super) async fn tenants_of(
    connection: &mut Connection,
    target: DeliveryId,
) -> Result<BTreeSet<Option<TenantId>>, StoreError> {
    let tenants: Vec<Option<String>> = query_scalar("SELECT DISTINCT tenant FROM delivery WHERE merged_into = $1")
        .bind(target.0)
        .fetch_all(connection)
        .await?;
    tenants.into_iter().map(|tenant| row::optional_tenant(tenant.as_deref())).collect()
}

/// The SQL behind [`crate::store::Outbox::suppress`].
pub(super) async fn suppress(
    connection: &mut Connection,
    target: DeliveryId,
    tenants: &BTreeSet<Option<TenantId>>,
    is_taken_apart: bool,
    error: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let names: Vec<Option<&str>> = tenants.iter().map(|tenant| tenant.as_ref().map(TenantId::as_str)).collect();
    let ids: Vec<i64> = query_scalar(
        "SELECT id FROM delivery WHERE merged_into = $1 AND finished_at IS NULL \
         AND EXISTS (SELECT 1 FROM list($2) AS t WHERE t.value IS NOT DISTINCT FROM delivery.tenant)",
    )
    .bind(target.0)
    .bind(list_of(names))
    .fetch_all(&mut *connection)
    .await?;
    let ids: Vec<DeliveryId> = ids.into_iter().map(DeliveryId).collect();
    write(connection, Which::These(&ids), &Change::dead(Some(error), now)).await?;
    if is_taken_apart { take_apart(connection, target, error, now).await } else { Ok(()) }
}

/// Lets what is merged into a delivery wait again on its own; the delivery is never sent. What may have arrived with it is marked.
pub(super) async fn take_apart(
    connection: &mut Connection,
    target: DeliveryId,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    query(
        "UPDATE delivery SET possible_duplicate = 1 WHERE merged_into = $1 AND finished_at IS NULL \
         AND EXISTS (SELECT 1 FROM delivery WHERE id = $1 AND possible_duplicate = 1)",
    )
    .bind(target.0)
    .execute(&mut *connection)
    .await?;
    write(connection, Which::MergedInto(target), &Change::queued(now)).await?;
    let finished_at: Option<Option<i64>> = query_scalar("SELECT finished_at FROM delivery WHERE id = $1")
        .bind(target.0)
        .fetch_optional(&mut *connection)
        .await?;
    match finished_at {
        Some(None) => write(connection, Which::These(&[target]), &Change::suppressed(Some(why), now)).await,
        _ => Ok(()),
    }
}

/// Merges these deliveries, and what was merged into them, into the carrier. It counts as a repeat if one of them may.
pub(super) async fn merge_into(
    connection: &mut Connection,
    target: DeliveryId,
    members: &[DeliveryId],
) -> Result<(), StoreError> {
    write(connection, Which::WithMerged(members), &Change::merged(target)).await?;
    let (is_about_an_alert, may_repeat): (bool, bool) = query_as(
        "SELECT c.alert_key IS NOT NULL, EXISTS (SELECT 1 FROM delivery WHERE merged_into = $1 AND possible_duplicate = 1) \
         FROM delivery AS c WHERE c.id = $1",
    )
    .bind(target.0)
    .fetch_one(&mut *connection)
    .await?;
    if may_repeat && queue::repeats_what_is_merged(is_about_an_alert) {
        query("UPDATE delivery SET possible_duplicate = 1 WHERE id = $1").bind(target.0).execute(connection).await?;
    }
    Ok(())
}

fn read(found: &Row) -> Result<(DeliveryId, Notification), StoreError> {
    let mut notification = row::notification(found.try_get(1)?)?;
    notification.data.notification.possible_duplicate = found.try_get::<i64, _>(2)? != 0;
    Ok((DeliveryId(found.try_get(0)?), notification))
}
