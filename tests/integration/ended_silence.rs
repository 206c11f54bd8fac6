//! What holds is ended by somebody else just while it is decided to hold something: nothing stays held by what is gone.

use std::sync::Arc;

use scorewatch::{
    check::{Checker, due::Turn, plan::Plan},
    notify::{SilenceId, silence::NewSilence},
    rule::Condition,
};

use super::{
    faulty_store::FaultyStore,
    fixture::Fixture,
    setup::{Build, at, config, minutes, rule},
    silence::{NOTHING, Scene, of_contoso, window},
};
use crate::harness::by_ann;

/// A person ends it, by a command that looked at its clock long before it could write.
fn ended_late(fixture: &Fixture, silence: SilenceId) -> impl Future<Output = ()> + Send + 'static {
    let (store, then) = (fixture.store.clone(), fixture.clock.now().minus(minutes(1)));
    async move { assert!(store.end_silence(silence, by_ann(then)).await.unwrap()) }
}

#[tokio::test]
async fn a_silence_that_is_ended_while_it_is_decided_to_hold_further_holds_nothing() {
    for ends_a_silence in [true, false] {
        let mut scene = Scene::new().await;
        let store = FaultyStore::new(scene.fixture.store.clone());
        let dispatched = scene.fixture.dispatcher_on(store.store(), scene.config.clone());
        (scene.dispatcher, scene.sender, scene.settled) = dispatched;
        scene.silence(0, 50).await;
        assert_eq!(scene.check(10, 280.0).await, NOTHING);
        // At its end something else covers it, for a moment.
        if ends_a_silence {
            let longer = scene.silence(20, 100).await;
            store.meanwhile(ended_late(&scene.fixture, longer));
        } else {
            let (sender, without) = (scene.sender.clone(), Arc::new(scene.config.clone()));
            scene.config.maintenance = vec![window("0 0 13 * * MON", minutes(120))];
            scene.sender.send(Arc::new(scene.config.clone())).unwrap();
            store.meanwhile(async move { sender.send(without).unwrap() });
        }
        assert_eq!(scene.look(50).await, ["alert.firing"], "ends a silence: {ends_a_silence}");
    }
}

#[tokio::test]
async fn a_silence_that_is_ended_while_a_check_is_written_holds_nothing_of_it() {
    let fixture = Fixture::new().await;
    let low = rule("low", Condition::Below(300.0));
    let config =
        config().with_tenant(fixture.tenant("contoso", 280.0)).with_channel(fixture.channel("soc")).with_rule(low);
    let (author, comment) = ("ann".to_owned(), "patching".to_owned());
    let silence = NewSilence { matchers: of_contoso(), starts_at: at(-30), ends_at: at(100), author, comment };
    let silence = fixture.store.add_silence(silence, None, by_ann(at(0))).await.unwrap();
    let store = FaultyStore::new(fixture.store.clone());
    store.meanwhile(ended_late(&fixture, silence));
    let checker = Checker { store: store.store(), ..fixture.checker() };
    let (plan, now) = (Plan::new(Arc::new(config.clone())), fixture.clock.now());
    let turn = Turn::Check { due_at: now };
    let tenant = &config.tenants["contoso"];
    checker.visit(&plan, tenant, turn, None, &fixture.shutdown).await.unwrap().unwrap();
    assert_eq!(fixture.store.held_due(now, 10).await.unwrap().len(), 1, "it is looked at now");
}
