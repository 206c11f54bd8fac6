//! A replica that has decided to write something is stopped right before it does, until others have taken its work over. What prevents
//! the write after that is the row which the others have removed: without that, the judges see what was written.

use scorewatch::simulation::Reply;

use super::{history, replicas::Fleet, seed, stage::DESK};
use crate::harness::{SENTINEL, SOC, Service, event, postgres::Postgres};

const STOP_BEFORE_A_CLAIM: [(&str, &str); 1] = [("SCOREWATCH_STOP_BEFORE", "Claim")];
const OWNED: &str = "SELECT count(*) FROM shard WHERE owner IN (SELECT id FROM replica WHERE place LIKE $1)";

/// A replica whose work another one has. It was stopped when it was about to claim a delivery, and waits to be told to go on.
async fn taken_over(fleet: &mut Fleet) -> Service {
    // What is due stays due, so that there is something to claim afterward.
    for channel in [SOC, DESK] {
        fleet.stage.world.receivers.set(channel, Some(Reply::status(503)));
    }
    fleet.stage.turn_scores();
    let victim = fleet.stage.spawn(&STOP_BEFORE_A_CLAIM);
    let place = format!("pid {} on %", victim.id());
    let status = format!("/proc/{}/stat", victim.id());
    // Nobody tells that it has stopped, so it is looked at again and again.
    let stopped = async {
        while !std::fs::read_to_string(&status).is_ok_and(|status| status.contains(") T ")) {
            tokio::task::yield_now().await;
        }
    };
    assert!(event(stopped).await.is_some(), "it claims nothing:\n{}", victim.log());
    fleet.start().await;
    let taken_over = async {
        loop {
            let owned: i64 = sqlx::query_scalar(OWNED).bind(&place).fetch_one(&mut fleet.database).await.unwrap();
            if owned == 0 {
                break;
            }
            fleet.stage.world.checked(&fleet.replicas[0], SENTINEL, 1).await;
        }
    };
    assert!(event(taken_over).await.is_some(), "nobody takes over:\n{}", fleet.replicas[0].log());
    victim
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_replica_that_was_stopped_before_a_write_until_others_had_its_work_writes_nothing() {
    let mut fleet = Fleet::empty("a replica that wakes up", seed(), Postgres::shared()).await;
    let victim = taken_over(&mut fleet).await;
    victim.signal("CONT");
    assert_eq!(victim.ended().await.code(), Some(1), "{}", victim.log());
    assert!(victim.log().contains("taken over"), "{}", victim.log());
    assert_eq!(history::faults(&mut fleet.database).await, Vec::<String>::new());
}

/// The row stays, and the replica does not come to look at it: nothing but the judges notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn the_judges_see_what_a_replica_writes_after_its_work_was_taken_over_where_nothing_refuses_it() {
    let server = Postgres::shared();
    let mut fleet = Fleet::empty("a replica that nobody refuses", seed(), server).await;
    history::refuse_nobody(&mut fleet.database).await;
    let victim = taken_over(&mut fleet).await;
    assert_eq!(history::faults(&mut fleet.database).await, Vec::<String>::new());
    let mut keeps_it_from_looking = server.connect(&fleet.stage.database.as_ref().unwrap().1.database).await;
    let lock = "SELECT 1 FROM replica WHERE place LIKE $1 FOR UPDATE";
    sqlx::query("BEGIN").execute(&mut keeps_it_from_looking).await.unwrap();
    let place = format!("pid {} on %", victim.id());
    assert_eq!(sqlx::query(lock).bind(&place).execute(&mut keeps_it_from_looking).await.unwrap().rows_affected(), 1);
    victim.signal("CONT");
    let written = async {
        loop {
            let faults = history::faults(&mut fleet.database).await;
            if faults.iter().any(|fault| fault.contains("after its work was taken over")) {
                break;
            }
            fleet.stage.world.checked(&fleet.replicas[0], SENTINEL, 1).await;
        }
    };
    assert!(event(written).await.is_some(), "nothing was written:\n{}", victim.log());
    victim.kill();
}
