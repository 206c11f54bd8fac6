//! Replicas each read files of their own. What one of them rejects, or does not know yet, is not undone or forgotten by another.

use std::{fs, path::Path};

use serde_json::Value;

use crate::harness::{
    Arrived, Folder, LOW, OPS, SENTINEL, SOC, Service, World, entra, files_below, postgres::Postgres,
};

/// A world on a database, and another folder with the same files.
async fn two_folders(server: &Postgres) -> (World, Folder) {
    let mut world = World::new().await;
    world.setup.store = Postgres::address(&server.database().await);
    world.write();
    let other = Folder::new();
    for (path, bytes) in files_below(world.folder.path()) {
        let name = Path::new(&path).strip_prefix(world.folder.path()).unwrap();
        other.write(name.to_str().unwrap(), &String::from_utf8(bytes).unwrap());
    }
    (world, other)
}

async fn start(folder: &Folder) -> Service {
    let service = Service::spawn(&folder.config(), &[]);
    service.listening().await;
    service
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// What the operator was sent about configurations.
fn said(arrived: &[Arrived]) -> Vec<Value> {
    let of_configuration = arrived.iter().filter(|one| one.accepted && one.kind == "operator.configuration");
    of_configuration.map(|one| one.body["data"]["operator"].clone()).collect()
}

fn is_said(class: &'static str) -> impl Fn(&[Arrived]) -> bool {
    move |arrived| said(arrived).iter().any(|one| one["class"] == class)
}

/// The first errors of what replicas reject, by their own rows.
async fn rejected(world: &World) -> Vec<String> {
    let listed = world.listing(&["replicas", "--json"]).await;
    listed.iter().filter_map(|one| one["rejects"].as_str().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn what_two_replicas_reject_is_one_message_and_over_when_both_accept() {
    let server = Postgres::shared();
    let (world, other) = two_folders(server).await;
    let (first, second) = (start(&world.folder).await, start(&other).await);
    let good = read(&world.folder, "scorewatch.yaml");
    for folder in [&world.folder, &other] {
        folder.write("scorewatch.yaml", &format!("colour_of_the_moon: green\n{good}"));
    }
    world.until(&first, OPS, is_said("configuration-rejected")).await;
    let sent = said(&world.arrived(OPS));
    let summary = sent[0]["summary"].as_str().unwrap();
    for replica in [&first, &second] {
        assert!(summary.contains(&format!("pid {} on ", replica.id())), "{summary}");
    }
    assert!(sent[0]["hint"].as_str().unwrap().contains("colour_of_the_moon"), "{sent:?}");
    assert_eq!(rejected(&world).await.len(), 2);

    // One is corrected and started again, and leads or does not: the other one rejects its files still.
    world.folder.write("scorewatch.yaml", &good);
    first.says("the changed configuration is now in force").await;
    assert_eq!(first.stop().await.code(), Some(0));
    let first = start(&world.folder).await;
    world.checked(&first, SENTINEL, 3).await;
    world.quiet(&first).await;
    assert_eq!(rejected(&world).await.len(), 1);
    assert_eq!(said(&world.arrived(OPS)).len(), 1, "{:#?}", said(&world.arrived(OPS)));

    other.write("scorewatch.yaml", &good);
    world.until(&first, OPS, is_said("configuration-accepted")).await;
    world.quiet(&first).await;
    let classes: Vec<_> = said(&world.arrived(OPS)).iter().map(|one| one["class"].clone()).collect();
    assert_eq!(classes, ["configuration-rejected", "configuration-accepted"]);
    for replica in [first, second] {
        assert_eq!(replica.stop().await.code(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_replica_with_the_old_files_does_not_rename_back_what_a_new_one_renamed() {
    let server = Postgres::shared();
    let (world, other) = two_folders(server).await;
    let database = world.setup.store.rsplit('/').next().unwrap().to_owned();
    let mut inside = server.connect(&database).await;
    let mut slug = async || {
        let slug = sqlx::query_scalar("SELECT tenant FROM tenant WHERE entra = $1").bind(entra("contoso").to_string());
        slug.fetch_all(&mut inside).await.unwrap() as Vec<String>
    };
    let (old, new) = (start(&world.folder).await, start(&other).await);
    world.checked(&old, "contoso", 2).await;
    let renamed = read(&other, "tenants/contoso.yaml").replace("id: contoso", "id: fabrikam");
    other.write("tenants/contoso.yaml", &renamed);
    new.says("a tenant's slug has changed").await;
    assert_eq!(slug().await, ["fabrikam"]);

    // Its machine is restarted before it gets the new files.
    assert_eq!(old.stop().await.code(), Some(0));
    let old = start(&world.folder).await;
    old.says("another replica's configuration has renamed this tenant").await;
    world.checked(&new, SENTINEL, 3).await;
    assert_eq!(slug().await, ["fabrikam"]);

    world.folder.write("tenants/contoso.yaml", &renamed);
    old.says("the changed configuration is now in force").await;
    world.set_score("contoso", LOW);
    let is_sent = |arrived: &[Arrived]| arrived.iter().any(|one| one.accepted && one.tenant == "fabrikam");
    world.until(&new, SOC, is_sent).await;
    assert_eq!(slug().await, ["fabrikam"]);
    for replica in [old, new] {
        assert_eq!(replica.stop().await.code(), Some(0));
    }
}
