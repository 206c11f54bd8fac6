//! What the database itself notes while replicas work, read afterward as a history: who owned which shard, under which epoch each attempt
//! at a delivery began and ended, when a replica was taken for gone, and what it wrote after that. Beside it, when each request was under
//! way at its receiver.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use scorewatch::{domain::ChannelName, simulation::receiver::Received, store::Shard};
use sqlx::{Executor, PgConnection, Row as _};

use super::stage::DESK;
use crate::harness::{OPS, SOC};

/// All on one clock, whatever those of the replicas are. A replica whose lease ran out while it was sending is noted with those that were
/// taken for gone: in either case nobody knows whether the message arrived.
const NOTES: [&str; 15] = [
    "CREATE TABLE history (number BIGINT GENERATED ALWAYS AS IDENTITY, shard BIGINT, owner TEXT, epoch BIGINT)",
    "CREATE FUNCTION note_owner() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     INSERT INTO history (shard, owner, epoch) VALUES (NEW.shard, NEW.owner, NEW.epoch); RETURN NEW; END $$",
    "CREATE TRIGGER note_owner AFTER UPDATE ON shard FOR EACH ROW EXECUTE FUNCTION note_owner()",
    "CREATE TABLE gone (at TIMESTAMPTZ, place TEXT)",
    "CREATE FUNCTION note_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     INSERT INTO gone VALUES (clock_timestamp(), OLD.place); RETURN OLD; END $$",
    "CREATE TRIGGER note_gone AFTER DELETE ON replica FOR EACH ROW WHEN (OLD.expires_at <= clock_timestamp()) \
     EXECUTE FUNCTION note_gone()",
    "CREATE TABLE late (what TEXT)",
    // The id of a process that has ended is used again some time later.
    "CREATE FUNCTION note_place() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     UPDATE gone SET place = NULL WHERE place = NEW.place; RETURN NULL; END $$",
    "CREATE TRIGGER note_place AFTER INSERT ON replica FOR EACH ROW EXECUTE FUNCTION note_place()",
    // A connection says which process is at its other end.
    "CREATE FUNCTION note_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     INSERT INTO late SELECT format('%s: %s of %s after its work was taken over', place, TG_OP, TG_TABLE_NAME) FROM gone \
     WHERE place LIKE 'pid ' || split_part(current_setting('application_name'), ' ', 2) || ' on %'; RETURN NULL; END $$",
    "DO $$ DECLARE name TEXT; BEGIN \
     FOREACH name IN ARRAY ARRAY['tenant', 'series', 'alert', 'notification', 'delivery', 'attempt', 'channel'] LOOP \
     EXECUTE format('CREATE TRIGGER note_late AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION note_late()', name); \
     END LOOP; END $$",
    "CREATE TABLE channel_shard (channel TEXT, shard BIGINT)",
    "CREATE TABLE try (delivery BIGINT, number BIGINT, epoch BIGINT, began TIMESTAMPTZ, ended TIMESTAMPTZ, ended_in BIGINT)",
    // An attempt that is taken back was not made.
    "CREATE FUNCTION note_try() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE now_in BIGINT := (SELECT s.epoch FROM delivery AS d \
     JOIN channel_shard AS c ON c.channel = d.channel JOIN shard AS s ON s.shard = c.shard \
     WHERE d.id = coalesce(NEW.delivery_id, OLD.delivery_id)); BEGIN \
     IF TG_OP = 'INSERT' THEN INSERT INTO try VALUES (NEW.delivery_id, NEW.number, now_in, clock_timestamp()); \
     ELSIF TG_OP = 'DELETE' THEN \
     DELETE FROM try WHERE delivery = OLD.delivery_id AND number = OLD.number AND ended IS NULL; \
     ELSIF OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL THEN \
     UPDATE try SET ended = clock_timestamp(), ended_in = now_in \
     WHERE delivery = NEW.delivery_id AND number = NEW.number AND ended IS NULL; \
     IF NEW.error LIKE '%lease ran out%' THEN INSERT INTO gone (at) VALUES (clock_timestamp()); END IF; \
     END IF; RETURN NULL; END $$",
    "CREATE TRIGGER note_try AFTER INSERT OR UPDATE OR DELETE ON attempt FOR EACH ROW EXECUTE FUNCTION note_try()",
];
/// A replica whose work others take over keeps its row, which is what lets it write.
const REFUSE_NOBODY: [&str; 2] = [
    "CREATE FUNCTION refuse_nobody() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     INSERT INTO gone VALUES (clock_timestamp(), OLD.place); UPDATE shard SET owner = NULL WHERE owner = OLD.id; RETURN NULL; END $$",
    "CREATE TRIGGER refuse_nobody BEFORE DELETE ON replica FOR EACH ROW WHEN (OLD.expires_at <= clock_timestamp()) \
     EXECUTE FUNCTION refuse_nobody()",
];
/// Attempts whose outcome was written by whoever did not begin them, attempts that began while one before was under way (that is over once
/// its outcome is written, or its shard has another epoch), and what a replica wrote after others had taken over its work.
const FAULTS: &str = "SELECT format('delivery %s: attempt %s of epoch %s was settled in epoch %s', delivery, number, epoch, ended_in) \
    FROM try WHERE ended_in <> epoch UNION ALL \
    SELECT format('delivery %s: attempt %s began while attempt %s was under way', b.delivery, b.number, a.number) \
    FROM try AS a JOIN try AS b ON b.delivery = a.delivery AND b.number > a.number \
    WHERE b.began < a.ended OR (a.ended IS NULL AND b.epoch <= a.epoch) UNION ALL SELECT what FROM late";
/// How long ago each replica was taken for gone.
const GONE: &str = "SELECT extract(epoch FROM clock_timestamp() - at)::float8 FROM gone";
/// A receiver may be slow to notice that a client is gone.
const NOTICED_WITHIN: Duration = Duration::from_secs(1);

/// Notes everything from now on.
pub(super) async fn begin(database: &mut PgConnection) {
    for sql in NOTES {
        database.execute(sql).await.unwrap();
    }
    for name in [SOC, DESK, OPS] {
        let shard = i64::from(Shard::of_channel(&ChannelName::parse(name).unwrap()).number());
        let note = sqlx::query("INSERT INTO channel_shard VALUES ($1, $2)").bind(name).bind(shard);
        note.execute(&mut *database).await.unwrap();
    }
}

/// From now on nothing that a replica writes is refused, whoever has its work.
pub(super) async fn refuse_nobody(database: &mut PgConnection) {
    for sql in REFUSE_NOBODY {
        database.execute(sql).await.unwrap();
    }
}

/// What must not have happened.
pub(super) async fn faults(database: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(FAULTS).fetch_all(database).await.unwrap()
}

/// When replicas were taken for gone, or a little before.
pub(super) async fn gone(database: &mut PgConnection) -> Vec<Instant> {
    // The answer counts from when the server gives it, which is later: so a repeat is never before the loss that explains it.
    let asked_at = Instant::now();
    let ago: Vec<f64> = sqlx::query_scalar(GONE).fetch_all(database).await.unwrap();
    ago.into_iter().filter_map(|seconds| asked_at.checked_sub(Duration::from_secs_f64(seconds))).collect()
}

/// Each epoch of each shard has one owner, and epochs only grow.
pub(super) async fn judge_shards(database: &mut PgConnection) {
    let rows = sqlx::query("SELECT shard, owner, epoch FROM history ORDER BY shard, number");
    let rows = rows.fetch_all(database).await.unwrap();
    let mut before: Option<(i64, Option<String>, i64)> = None;
    let mut epochs = 0;
    for row in rows {
        let (shard, owner, epoch): (i64, Option<String>, i64) = (row.get(0), row.get(1), row.get(2));
        if let Some((_, was, last)) = before.take().filter(|(before, ..)| *before == shard) {
            let is_given_up = owner.is_none() && epoch == last;
            let is_taken = owner.is_some() && was.is_none() && epoch == last + 1;
            assert!(is_given_up || is_taken, "shard {shard}: {was:?} in epoch {last}, {owner:?} in epoch {epoch}");
        }
        epochs += u64::from(owner.is_some());
        before = Some((shard, owner, epoch));
    }
    assert!(epochs > 0, "no shard ever had another owner");
}

/// Requests that reached a receiver while another one with the same message was under way there.
pub(super) fn overlaps(received: &[Arc<Received>]) -> Vec<String> {
    let mut newest: HashMap<(&str, &str), &Received> = HashMap::new();
    let mut overlaps = Vec::new();
    for request in received {
        let message = request.header("webhook-id");
        let Some(before) = newest.insert((&request.channel, message), request) else { continue };
        if before.ended_at().is_none_or(|ended_at| ended_at > request.at + NOTICED_WITHIN) {
            overlaps.push(format!("{message} to {}", request.channel));
        }
    }
    overlaps
}
