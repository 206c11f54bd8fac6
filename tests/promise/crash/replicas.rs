//! Several services share one database. One of them is killed, stopped, or asked to go, again and again, while the others go on.
//!
//! Everything that holds of one service ([`super::model`]) holds of all of them together. Beyond that, the history of the shards is read:
//! each epoch of a shard has one owner, and no two attempts at one delivery overlap.

use std::time::Duration;

use rand::RngExt;
use scorewatch::{
    domain::ChannelName,
    simulation::Reply,
    store::{Shard, postgres},
};
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row as _};

use super::{model::Tally, report, seed, setting, stage::Stage};
use crate::harness::{SENTINEL, SOC, Service, event, postgres::Postgres};

/// Replicas that are killed, unless `SCOREWATCH_REPLICA_KILLS` says otherwise.
const KILLS: u64 = 20;
/// How many replicas there are.
pub(super) const REPLICAS: usize = 3;
/// How often a replica is stopped until its work is taken over, unless `SCOREWATCH_REPLICA_STOPS` says otherwise: each time takes as long
/// as a lease.
const STOPS: u64 = 1;

/// How long a receiver takes to answer a message that is sent twice meanwhile.
const SLOW: Duration = Duration::from_secs(8);

/// Notes each owner of each shard, when each attempt began and ended, and when a replica was taken for gone; all on one clock, whatever
/// those of the replicas are.
const HISTORY: [&str; 9] = [
    "CREATE TABLE history (number BIGINT GENERATED ALWAYS AS IDENTITY, shard BIGINT, owner TEXT, epoch BIGINT)",
    "CREATE FUNCTION note_owner() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     INSERT INTO history (shard, owner, epoch) VALUES (NEW.shard, NEW.owner, NEW.epoch); RETURN NEW; END $$",
    "CREATE TRIGGER note_owner AFTER UPDATE ON shard FOR EACH ROW EXECUTE FUNCTION note_owner()",
    "CREATE TABLE try (delivery BIGINT, number BIGINT, began TIMESTAMPTZ, ended TIMESTAMPTZ)",
    "CREATE FUNCTION note_try() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'INSERT' THEN \
     INSERT INTO try VALUES (NEW.delivery_id, NEW.number, clock_timestamp()); \
     ELSIF OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL THEN UPDATE try SET ended = clock_timestamp() \
     WHERE delivery = NEW.delivery_id AND number = NEW.number AND ended IS NULL; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER note_try AFTER INSERT OR UPDATE ON attempt FOR EACH ROW EXECUTE FUNCTION note_try()",
    "CREATE TABLE gone (at TIMESTAMPTZ)",
    "CREATE FUNCTION note_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     INSERT INTO gone VALUES (clock_timestamp()); RETURN OLD; END $$",
    "CREATE TRIGGER note_gone AFTER DELETE ON replica FOR EACH ROW WHEN (OLD.expires_at <= clock_timestamp()) \
     EXECUTE FUNCTION note_gone()",
];
/// Attempts that began before the one before was over.
const OVERLAPS: &str = "SELECT a.delivery || ' attempt ' || a.number FROM try AS a JOIN try AS b \
    ON b.delivery = a.delivery AND b.number < a.number WHERE b.ended > a.began";
/// How long ago each replica was taken for gone.
const GONE: &str = "SELECT extract(epoch FROM clock_timestamp() - at)::float8 FROM gone";

/// The replicas of one world.
pub(super) struct Fleet {
    pub(super) stage: Stage,
    pub(super) replicas: Vec<Service>,
    pub(super) database: PgConnection,
}

impl Fleet {
    async fn new(context: &str, seed: u64, server: &'static Postgres) -> Self {
        let mut fleet = Self::empty(context, seed, server).await;
        for _ in 0..REPLICAS {
            fleet.start().await;
        }
        fleet
    }

    /// A world without a replica yet, whose history is noted from now on.
    pub(super) async fn empty(context: &str, seed: u64, server: &'static Postgres) -> Self {
        let stage = Stage::on_postgres(context, seed, server).await;
        let settings = stage.database.as_ref().unwrap().1.clone();
        postgres::bring_up_to_date(&settings).await.unwrap();
        let mut database = server.connect(&settings.database).await;
        for sql in HISTORY {
            database.execute(sql).await.unwrap();
        }
        Self { replicas: Vec::new(), database, stage }
    }

    pub(super) async fn start(&mut self) {
        let replica = self.stage.spawn(&[]);
        replica.listening().await;
        self.replicas.push(replica);
    }

    /// Kills a replica, and starts another one. Nobody waits for the rest of the lease of a process that is gone.
    async fn kill(&mut self, number: usize) {
        let victim = self.replicas.swap_remove(number);
        victim.kill();
        self.start().await;
        self.forget(&victim).await;
    }

    /// Notes that a replica was killed, and lets the others take over from it.
    pub(super) async fn forget(&mut self, victim: &Service) {
        // Until its row is gone nobody takes over from it: what it sent is heard long before.
        self.stage.note_kill();
        // As whoever takes over does; a replica that has only just started would give it one more lease.
        let sql = format!("DELETE FROM replica WHERE place LIKE 'pid {} on %'", victim.id());
        self.database.execute(AssertSqlSafe(sql)).await.unwrap();
    }

    /// Stops a replica until others have taken its work over, and lets it go on: it must end without having done anything.
    async fn stop(&mut self, number: usize) {
        let victim = self.replicas.swap_remove(number);
        let like = format!("pid {} on %", victim.id());
        victim.signal("STOP");
        self.start().await;
        self.stage.note_kill();
        let taken_over = async {
            let sql = "SELECT count(*) FROM replica WHERE place LIKE $1";
            loop {
                let left: i64 = sqlx::query_scalar(sql).bind(&like).fetch_one(&mut self.database).await.unwrap();
                if left == 0 {
                    break;
                }
                self.stage.world.checked(&self.replicas[0], SENTINEL, 1).await;
            }
        };
        assert!(event(taken_over).await.is_some(), "nobody takes over; log:\n{}", self.replicas[0].log());
        victim.signal("CONT");
        assert_eq!(victim.ended().await.code(), Some(1), "{}", victim.log());
        assert!(victim.log().contains("taken over"), "{}", victim.log());
    }

    /// Asks a replica to go, and starts another one.
    async fn replace(&mut self, number: usize) {
        let victim = self.replicas.swap_remove(number);
        assert_eq!(victim.stop().await.code(), Some(0));
        self.start().await;
    }

    /// Lets everything be sent, and judges.
    pub(super) async fn finish(mut self) -> Tally {
        let alive: Vec<_> = self.replicas.iter().map(|replica| (replica.id(), replica.is_running())).collect();
        assert!(alive.iter().all(|(_, runs)| *runs), "a replica ended on its own: {}", self.replicas[0].log());
        let overlaps: Vec<String> = sqlx::query_scalar(OVERLAPS).fetch_all(&mut self.database).await.unwrap();
        assert_eq!(overlaps, Vec::<String>::new(), "attempts that overlap");
        self.judge_shards().await;
        let gone: Vec<f64> = sqlx::query_scalar(GONE).fetch_all(&mut self.database).await.unwrap();
        for seconds in gone {
            self.stage.note_gone(Duration::from_secs_f64(seconds));
        }
        let tally = self.stage.finish().await;
        drop(self.replicas);
        tally
    }

    /// Each epoch of each shard has one owner, and epochs only grow.
    async fn judge_shards(&mut self) {
        let rows = sqlx::query("SELECT shard, owner, epoch FROM history ORDER BY shard, number");
        let rows = rows.fetch_all(&mut self.database).await.unwrap();
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_are_killed_and_stopped_lose_nothing_and_repeat_only_what_was_in_flight() {
    let Some(server) = Postgres::shared() else { return };
    let (kills, seed) = (setting("SCOREWATCH_REPLICA_KILLS").unwrap_or(KILLS), seed());
    report(&format!("kills of replicas: {kills}, SCOREWATCH_CRASH_SEED={seed}"));
    let mut fleet = Fleet::new("kills of replicas", seed, server).await;
    for kill in 0..kills {
        fleet.stage.move_scores();
        fleet.stage.trouble_receivers();
        if fleet.stage.random.random_ratio(1, 6) {
            fleet.stage.silence().await;
        }
        let (witness, victim) = (0, fleet.stage.random.random_range(0..REPLICAS));
        fleet.stage.random_point(&fleet.replicas[witness]).await;
        match kill % 8 {
            7 => fleet.replace(victim).await,
            _ => fleet.kill(victim).await,
        }
    }
    for _ in 0..setting("SCOREWATCH_REPLICA_STOPS").unwrap_or(STOPS) {
        fleet.stage.turn_scores();
        fleet.stage.random_point(&fleet.replicas[0]).await;
        fleet.stop(1).await;
    }
    let tally = fleet.finish().await;
    let Tally { accepted, repeats } = tally;
    report(&format!(
        "kills of replicas: {accepted} accepted, of which {repeats} marked repeats; 0 lost, 0 avoidable repeats"
    ));
    assert!(accepted as u64 > kills / 2, "seed {seed}: too little happened to prove anything");
}

/// The judge sees two replicas that both take themselves for the owner of a channel. The row of one is removed behind its back, so that it
/// does not stop sending in time, as every replica would without that rule.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_sees_a_replica_that_goes_on_sending_without_a_lease() {
    let Some(server) = Postgres::shared() else { return };
    let mut fleet = Fleet::new("a lease that is ended behind its holder's back", seed(), server).await;
    let owner = "SELECT owner FROM shard WHERE shard = $1";
    let shard = i64::from(Shard::of_channel(&ChannelName::parse(SOC).unwrap()).number());
    fleet.stage.turn_scores();
    fleet.stage.world.settle(&fleet.replicas[0], SOC).await;
    let owner: String = sqlx::query_scalar(owner).bind(shard).fetch_one(&mut fleet.database).await.unwrap();
    fleet.stage.world.receivers.script(SOC, vec![Reply::status(204).delayed(SLOW)]);
    let sent = fleet.stage.world.arrived(SOC).len();
    fleet.stage.turn_scores();
    fleet.stage.world.until(&fleet.replicas[0], SOC, |arrived| arrived.len() > sent).await;
    let removed = sqlx::query("DELETE FROM replica WHERE id = $1").bind(&owner).execute(&mut fleet.database).await;
    assert_eq!(removed.unwrap().rows_affected(), 1);
    let judged = tokio::spawn(fleet.stage.finish()).await;
    let said = judged.map(|tally| tally.accepted).unwrap_err().into_panic();
    let said = said.downcast_ref::<String>().unwrap();
    assert!(said.contains("repeats without a kill"), "{said}");
}
