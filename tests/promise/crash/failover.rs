//! The primary is ended without a shutdown and its standby takes over, again and again, while several services work. If commits wait for
//! the standby, nothing is lost. If they do not, what only the primary had is.

use std::collections::BTreeSet;

use scorewatch::store::postgres::PostgresSettings;

use super::{
    model::Tally,
    replicas::{Fleet, REPLICAS},
    report, rounds, seed,
};
use crate::harness::{
    SOC,
    between::{Between, Trouble},
    event,
    postgres::Postgres,
};

/// Primaries that are ended, unless `SCOREWATCH_FAILOVERS` says otherwise.
const FAILOVERS: u64 = 3;
/// Makes a server wait for its standby before it confirms anything, now and after a restart.
const WAIT_FOR_STANDBY: &str = "ALTER SYSTEM SET synchronous_standby_names = '*'";
const RELOAD: &str = "SELECT pg_reload_conf()";
/// Standbys that have everything that was confirmed, and on which each commit waits if any is to.
const IN_STEP: &str = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = $1";

/// A primary, its standby, and services that reach whichever is the primary by the same way.
struct Pair {
    fleet: Fleet,
    way: Between,
    primary: &'static Postgres,
    standby: &'static Postgres,
    /// Between the two.
    follows: Between,
    is_synchronous: bool,
}

impl Pair {
    async fn new(context: &str, is_synchronous: bool) -> Self {
        let primary: &'static Postgres = Box::leak(Box::new(Postgres::apart()));
        let mut fleet = Fleet::empty(context, seed(), primary).await;
        let (way, settings) = (Between::new(primary), fleet.stage.database.as_ref().unwrap().1.clone());
        fleet.stage.world.setup.store = Postgres::address(&way.to(&settings));
        fleet.stage.world.write();
        let (standby, follows) = follow(primary, is_synchronous).await;
        for _ in 0..REPLICAS {
            fleet.start().await;
        }
        Self { fleet, way, primary, standby, follows, is_synchronous }
    }

    fn database(&self) -> PostgresSettings {
        self.fleet.stage.database.as_ref().unwrap().1.clone()
    }

    /// Ends the primary; the standby takes over, and gets a standby of its own.
    async fn fail_over(&mut self) {
        self.primary.crash();
        self.standby.promote();
        self.way.lead_to(self.standby);
        let (standby, follows) = follow(self.standby, self.is_synchronous).await;
        (self.primary, self.standby, self.follows) = (self.standby, standby, follows);
        let database = self.database();
        self.fleet.database = self.primary.connect(&database.database).await;
        self.fleet.stage.database = Some((self.primary, database));
    }
}

/// A standby of a server, which has everything by then, and the way by which it follows.
async fn follow(primary: &'static Postgres, is_synchronous: bool) -> (&'static Postgres, Between) {
    let follows = Between::new(primary);
    let by = follows.folder().to_owned();
    let standby = tokio::task::spawn_blocking(move || primary.standby(&by)).await.unwrap();
    let mut connection = primary.connect("postgres").await;
    if is_synchronous {
        for sql in [WAIT_FOR_STANDBY, RELOAD] {
            sqlx::query(sql).execute(&mut connection).await.unwrap();
        }
    }
    let state = if is_synchronous { "sync" } else { "async" };
    let in_step = async {
        while sqlx::query_scalar::<_, i64>(IN_STEP).bind(state).fetch_one(&mut connection).await.unwrap() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    assert!(event(in_step).await.is_some(), "the standby does not follow");
    (Box::leak(Box::new(standby)), follows)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_standby_for_which_commits_wait_takes_over_and_nothing_is_lost() {
    let failovers = rounds("SCOREWATCH_FAILOVERS", FAILOVERS);
    let mut pair = Pair::new("failovers to a synchronous standby", true).await;
    for _ in 0..failovers {
        for _ in 0..3 {
            pair.fleet.stage.move_scores();
            pair.fleet.stage.trouble_receivers();
            pair.fleet.stage.random_point(&pair.fleet.replicas[0]).await;
        }
        pair.fail_over().await;
    }
    let Tally { accepted, repeats } = pair.fleet.finish().await;
    report(&format!(
        "failovers: {failovers}, {accepted} accepted, of which {repeats} marked repeats; 0 lost, 0 avoidable repeats"
    ));
    assert!(accepted as u64 > failovers, "too little happened to prove anything");
}

/// What a standby lacks for which no commit waits is lost: receivers were sent what the store does not know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn what_only_the_primary_had_is_lost_with_a_standby_for_which_no_commit_waits() {
    let mut pair = Pair::new("a failover to an asynchronous standby", false).await;
    pair.fleet.stage.turn_scores();
    pair.fleet.stage.world.settle(&pair.fleet.replicas[0], SOC).await;
    // From here on the standby learns of nothing.
    pair.follows.set(Some(Trouble::Cut));
    pair.fleet.stage.turn_scores();
    pair.fleet.stage.world.settle(&pair.fleet.replicas[0], SOC).await;
    let sent: Vec<_> = pair.fleet.stage.world.arrived(SOC).into_iter().filter(|one| one.accepted).collect();
    pair.fail_over().await;
    let known: BTreeSet<_> = pair.fleet.stage.deliveries().await.into_iter().map(|row| row.id).collect();
    let lost = sent.iter().filter(|one| !known.contains(&one.id)).count();
    report(&format!("a failover to an asynchronous standby: {lost} of {} messages are not in the store", sent.len()));
    assert!((1..sent.len()).contains(&lost), "{lost} of {}", sent.len());
}
