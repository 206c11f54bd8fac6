//! A service whose database goes away for a while goes on afterward as if nothing had happened.

use std::time::Duration;

use crate::harness::{Arrived, HIGH, LOW, OPS, SENTINEL, SOC, Service, World, kinds, postgres::Postgres};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_crash_of_the_server_and_cut_connections_lose_and_repeat_nothing() {
    let server = Postgres::apart();
    let database = server.database().await;
    let mut world = World::new().await;
    world.setup.store = Postgres::address(&database);
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.settle(&service, SOC).await;

    server.crash();
    world.set_score("contoso", LOW);
    service.says("the store can't be written to").await;
    server.start_again();
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)]);

    for (score, sent) in [(HIGH, 2), (LOW, 3), (HIGH, 4)] {
        server.cut(&database).await;
        world.set_score("contoso", score);
        server.cut(&database).await;
        world.settle(&service, SOC).await;
        assert_eq!(world.accepted(SOC, "contoso").len(), sent, "at {score}");
    }
    let arrived = world.accepted(SOC, "contoso");
    assert_eq!(arrived.iter().map(|one| &*one.kind).collect::<Vec<_>>(), ["alert.firing", "alert.resolved"].repeat(2));
    assert_eq!(kinds(&world.arrived(OPS)), [], "nobody is alarmed");
    assert!(service.stop().await.success(), "the same process, all the time");
}

/// How long nothing can be written before it counts as downtime, in this test: longer than a heartbeat takes.
const DOWNTIME: [(&str, &str); 1] = [("SCOREWATCH_DOWNTIME_MIN_S", "15")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn time_without_a_database_is_reported_once_as_our_downtime() {
    let server = Postgres::shared();
    let database = server.database().await;
    let mut world = World::new().await;
    world.setup.store = Postgres::address(&database);
    world.write();
    let (first, second) =
        (Service::spawn(&world.folder.config(), &DOWNTIME), Service::spawn(&world.folder.config(), &DOWNTIME));
    for replica in [&first, &second] {
        replica.listening().await;
    }
    world.checked(&first, "contoso", 2).await;
    // A crash may leave a heartbeat waiting for the fate of its commit, for longer than this test's limit. So they are refused.
    let mut connection = server.connect(&database.database).await;
    let [_, (refuse, accept)] = LATE_FAULTS;
    sqlx::raw_sql(refuse).execute(&mut connection).await.unwrap();
    // Heartbeats come every ten seconds.
    let failed = |replica: &Service| replica.log().matches("the store can't be written to").count() >= 3;
    let heartbeats = async {
        while !failed(&first) || !failed(&second) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    world.patiently(&first, "heartbeats that fail", heartbeats).await;
    sqlx::raw_sql(accept).execute(&mut connection).await.unwrap();
    let is_downtime = |arrived: &Arrived| arrived.accepted && arrived.kind == "operator.downtime";
    world.until(&first, OPS, |arrived| arrived.iter().any(is_downtime)).await;
    for replica in [&first, &second] {
        replica.says("the store can be written to again").await;
        world.checked(replica, SENTINEL, 2).await;
    }
    world.quiet(&first).await;
    let sent: Vec<Arrived> = world.arrived(OPS).into_iter().filter(|one| one.kind == "operator.downtime").collect();
    assert_eq!(sent.len(), 1, "{sent:#?}");
    let summary = sent[0].body["data"]["operator"]["summary"].as_str().unwrap();
    assert!(summary.starts_with("Scorewatch could not write to its store for "), "{summary}");
    let longest = "SELECT max(until_at - from_at) / 1000000000 FROM downtime";
    let longest: i64 = sqlx::query_scalar(longest).fetch_one(&mut connection).await.unwrap();
    assert!(longest >= 15, "{longest} s");
    for replica in [first, second] {
        assert_eq!(replica.stop().await.code(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_service_whose_store_was_taken_over_ends() {
    let server = Postgres::shared();
    let database = server.database().await;
    let mut world = World::new().await;
    world.setup.store = Postgres::address(&database);
    let service: Service = world.run().await;
    world.checked(&service, "contoso", 1).await;
    let taken = "UPDATE replica SET id = 'another', place = 'pid 1 on elsewhere'";
    let mut connection = server.connect(&database.database).await;
    sqlx::query(taken).execute(&mut connection).await.unwrap();
    assert_eq!(service.ended().await.code(), Some(1));
    assert!(service.log().contains("pid 1 on elsewhere"), "{}", service.log());
}

/// What breaks a start after it has taken its part of the store, and what takes that back.
const LATE_FAULTS: [(&str, &str); 2] = [
    ("ALTER TABLE downtime RENAME TO elsewhere", "ALTER TABLE elsewhere RENAME TO downtime"),
    (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; \
         CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON meta FOR EACH ROW WHEN (NEW.key = 'beat') \
         EXECUTE FUNCTION refuse()",
        "DROP TRIGGER refuse ON meta",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_start_that_fails_late_leaves_nothing_behind_that_others_must_wait_for() {
    let server = Postgres::shared();
    let database = server.database().await;
    let mut world = World::new().await;
    world.setup.store = Postgres::address(&database);
    assert!(world.run().await.stop().await.success());
    let mut connection = server.connect(&database.database).await;
    for (fault, repair) in LATE_FAULTS {
        sqlx::raw_sql(fault).execute(&mut connection).await.unwrap();
        let service = Service::spawn(&world.folder.config(), &[]);
        assert!(!service.listens().await, "{fault}");
        assert_eq!(service.ended().await.code(), Some(1), "{fault}: {}", service.log());
        let taken = "SELECT (SELECT count(*) FROM replica) + (SELECT count(*) FROM shard WHERE owner IS NOT NULL)";
        let taken: i64 = sqlx::query_scalar(taken).fetch_one(&mut connection).await.unwrap();
        assert_eq!(taken, 0, "{fault}: {}", service.log());
        sqlx::raw_sql(repair).execute(&mut connection).await.unwrap();
    }
    let service = world.run().await;
    world.checked(&service, "contoso", 1).await;
    assert!(service.stop().await.success());
}
