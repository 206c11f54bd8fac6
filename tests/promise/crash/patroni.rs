//! Three PostgreSQL servers run by Patroni, in synchronous mode, behind `HAProxy`: the primary is killed again and again, alone and with its
//! Patroni, while several services work. For up to half a minute nobody can write, which costs every service its lease. Afterward they go
//! on as they are: nobody starts them again, and the operator is not alarmed.

use std::time::Duration;

use super::{
    model::Tally,
    replicas::{Fleet, REPLICAS},
    report, rounds, seed,
};
use crate::harness::{OPS, kinds, postgres::Postgres};

/// Primaries that are killed, unless `SCOREWATCH_PATRONI_KILLS` says otherwise.
const KILLS: u64 = 12;
/// While the primary is killed and another one takes over, scores move that often.
const MOVES_EVERY: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer, Patroni, etcd and HAProxy"]
async fn a_cluster_whose_primary_is_killed_loses_nothing_and_repeats_only_what_was_in_flight() {
    let kills = rounds("SCOREWATCH_PATRONI_KILLS", KILLS);
    let cluster = tokio::task::spawn_blocking(Postgres::cluster).await.unwrap();
    let (cluster, seed): (&'static Postgres, _) = (Box::leak(Box::new(cluster)), seed());
    report(&format!("kills of a cluster's primary: {kills}, SCOREWATCH_CRASH_SEED={seed}"));
    let mut fleet = Fleet::empty("kills of a cluster's primary", seed, cluster).await;
    for _ in 0..REPLICAS {
        fleet.start().await;
    }
    let mut without = [Vec::new(), Vec::new()];
    for kill in 0..kills {
        for _ in 0..2 {
            fleet.stage.move_scores();
            fleet.stage.trouble_receivers();
            fleet.stage.random_point(&fleet.replicas[0]).await;
        }
        let with_patroni = kill % 2 == 1;
        let mut killing = tokio::task::spawn_blocking(move || cluster.kill_primary(with_patroni));
        let seconds: f64 = loop {
            tokio::select! {
                killed = &mut killing => break killed.unwrap(),
                () = tokio::time::sleep(MOVES_EVERY) => fleet.stage.move_scores(),
            }
        };
        without[usize::from(with_patroni)].push(seconds);
        fleet.database = cluster.connect(&fleet.stage.database.as_ref().unwrap().1.database).await;
    }
    let mut alarms = fleet.stage.world.arrived(OPS);
    // A receiver rejects a message now and then.
    alarms.retain(|one| one.kind != "operator.channel");
    assert_eq!(kinds(&alarms), [], "seed {seed}: the operator is alarmed: {alarms:?}");
    let Tally { accepted, repeats } = fleet.finish().await;
    let longest = without.map(|seconds| seconds.into_iter().fold(0.0, f64::max));
    report(&format!(
        "kills of a cluster's primary: {accepted} accepted, of which {repeats} marked repeats; 0 lost, 0 avoidable repeats; longest \
         without a primary: {:.1} s (postmaster killed), {:.1} s (its Patroni as well)",
        longest[0], longest[1]
    ));
    assert!(accepted as u64 > kills, "seed {seed}: too little happened to prove anything");
}
