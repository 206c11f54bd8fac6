//! Several services share one database. One of them is killed, stopped, or asked to go, again and again, while the others go on.
//!
//! Everything that holds of one service ([`super::model`]) holds of all of them together. Beyond that, the claims are read as a history
//! ([`super::history`]): each epoch of a shard has one owner, and no two sends of one delivery overlap.

use std::time::Duration;

use rand::RngExt;
use scorewatch::{
    domain::ChannelName,
    simulation::Reply,
    store::{Shard, postgres},
};
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use super::{history, model::Tally, report, rounds, seed, setting, stage::Stage};
use crate::harness::{SENTINEL, SOC, Service, event, postgres::Postgres};

/// Replicas that are killed, and a seventh as many that are asked to go, unless `SCOREWATCH_REPLICA_KILLS` says otherwise.
const KILLS: u64 = 20;
/// How many replicas there are.
pub(super) const REPLICAS: usize = 3;
/// How often a replica is stopped until its work is taken over, unless `SCOREWATCH_REPLICA_STOPS` says otherwise: each time takes as long
/// as a lease.
const STOPS: u64 = 1;

/// How long a receiver takes to answer a message that is sent twice meanwhile.
const SLOW: Duration = Duration::from_mins(2);

/// The replicas of one world.
pub(super) struct Fleet {
    pub(super) stage: Stage,
    pub(super) replicas: Vec<Service>,
    pub(super) database: PgConnection,
}

impl Fleet {
    pub(super) async fn new(context: &str, seed: u64, server: &'static Postgres) -> Self {
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
        history::begin(&mut database).await;
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
        let end = self.stage.come_to_rest().await;
        assert_eq!(history::faults(&mut self.database).await, Vec::<String>::new(), "{}", self.stage.context);
        assert_eq!(history::overlaps(&self.stage.world.receivers.received()), Vec::<String>::new());
        history::judge_shards(&mut self.database).await;
        for at in history::gone(&mut self.database).await {
            self.stage.note_gone(at);
        }
        let tally = self.stage.judge(end).await;
        drop(self.replicas);
        tally
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn replicas_that_are_killed_and_stopped_lose_nothing_and_repeat_only_what_was_in_flight() {
    let server = Postgres::shared();
    let (kills, seed) = (rounds("SCOREWATCH_REPLICA_KILLS", KILLS), seed());
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
        fleet.kill(victim).await;
        if kill % 7 == 6 {
            fleet.stage.move_scores();
            let victim = fleet.stage.random.random_range(0..REPLICAS);
            fleet.stage.random_point(&fleet.replicas[witness]).await;
            fleet.replace(victim).await;
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

/// The judges see two replicas that both take themselves for the owner of a channel. One is stopped while it sends, and its row removed
/// long before its lease has run out: without leases, every replica that is stopped would be such a one. Then it is done what nothing but
/// epochs prevents.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn the_judges_see_a_replica_that_goes_on_sending_without_a_lease() {
    let server = Postgres::shared();
    let mut fleet = Fleet::new("a lease that is ended behind its holder's back", seed(), server).await;
    let shard = i64::from(Shard::of_channel(&ChannelName::parse(SOC).unwrap()).number());
    fleet.stage.turn_scores();
    fleet.stage.world.settle(&fleet.replicas[0], SOC).await;
    let owner = "SELECT id, place FROM replica WHERE id = (SELECT owner FROM shard WHERE shard = $1)";
    let owner: (String, String) = sqlx::query_as(owner).bind(shard).fetch_one(&mut fleet.database).await.unwrap();
    let is_owner = |replica: &Service| owner.1.starts_with(&format!("pid {} on ", replica.id()));
    let (owners, others): (Vec<_>, Vec<_>) = fleet.replicas.iter().partition(|replica| is_owner(replica));
    fleet.stage.world.receivers.script(SOC, vec![Reply::status(204).delayed(SLOW)]);
    let sent = fleet.stage.world.arrived(SOC).len();
    fleet.stage.turn_scores();
    fleet.stage.world.until(others[0], SOC, |arrived| arrived.len() > sent).await;
    owners[0].signal("STOP");
    assert!(history::faults(&mut fleet.database).await.is_empty());
    let removed = sqlx::query("DELETE FROM replica WHERE id = $1").bind(&owner.0).execute(&mut fleet.database).await;
    assert_eq!(removed.unwrap().rows_affected(), 1);
    let overlaps = || history::overlaps(&fleet.stage.world.receivers.received());
    fleet.stage.world.until(others[0], SOC, |_| !overlaps().is_empty()).await;
    for (stale, fault) in [
        ("UPDATE attempt SET finished_at = 1 WHERE finished_at IS NULL AND number = 1", "was settled in epoch"),
        (
            "INSERT INTO attempt (delivery_id, number, started_at) SELECT delivery, max(number) + more, 1 \
             FROM try, generate_series(1, 2) AS more GROUP BY delivery, more HAVING max(epoch) > min(epoch)",
            "was under way",
        ),
    ] {
        fleet.database.execute(stale).await.unwrap();
        let faults = history::faults(&mut fleet.database).await;
        assert!(faults.iter().any(|one| one.contains(fault)), "{fault}: {faults:?}");
    }
    let judged = tokio::spawn(fleet.stage.finish()).await;
    let said = judged.map(|tally| tally.accepted).unwrap_err().into_panic();
    let said = said.downcast_ref::<String>().unwrap();
    assert!(said.contains("repeats without a kill"), "{said}");
}
