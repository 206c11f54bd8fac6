//! A role that owns the tables makes them, and the service needs no more than to read and write them, as the guide says.

use std::fs;

use scorewatch::store::postgres::PostgresSettings;
use sqlx::Executor;

use crate::harness::{HIGH, LOW, SOC, World, kinds, postgres::Postgres};

/// The statements that the guide gives, for roles of these names and a database of this name: what is done once on the server, and then in
/// the database.
fn statements(owner: &str, role: &str, database: &str) -> [String; 2] {
    let page = fs::read_to_string("docs/guides/postgresql.md").unwrap();
    let blocks = page.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut blocks = blocks.filter(|block| block.contains("scores_owner"));
    let named = |block: &str| {
        let named = block.replace("scores_owner", "\u{1}").replace("DATABASE scorewatch ", "DATABASE \u{2} ");
        named.replace("scorewatch", role).replace('\u{1}', owner).replace('\u{2}', database)
    };
    [named(blocks.next().unwrap()), named(blocks.next().unwrap())]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn the_service_needs_no_more_than_to_read_and_write_its_tables() {
    let server = Postgres::shared();
    // Its name alone is used: another one is made as the guide says.
    let any = server.database().await;
    let (owner, role, database) =
        (format!("owner_{}", any.database), format!("role_{}", any.database), format!("{}_least", any.database));
    let [on_server, in_database] = statements(&owner, &role, &database);
    let mut connection = server.connect("postgres").await;
    for statement in on_server.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        connection.execute(sqlx::AssertSqlSafe(statement.to_owned())).await.unwrap();
    }
    let by = |user: &str| PostgresSettings { user: user.to_owned(), database: database.clone(), ..any.clone() };
    server.run_as(&by(&owner), &in_database).await.unwrap();

    let mut world = World::new().await;
    world.setup.store = Postgres::address(&by(&role));
    world.write();
    let refused = world.command(&["migrate"]).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("run `scorewatch migrate` as the role that owns"), "{said}");

    world.setup.store = Postgres::address(&by(&owner));
    world.write();
    let migrated = world.command(&["migrate"]).await;
    assert!(migrated.status.success(), "{migrated:?}");

    world.setup.store = Postgres::address(&by(&role));
    world.add_tenant("leaves");
    let service = world.run().await;
    for score in [LOW, HIGH] {
        world.set_score("contoso", score);
        world.settle(&service, SOC).await;
    }
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1), ("alert.resolved", 2)]);
    commands_work(&world).await;
    // A tenant is forgotten from every table.
    world.setup.tenants.pop();
    fs::remove_file(world.folder.path().join("tenants/leaves.yaml")).unwrap();
    world.write();
    service.says("the changed configuration is now in force").await;
    world.checked(&service, "contoso", 2).await;
    let forgotten = world.command(&["tenants", "forget", "leaves"]).await;
    assert!(forgotten.status.success(), "{forgotten:?}");
    let log = service.log();
    assert!(!log.contains("permission denied") && !log.contains("must be owner"), "{log}");
    assert_eq!(service.stop().await.code(), Some(0));

    // A control: the role may do nothing else.
    for statement in [
        "CREATE TABLE more (id BIGINT)",
        "DROP TABLE tenant",
        "ALTER TABLE tenant ADD more BIGINT",
        "TRUNCATE downtime",
    ] {
        let refused = server.run_as(&by(&role), statement).await.unwrap_err();
        let code = refused.as_database_error().and_then(|error| error.code().map(String::from));
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {refused}");
    }
}

async fn commands_work(world: &World) {
    for command in [
        &["silences", "add", "--tenant", "contoso", "--for", "1h", "--comment", "patching"][..],
        &["tenants", "recheck", "contoso"],
        &["audit", "verify"],
        &["replicas"],
        &["migrate", "--check"],
        &["doctor"],
    ] {
        let output = world.command(command).await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("permission denied") && !said.contains("must be owner"), "{command:?}: {said}");
        assert!(output.status.success() || command[0] == "doctor", "{command:?}: {said}");
    }
}
