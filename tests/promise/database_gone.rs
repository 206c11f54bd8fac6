//! A service whose database goes away for a while goes on afterward as if nothing had happened.

use crate::harness::{HIGH, LOW, OPS, SOC, Service, World, kinds, postgres::Postgres};

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
