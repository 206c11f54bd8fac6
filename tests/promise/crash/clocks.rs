//! Several services share one database, and their clocks are ten minutes apart. Whose lease is over is decided by the database's clock
//! alone, and nobody waits for a time that only another one's clock shows. Nor was the service down because one of them says so.

use rand::seq::IndexedRandom;

use super::{
    model::Tally,
    replicas::{Fleet, REPLICAS},
    report, rounds, seed,
};
use crate::{
    harness::{OPS, kinds, postgres::Postgres},
    promise::clock_jumps::library,
};

/// Replicas that are killed, unless `SCOREWATCH_CLOCK_KILLS` says otherwise.
const KILLS: u64 = 6;
/// How far a replica's clock is from that of the database.
const OFFSETS: [&str; 3] = ["+5m", "-5m", "+0"];

async fn start(fleet: &mut Fleet, offset: &str) {
    let library = library().expect("Debian's package faketime is installed");
    let environment =
        [("LD_PRELOAD", library.to_str().unwrap()), ("FAKETIME", offset), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    let replica = fleet.stage.spawn(&environment);
    replica.listening().await;
    fleet.replicas.push(replica);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer and libfaketime"]
async fn replicas_whose_clocks_are_ten_minutes_apart_lose_and_repeat_nothing() {
    let server = Postgres::shared();
    let (kills, seed) = (rounds("SCOREWATCH_CLOCK_KILLS", KILLS), seed());
    report(&format!("kills of replicas with other clocks: {kills}, SCOREWATCH_CRASH_SEED={seed}"));
    let mut fleet = Fleet::empty("clocks apart", seed, server).await;
    for offset in OFFSETS {
        start(&mut fleet, offset).await;
    }
    for kill in 0..kills {
        fleet.stage.move_scores();
        fleet.stage.trouble_receivers();
        fleet.stage.random_point(&fleet.replicas[0]).await;
        // One after the other, so that each clock takes over from each.
        let victim = fleet.replicas.remove(usize::try_from(kill).unwrap() % REPLICAS);
        victim.kill();
        let offset = *OFFSETS.choose(&mut fleet.stage.random).unwrap();
        start(&mut fleet, offset).await;
        fleet.forget(&victim).await;
    }
    let mut alarms = fleet.stage.world.arrived(OPS);
    // A receiver rejects a message now and then.
    alarms.retain(|one| one.kind != "operator.channel");
    assert_eq!(kinds(&alarms), [], "seed {seed}: the operator is alarmed: {alarms:?}");
    let Tally { accepted, repeats } = fleet.finish().await;
    report(&format!(
        "kills of replicas with other clocks: {accepted} accepted, of which {repeats} marked repeats; 0 lost, 0 avoidable repeats"
    ));
    assert!(accepted as u64 > kills / 2, "seed {seed}: too little happened to prove anything");
}
