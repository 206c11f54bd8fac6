//! A channel's address is a secret in a file, and each replica has files of its own: they are changed on one machine after the other.

use std::{fs, path::Path, sync::Arc};

use scorewatch::simulation::receiver::Received;

use crate::harness::{Folder, LOW, OPS, SENTINEL, Service, World, accepted, arrived, files_below, postgres::Postgres};

/// Enough for each of two replicas to own some, and the lead as well.
const CHANNELS: [&str; 6] = ["one", "two", "three", "four", "five", "six"];
/// Tenants whose alerts fire.
const FIRING: [&str; 3] = ["contoso", "fabrikam", "tailspin"];

/// Replicas with files of their own, whose channels lead to receivers that are about to move.
struct Rolling {
    world: World,
    other: Folder,
}

impl Rolling {
    async fn new(server: &Postgres) -> Self {
        let mut world = World::new().await;
        world.setup.store = Postgres::address(&server.database().await);
        let mut notified = Vec::new();
        for name in CHANNELS {
            let old = world.receivers.add_webhook(&old(name));
            let _ = world.receivers.add_webhook(&new(name));
            world.folder.write(&format!("secrets/{name}.url"), &old);
            world.setup.channel(name, &format!("type: webhook, drill: off, url: {{ file: secrets/{name}.url }}"));
            notified.push(name);
        }
        world.setup.rules = world.setup.rules.replace("[soc]", &format!("[{}]", notified.join(", ")));
        for tenant in &FIRING[1..] {
            world.add_tenant(tenant);
        }
        world.write();
        let other = Folder::new();
        for (path, bytes) in files_below(world.folder.path()) {
            let name = Path::new(&path).strip_prefix(world.folder.path()).unwrap();
            other.write(name.to_str().unwrap(), &String::from_utf8(bytes).unwrap());
        }
        Self { world, other }
    }

    /// The new secrets of all channels arrive on one machine.
    fn change(&self, folder: &Folder) {
        for name in CHANNELS {
            let path = folder.path().join(format!("secrets/{name}.url"));
            let moved = self.world.receivers.add_webhook(&new(name));
            assert_ne!(fs::read_to_string(path).unwrap(), moved);
            folder.write(&format!("secrets/{name}.url"), &moved);
        }
    }

    /// How often each of these receivers was sent that the tenant's alert fires.
    fn heard(&self, tenant: &str, led_to: fn(&str) -> String) -> Vec<usize> {
        heard(&self.world.receivers.received(), tenant, led_to)
    }

    async fn until(&self, service: &Service, what: &str, enough: impl Fn(&[Arc<Received>]) -> bool) {
        self.world.patiently(service, what, self.world.receivers.wait_for(|received| enough(received))).await;
    }
}

fn heard(received: &[Arc<Received>], tenant: &str, led_to: fn(&str) -> String) -> Vec<usize> {
    CHANNELS.map(|name| accepted(arrived(received, &led_to(name)), tenant).len()).to_vec()
}

fn all_heard(received: &[Arc<Received>], led_to: fn(&str) -> String) -> bool {
    FIRING.iter().all(|tenant| heard(received, tenant, led_to).iter().all(|times| *times >= 1))
}

fn old(name: &str) -> String {
    format!("{name}-old")
}

fn new(name: &str) -> String {
    format!("{name}-new")
}

async fn start(folder: &Folder) -> Service {
    let service = Service::spawn(&folder.config(), &[]);
    service.listening().await;
    service
}

const ONCE: [usize; CHANNELS.len()] = [1; CHANNELS.len()];
const NEVER: [usize; CHANNELS.len()] = [0; CHANNELS.len()];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_rolling_change_of_secrets_notifies_new_receivers_of_what_fires_and_repeats_nothing_at_old_ones() {
    let rolling = Rolling::new(Postgres::shared()).await;
    let (first, second) = (start(&rolling.world.folder).await, start(&rolling.other).await);
    rolling.world.checked(&first, SENTINEL, 2).await;
    for tenant in FIRING {
        rolling.world.set_score(tenant, LOW);
    }
    rolling.until(&first, "every alert at every old receiver", |received| all_heard(received, old)).await;
    rolling.world.quiet(&first).await;

    // The first machine gets the new secrets: what it serves moves, and its alerts with it.
    rolling.change(&rolling.world.folder);
    let has_moved = |received: &[Arc<Received>]| heard(received, "contoso", new).contains(&1);
    rolling.until(&first, "an alert at a new receiver", has_moved).await;
    rolling.world.quiet(&second).await;
    let moved = rolling.heard("contoso", new);
    assert!(moved.contains(&0), "the second replica serves none of the channels: {moved:?}");

    // It is restarted before the second one has them: that serves all channels with the old secrets meanwhile.
    assert_eq!(first.stop().await.code(), Some(0));
    second.says("another replica has newer secrets").await;
    rolling.world.checked(&second, SENTINEL, 2).await;
    for tenant in FIRING {
        assert_eq!(rolling.heard(tenant, old), ONCE, "{tenant} is repeated at an old receiver");
        assert_eq!(rolling.heard(tenant, new), moved, "{tenant}");
    }

    // A replica that is started again has the new ones; then the second machine gets them.
    let first = start(&rolling.world.folder).await;
    rolling.change(&rolling.other);
    rolling.until(&second, "every alert at every new receiver", |received| all_heard(received, new)).await;
    rolling.world.quiet(&first).await;
    for tenant in FIRING {
        assert_eq!(rolling.heard(tenant, old), ONCE, "{tenant} is repeated at an old receiver");
        assert_eq!(rolling.heard(tenant, new), ONCE, "{tenant} is repeated at a new receiver");
    }
    assert_eq!(rolling.heard(SENTINEL, new), NEVER);
    assert!(rolling.world.arrived(OPS).iter().all(|one| one.kind != "operator.channel"), "no channel was in trouble");
    for replica in [first, second] {
        assert_eq!(replica.stop().await.code(), Some(0));
    }
}
