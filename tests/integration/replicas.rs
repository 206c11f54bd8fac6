//! What the delivery side does because other replicas share the store.

use std::{sync::Arc, time::Duration};

use scorewatch::{
    channel::ChannelSettings,
    clock::Clock,
    domain::{EntraTenantId, Timestamp},
    notify::{DeliveryState, route::Audience},
    store::{Division, Shard, Upkeep, postgres},
};

use super::{
    delivery::{lines, queue, sent, states},
    fixture::Fixture,
    setup::{Build, channel_name, config, entra, tenant_id},
};
use crate::harness::{by_ann, event, postgres::Postgres};

/// For how long what one replica refuses waits for the others.
const UNTIL_AGREED: Duration = Duration::from_secs(30);

/// Two replicas of one store, which run these configurations; each with all that it works with.
async fn replicas(fingerprints: [&str; 2]) -> [Fixture; 2] {
    let database = Postgres::shared().database().await;
    let first = postgres::join(&database, fingerprints[0].to_owned()).await.unwrap().0;
    let second = postgres::join(&database, fingerprints[1].to_owned()).await.unwrap().0;
    let first = Fixture { store: Arc::new(first), ..Fixture::new().await };
    let second = Fixture { store: Arc::new(second), clock: first.clock.clone(), ..Fixture::new().await };
    for one in [&first, &second] {
        until(&one.store.division(), |division| division.owned() == 32 && division.living() == 2).await;
    }
    [first, second]
}

async fn until(division: &Division, enough: impl Fn(&Division) -> bool) {
    let wait = async {
        while !enough(division) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(event(wait).await.is_some(), "waited in vain: {} shards, {} live", division.owned(), division.living());
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn what_one_replica_s_configuration_refuses_waits_until_all_run_it() {
    let [first, second] = replicas(["new", "old"]).await;
    let audience = Audience { tenants: Some([tenant_id("fabrikam")].into()), ..Audience::default() };
    let fenced = ChannelSettings { audience, ..first.channel("soc") };
    let (dispatcher, _config, _settled) = first.dispatcher(config().with_channel(fenced));
    let (elsewhere, _old, _of_others) = second.dispatcher(config().with_channel(second.channel("desk")));
    for (name, to) in [("one", "soc"), ("two", "desk")] {
        queue(first.store.as_ref(), name, "low", &[to], first.clock.now()).await;
    }
    assert!(!first.store.division().agrees());
    // By the new configuration, `soc` may not show that tenant; by each, a channel of the other does not exist.
    for attempt in 1..=2 {
        dispatcher.drain().await.unwrap();
        let refused = first.deliveries().await;
        assert_eq!(states(&first).await, [DeliveryState::Queued; 2], "attempt {attempt}");
        for delivery in &refused {
            assert!(delivery.last_error.as_ref().unwrap().contains("replicas run different configurations"));
            assert_eq!(delivery.next_attempt_at, first.clock.now().plus(UNTIL_AGREED));
        }
        first.clock.advance(UNTIL_AGREED);
    }
    // Whoever has the channel sends what the other one refused.
    elsewhere.drain().await.unwrap();
    assert_eq!(sent(&second, "desk"), lines(&[("two", 204)]));
    first.clock.advance(UNTIL_AGREED);
    second.store.division().configured("new".to_owned());
    until(&first.store.division(), Division::agrees).await;
    dispatcher.drain().await.unwrap();
    assert_eq!(states(&first).await, [DeliveryState::Dead, DeliveryState::Delivered]);
    assert_eq!(sent(&first, "soc"), []);
    for one in [first, second] {
        one.store.close().await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_tenant_that_somebody_wants_looked_at_is_looked_at_once_by_its_owner() {
    let [first, second] = replicas(["one", "one"]).await;
    let config = config().with_tenant(first.tenant("contoso", 400.0));
    first.visit(&config).await;
    let asked_at = first.clock.now();
    assert_eq!(first.store.request_checks(&[tenant_id("contoso")].into(), by_ann(asked_at)).await, Ok(1));
    let mut heard = Vec::new();
    for one in [&first, &second] {
        let (dispatcher, keeps, settled) = one.dispatcher(config.clone());
        heard.push((one, dispatcher, keeps, settled));
    }
    for _ in 0..5 {
        for (one, dispatcher, ..) in &heard {
            one.clock.advance(Duration::from_secs(1));
            dispatcher.look().await;
        }
    }
    let asked: Vec<(_, Timestamp)> = first.store.rechecks_requested().await.unwrap();
    assert_eq!(asked, [(tenant_id("contoso"), asked_at)], "nobody asks again");
    let shard = Shard::of_tenant(EntraTenantId(entra("contoso").0));
    for (one, .., settled) in &mut heard {
        let expected = usize::from(one.store.division().owns(shard));
        let heard = std::iter::from_fn(|| settled.try_recv().ok()).count();
        assert_eq!(heard, expected);
    }
    drop(heard);
    for one in [first, second] {
        one.store.close().await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_check_that_takes_long_keeps_its_shard_and_the_channels_of_it_are_served() {
    let (_, database) = Postgres::shared_database().await;
    let (first, _) = postgres::join(&database, "one".to_owned()).await.unwrap();
    let fixture = Fixture { store: Arc::new(first), ..Fixture::by(Clock::System).await };
    let (division, shard) = (fixture.store.division(), Shard::from_number(63).unwrap());
    let mut names = (0..).map(|number| format!("soc-{number}"));
    let name = names.find(|name| Shard::of_channel(&channel_name(name)) == shard).unwrap();
    let (dispatcher, _config, mut settled) = fixture.dispatcher(config().with_channel(fixture.channel(&name)));
    let check = division.begin(shard).unwrap();
    let (second, _) = postgres::join(&database, "one".to_owned()).await.unwrap();
    until(&division, |division| division.owned() == 33).await;
    assert!(!division.owns(shard) && division.still_owns(shard), "the other one waits for it");
    for message in ["one", "two"] {
        queue(fixture.store.as_ref(), message, message, &[&name], fixture.clock.now()).await;
        dispatcher.wake(&channel_name(&name));
        assert!(event(settled.recv()).await.is_some());
    }
    assert_eq!(sent(&fixture, &name).len(), 2);
    drop(check);
    until(&second.division(), |other| other.owned() == 32).await;
    assert!(!division.still_owns(shard));
    fixture.shutdown.cancel();
    fixture.store.close().await;
    second.close().await;
}
