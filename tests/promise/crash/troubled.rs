//! Several services share one database, and the ways to it fail: connections are cut, halved and delayed, commits or their answers are
//! lost, sessions are ended, and a replica hears nothing for longer than its lease. Nobody is killed, so nothing is repeated but what a
//! replica was sending whose work others had to take over.

use std::time::Duration;

use rand::{RngExt, seq::IndexedRandom};

use super::{
    model::Tally,
    replicas::{Fleet, REPLICAS},
    report, rounds, seed,
};
use crate::harness::{
    SENTINEL, SOC, Service,
    between::{Between, Trouble},
    event,
    postgres::Postgres,
};

/// How often replicas are kept from their database, unless `SCOREWATCH_REPLICA_TROUBLES` says otherwise. The first few times cost no lease.
const TROUBLES: u64 = 4;
/// One in this number is longer than a lease.
const LONG_EVERY: u64 = 10;
/// What ends before it costs a lease.
const SHORT: [Trouble; 5] = [
    Trouble::Cut,
    Trouble::Half,
    Trouble::Delay(Duration::from_millis(150)),
    Trouble::CommitUnanswered,
    Trouble::CommitLost,
];
/// Ends some sessions of the replicas.
const TERMINATE: &str = "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 3) AS sessions";

/// Replicas, each with a way of its own to the database.
struct Troubled {
    fleet: Fleet,
    ways: Vec<Between>,
    /// How many replicas others took over from without being kept from the database for so long.
    taken_over: u32,
}

impl Troubled {
    async fn new(context: &str, seed: u64, server: &'static Postgres) -> Self {
        let fleet = Fleet::empty(context, seed, server).await;
        let mut troubled = Self { fleet, ways: Vec::new(), taken_over: 0 };
        for number in 0..REPLICAS {
            let way = Between::new(server);
            let (folder, database) = (&troubled.fleet.stage.world.folder, troubled.fleet.stage.database.as_ref());
            let (here, there) =
                (Postgres::address(&database.unwrap().1), Postgres::address(&way.to(&database.unwrap().1)));
            let config = std::fs::read_to_string(folder.config()).unwrap();
            folder.write(&file(number), &config.replace(&here, &there));
            troubled.ways.push(way);
            let replica = troubled.start(number).await;
            troubled.fleet.replicas.push(replica);
        }
        troubled
    }

    async fn start(&self, number: usize) -> Service {
        let replica = Service::spawn(&self.fleet.stage.world.folder.path().join(file(number)), &[]);
        replica.listening().await;
        replica
    }

    /// Troubles one replica for a while in which others work.
    async fn trouble(&mut self, victim: usize, trouble: Trouble) {
        self.ways[victim].set(Some(trouble));
        self.fleet.stage.random_point(&self.fleet.replicas[(victim + 1) % REPLICAS]).await;
        self.ways[victim].set(None);
    }

    /// Keeps a replica from the database until others have taken over from it: it must end without having done anything.
    async fn silence(&mut self, victim: usize) {
        self.ways[victim].set(Some(Trouble::Silence));
        let like = format!("pid {} on %", self.fleet.replicas[victim].id());
        let witness = (victim + 1) % REPLICAS;
        let taken_over = async {
            let sql = "SELECT count(*) FROM replica WHERE place LIKE $1";
            while 0_i64 < sqlx::query_scalar(sql).bind(&like).fetch_one(&mut self.fleet.database).await.unwrap() {
                self.fleet.stage.world.checked(&self.fleet.replicas[witness], SENTINEL, 1).await;
            }
        };
        assert!(event(taken_over).await.is_some(), "nobody takes over; log:\n{}", self.fleet.replicas[witness].log());
        self.ways[victim].set(None);
    }

    /// Starts a replica again that others have taken over from: because it was kept from the database, or the machine was so slow.
    async fn restart_ended(&mut self, victim: usize, must_have_ended: bool) {
        if !must_have_ended && self.fleet.replicas[victim].is_running() {
            return;
        }
        let ended = &self.fleet.replicas[victim];
        assert_eq!(ended.ended().await.code(), Some(1), "{}", ended.log());
        assert!(ended.log().contains("taken over"), "{}", ended.log());
        self.taken_over += u32::from(!must_have_ended);
        self.fleet.replicas[victim] = self.start(victim).await;
    }
}

/// The configuration of a replica.
fn file(number: usize) -> String {
    format!("replica-{number}.yaml")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn replicas_that_are_kept_from_their_database_lose_and_repeat_nothing() {
    let (rounds, seed) = (rounds("SCOREWATCH_REPLICA_TROUBLES", TROUBLES), seed());
    let server = Postgres::shared();
    report(&format!("troubles of replicas: {rounds}, SCOREWATCH_CRASH_SEED={seed}"));
    let mut troubled = Troubled::new("troubles of replicas", seed, server).await;
    for number in 0..rounds {
        let stage = &mut troubled.fleet.stage;
        stage.move_scores();
        stage.trouble_receivers();
        let victim = stage.random.random_range(0..REPLICAS);
        let short = *SHORT.choose(&mut stage.random).unwrap();
        match number % LONG_EVERY {
            4 => troubled.silence(victim).await,
            1 | 7 => {
                let ended = sqlx::query(TERMINATE).execute(&mut troubled.fleet.database).await;
                assert!(ended.is_ok(), "{ended:?}");
                troubled.fleet.stage.random_point(&troubled.fleet.replicas[victim]).await;
            }
            _ => troubled.trouble(victim, short).await,
        }
        for replica in 0..REPLICAS {
            troubled.restart_ended(replica, replica == victim && number % LONG_EVERY == 4).await;
        }
    }
    let taken_over = troubled.taken_over;
    let Tally { accepted, repeats } = troubled.fleet.finish().await;
    report(&format!(
        "troubles of replicas: {accepted} accepted, of which {repeats} marked repeats; 0 lost, 0 avoidable repeats; {taken_over} \
         replicas ended without having been kept from the database for long"
    ));
    assert!(accepted as u64 > rounds / 2, "seed {seed}: too little happened to prove anything");
}

/// How often the database server is killed.
const SERVER_KILLS: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_database_server_that_is_killed_costs_replicas_neither_a_message_nor_a_restart() {
    let server: &'static Postgres = Box::leak(Box::new(Postgres::apart()));
    let seed = seed();
    report(&format!("kills of the database server: {SERVER_KILLS}, SCOREWATCH_CRASH_SEED={seed}"));
    let mut fleet = Fleet::new("kills of the database server", seed, server).await;
    for _ in 0..SERVER_KILLS {
        fleet.stage.move_scores();
        fleet.stage.trouble_receivers();
        fleet.stage.random_point(&fleet.replicas[0]).await;
        tokio::task::spawn_blocking(move || server.kill_and_start()).await.unwrap();
        let database = fleet.stage.database.as_ref().unwrap().1.database.clone();
        fleet.database = server.connect(&database).await;
        fleet.stage.turn_scores();
        fleet.stage.world.settle(&fleet.replicas[0], SOC).await;
    }
    let Tally { accepted, repeats } = fleet.finish().await;
    report(&format!(
        "kills of the database server: {accepted} accepted, of which {repeats} marked repeats; 0 lost, 0 avoidable repeats"
    ));
    assert!(accepted > SERVER_KILLS, "seed {seed}: too little happened to prove anything");
}
