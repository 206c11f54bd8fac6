//! How long it takes until the work of a replica that is killed, or asked to go, is another one's, at the real length of a lease. It
//! prints percentiles, by the database's clock. A few show only that all of it is taken over; many, as with `./test --long`, show that it
//! is within the times that are promised.

use std::time::Duration;

use futures_util::future::join_all;
use sqlx::{Connection, PgConnection};

use super::{report, rounds};
use crate::harness::{Service, World, event, postgres::Postgres};

/// Takeovers, and as many handovers, unless `SCOREWATCH_TAKEOVERS` says otherwise.
const TAKEOVERS: u64 = 36;
/// Worlds side by side, each with three replicas: most of the time they wait for a lease to run out.
const WORLDS: u64 = 6;
const REPLICAS: usize = 3;
/// So many are enough for a percentile to say something.
const JUDGED_FROM: usize = 100;
/// What is promised of 99 in 100: of a replica that is killed, and of one that is asked to go.
const PROMISED: [Duration; 2] = [Duration::from_secs(20), Duration::from_secs(2)];
/// How often it is looked whether it is done; no figure is more exact.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Zero once there are three, each has its part, and none is so young that it would give a dead one more time.
const UNSETTLED: &str = "SELECT abs(3 - (SELECT count(*) FROM replica)) \
    + (SELECT count(*) FROM replica AS r WHERE 21 > (SELECT count(*) FROM shard WHERE owner = r.id)) \
    + (SELECT count(*) FROM replica WHERE started_at > clock_timestamp() - interval '16 seconds') + length($1)";

/// Replicas of a world of its own.
struct Group {
    world: World,
    /// Oldest first.
    replicas: Vec<Service>,
    database: PgConnection,
}

impl Group {
    async fn new(server: &Postgres) -> Self {
        let (settings, mut world) = (server.database().await, World::new().await);
        world.setup.store = Postgres::address(&settings);
        world.write();
        let mut replicas = Vec::new();
        for _ in 0..REPLICAS {
            let replica = Service::spawn(&world.folder.config(), &[]);
            replica.listening().await;
            replicas.push(replica);
        }
        Self { world, replicas, database: server.connect(&settings.database).await }
    }

    /// The time on the database's clock.
    async fn now(&mut self) -> f64 {
        let now = sqlx::query_scalar("SELECT extract(epoch FROM clock_timestamp())::float8");
        now.fetch_one(&mut self.database).await.unwrap()
    }

    async fn ask(&mut self, sql: &'static str, id: &str) -> i64 {
        sqlx::query_scalar(sql).bind(id).fetch_one(&mut self.database).await.unwrap()
    }

    async fn until(&mut self, sql: &'static str, id: &str) {
        let wait = async {
            while self.ask(sql, id).await != 0 {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        assert!(event(wait).await.is_some(), "waited in vain: {sql}");
    }

    /// Ends the oldest replica, and returns how long it takes until all of its shards are others'.
    async fn end_one(&mut self, is_killed: bool) -> Duration {
        self.until(UNSETTLED, "").await;
        let victim = self.replicas.remove(0);
        let like = format!("pid {} on %", victim.id());
        let id = sqlx::query_scalar("SELECT id FROM replica WHERE place LIKE $1").bind(&like);
        let id: String = id.fetch_one(&mut self.database).await.unwrap();
        let began = self.now().await;
        if is_killed {
            victim.kill();
        } else {
            victim.signal("TERM");
        }
        // Where a lease is waited for, another one starts meanwhile.
        let early = is_killed.then(|| Service::spawn(&self.world.folder.config(), &[]));
        self.until("SELECT count(*) FROM shard WHERE owner IS NULL OR owner = $1", &id).await;
        let took = Duration::from_secs_f64((self.now().await - began).max(0.0));
        let next = early.unwrap_or_else(|| Service::spawn(&self.world.folder.config(), &[]));
        next.listening().await;
        self.replicas.push(next);
        took
    }
}

/// Kills and stops that many replicas in one world; how long each takeover and each handover took.
async fn measure(server: &Postgres, rounds: u64) -> [Vec<Duration>; 2] {
    let mut group = Group::new(server).await;
    let [mut takeovers, mut handovers] = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        takeovers.push(group.end_one(true).await);
        handovers.push(group.end_one(false).await);
    }
    group.database.close().await.unwrap();
    [takeovers, handovers]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer; a measurement that takes minutes"]
async fn the_work_of_a_replica_that_ends_is_taken_over() {
    let (rounds, server) = (rounds("SCOREWATCH_TAKEOVERS", TAKEOVERS), Postgres::shared());
    let measured = join_all((0..WORLDS).map(|_| measure(server, rounds.div_ceil(WORLDS)))).await;
    for (index, what) in ["takeover after kill -9", "handover at SIGTERM"].into_iter().enumerate() {
        let mut took: Vec<_> = measured.iter().flat_map(|of_world| of_world[index].clone()).collect();
        took.sort_unstable();
        let at = |percent: usize| took[(took.len() * percent).div_ceil(100).max(1) - 1].as_secs_f64();
        report(&format!(
            "{what}: {} times, p50 {:.2} s, p99 {:.2} s, longest {:.2} s",
            took.len(),
            at(50),
            at(99),
            at(100)
        ));
        if took.len() >= JUDGED_FROM {
            assert!(at(99) <= PROMISED[index].as_secs_f64(), "{what}: p99 {:.2} s", at(99));
        }
    }
}
