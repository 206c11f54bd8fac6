//! A replica that has decided to claim a delivery is stopped right before it writes that, until another one has its work and has done it.
//! The write after that is refused because the replica's row is gone. Where the row stays, the judges see what is written.

use super::{history, replicas::Fleet, seed};
use crate::harness::{SENTINEL, SOC, Service, event, postgres::Postgres};

const STOP_BEFORE_A_CLAIM: [(&str, &str); 1] = [("SCOREWATCH_STOP_BEFORE", "Claim")];
const OWNED: &str = "SELECT count(*) FROM shard WHERE owner IN (SELECT id FROM replica WHERE place LIKE $1)";
/// Whichever channel the claim is for, there is something to claim.
const QUEUE: &str = "UPDATE delivery SET state = 'queued', finished_at = NULL \
    WHERE id IN (SELECT min(id) FROM delivery WHERE state = 'delivered' GROUP BY channel)";

/// How its row names the process.
fn place(replica: &Service) -> String {
    format!("pid {} on %", replica.id())
}

/// A replica that is about to claim a delivery, stopped until it is told to go on. The one that has taken its work over is stopped, too, so
/// that it does not claim the delivery first.
async fn taken_over(fleet: &mut Fleet) -> Service {
    fleet.stage.turn_scores();
    let victim = fleet.stage.spawn(&STOP_BEFORE_A_CLAIM);
    let status = format!("/proc/{}/stat", victim.id());
    // A stopped process announces nothing, so its state is read until it has stopped.
    let stopped = async {
        while !std::fs::read_to_string(&status).is_ok_and(|status| status.contains(") T ")) {
            tokio::task::yield_now().await;
        }
    };
    assert!(event(stopped).await.is_some(), "it claims nothing:\n{}", victim.log());
    fleet.start().await;
    let (world, other) = (&fleet.stage.world, &fleet.replicas[0]);
    let taken_over = async {
        loop {
            let owned: i64 =
                sqlx::query_scalar(OWNED).bind(place(&victim)).fetch_one(&mut fleet.database).await.unwrap();
            if owned == 0 {
                break;
            }
            world.checked(other, SENTINEL, 1).await;
        }
    };
    assert!(event(taken_over).await.is_some(), "nobody takes over:\n{}", other.log());
    world.settle(other, SOC).await;
    world.quiet(other).await;
    other.signal("STOP");
    assert!(sqlx::query(QUEUE).execute(&mut fleet.database).await.unwrap().rows_affected() > 1);
    assert_eq!(history::faults(&mut fleet.database).await, Vec::<String>::new());
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

/// The row stays, and a lock keeps the replica from finding out who has its work, so only the judges notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn the_judges_see_what_a_replica_writes_after_its_work_was_taken_over_where_nothing_refuses_it() {
    let server = Postgres::shared();
    let mut fleet = Fleet::empty("a replica that nobody refuses", seed(), server).await;
    history::refuse_nobody(&mut fleet.database).await;
    let victim = taken_over(&mut fleet).await;
    let mut blinding = server.connect(&fleet.stage.database.as_ref().unwrap().1.database).await;
    sqlx::query("BEGIN").execute(&mut blinding).await.unwrap();
    let lock = "SELECT 1 FROM replica WHERE place LIKE $1 FOR UPDATE";
    assert_eq!(sqlx::query(lock).bind(place(&victim)).execute(&mut blinding).await.unwrap().rows_affected(), 1);
    victim.signal("CONT");
    let written = async {
        let is_late = |fault: &String| fault.contains("after its work was taken over");
        while !history::faults(&mut fleet.database).await.iter().any(is_late) {
            tokio::task::yield_now().await;
        }
    };
    assert!(event(written).await.is_some(), "nothing was written:\n{}", victim.log());
}
