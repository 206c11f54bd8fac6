//! A visit: fetch, judge, commit, with the real store and the simulated cloud.

use scorewatch::{
    check::{close, due::Turn, plan::Plan},
    config::Operator,
    domain::SeriesKey,
    rule::Condition,
    simulation::{
        Reply,
        cloud::{DefenderRefusal, Fetch},
    },
    store::StoreError,
};

use super::{
    fixture::Fixture,
    setup::{Build, SCORE, at, channels, config, drop_of, entra, minutes, rule, tenant_id},
};
use crate::harness::{by_ann, event};

#[tokio::test]
async fn a_visit_leaves_sample_alert_and_delivery_in_the_store() {
    let fixture = Fixture::new().await;
    let config = config()
        .with_tenant(fixture.tenant("contoso", 250.0))
        .with_channel(fixture.channel("soc"))
        .with_rule(rule("low", Condition::Below(300.0)));
    let visit = fixture.visit(&config).await;
    assert_eq!((visit.due.next_due_at, visit.channels), (at(15), channels(&["soc"])));
    let key = SeriesKey { tenant: tenant_id("contoso"), score: SCORE, subject: None };
    let history = fixture.store.history(&key, at(-60)).await.unwrap();
    assert_eq!(history.iter().map(|sample| sample.value).collect::<Vec<_>>(), [250.0]);
    assert_eq!(fixture.queued().await, ["alert.firing to soc"]);
    fixture.pass(15);
    fixture.set_score("contoso", 400.0);
    fixture.visit(&config).await;
    assert_eq!(fixture.queued().await, ["alert.firing to soc", "alert.resolved (Recovered) to soc"]);
}

#[tokio::test]
async fn a_failed_visit_is_noted_with_its_class_and_hint() {
    let fixture = Fixture::new().await;
    let mut config = config().with_tenant(fixture.tenant("contoso", 250.0)).with_channel(fixture.channel("ops"));
    config.operator = Operator { notify: channels(&["ops"]), blind_after: minutes(15) };
    fixture.cloud.set_fetch(entra("contoso"), Some(Fetch::Refuse(DefenderRefusal::NoLicence)));
    let visit = fixture.visit(&config).await;
    assert_eq!(visit.fetched[0].result.as_ref().unwrap_err().class, "licence-missing");
    let failing = fixture.record("contoso").await.unwrap().health.failing.unwrap();
    assert_eq!((failing.since, failing.class.as_str(), failing.hint.is_some()), (at(0), "licence-missing", true));
    fixture.pass(15);
    fixture.visit(&config).await;
    fixture.notify_blindness(&config).await;
    assert_eq!(fixture.queued().await, ["operator.blind to ops"]);
}

#[tokio::test]
async fn what_somebody_else_changed_meanwhile_is_judged_again_and_nothing_is_lost() {
    let fixture = Fixture::new().await;
    let config = config()
        .with_tenant(fixture.tenant("contoso", 400.0))
        .with_channel(fixture.channel("soc"))
        .with_rule(rule("drop", drop_of(5.0)))
        .with_rule(rule("low", Condition::Below(300.0)));
    fixture.visit(&config).await;
    fixture.pass(15);
    fixture.set_score("contoso", 310.0);
    fixture.visit(&config).await;
    let known = fixture.record("contoso").await;
    // A person accepts the loss while the next visit is under way.
    let row = fixture.firing().await.pop().unwrap();
    let mut earlier = row.clone();
    earlier.alert.generation -= 1;
    let (store, entry) = (fixture.store.as_ref(), by_ann(fixture.clock.now()));
    assert_eq!(close::accept(store, &config, &earlier, Some("ana"), &entry).await, Ok(None), "it fired anew since");
    let busy =
        close::accept(fixture.store.as_ref(), &config, &row, Some("ana"), &by_ann(fixture.clock.now())).await.unwrap();
    assert_eq!(busy, Some(channels(&["soc"])));
    fixture.pass(15);
    fixture.set_score("contoso", 299.0);
    fixture.visit_knowing(&config, known).await;
    let expected =
        ["alert.firing to soc", "alert.resolved (Accepted) to soc", "alert.firing to soc"].map(str::to_owned).to_vec();
    assert_eq!(fixture.queued().await, expected, "the new reading is judged on what was accepted");
    assert_eq!(fixture.firing().await[0].key.rule.as_str(), "low");
    let window = &fixture.record("contoso").await.unwrap().series[0].window;
    assert_eq!(window.iter().map(|sample| sample.value).collect::<Vec<_>>(), [400.0, 310.0, 299.0]);
}

#[tokio::test]
async fn two_visits_with_the_same_knowledge_notify_once() {
    let fixture = Fixture::new().await;
    let config = config()
        .with_tenant(fixture.tenant("contoso", 250.0))
        .with_channel(fixture.channel("soc"))
        .with_rule(rule("low", Condition::Below(300.0)));
    fixture.visit_knowing(&config, None).await;
    fixture.visit_knowing(&config, None).await;
    assert_eq!(fixture.queued().await, ["alert.firing to soc"]);
    assert_eq!(fixture.record("contoso").await.unwrap().version, 2);
}

#[tokio::test]
async fn time_alone_is_judged_without_asking_microsoft_and_written_only_if_it_changes_something() {
    let fixture = Fixture::new().await;
    let mut reminding = rule("low", Condition::Below(300.0));
    reminding.repeat = Some(minutes(5));
    let config = config()
        .with_tenant(fixture.tenant("contoso", 250.0))
        .with_channel(fixture.channel("soc"))
        .with_rule(reminding);
    fixture.visit(&config).await;
    let (dispatcher, _config, mut settled) = fixture.dispatcher(config.clone());
    dispatcher.drain().await.unwrap();
    assert_eq!(event(settled.recv()).await.flatten(), Some(tenant_id("contoso")));
    let plan = Plan::new(std::sync::Arc::new(config.clone()));
    let wake = async || {
        let record = fixture.record("contoso").await;
        let tenant = &config.tenants[&tenant_id("contoso")];
        let visit =
            fixture.checker().visit(&plan, tenant, Turn::Wake, record, &fixture.shutdown).await.unwrap().unwrap();
        (visit.due, fixture.record("contoso").await.unwrap().version)
    };
    let (due, version) = wake().await;
    assert_eq!((due.next_due_at, due.wake_at, version), (at(15), Some(at(5)), 2));
    assert_eq!(wake().await.1, 2, "nothing changed");
    fixture.pass(5);
    assert_eq!(wake().await.1, 3);
    assert_eq!(fixture.queued().await, ["alert.firing to soc", "alert.reminder to soc"]);
    assert_eq!(fixture.cloud.counts().score_requests, 1);
}

#[tokio::test]
async fn a_visit_gives_way_to_shutdown_and_leaves_nothing() {
    let fixture = Fixture::new().await;
    let config = config().with_tenant(fixture.tenant("contoso", 250.0));
    fixture.cloud.set_fetch(entra("contoso"), Some(Fetch::Raw(Reply::hang())));
    let plan = Plan::new(std::sync::Arc::new(config.clone()));
    let turn = Turn::Check { due_at: at(0) };
    let checker = fixture.checker();
    let visit = checker.visit(&plan, &config.tenants[&tenant_id("contoso")], turn, None, &fixture.shutdown);
    let stop = async {
        fixture.cloud.wait_for(|cloud| cloud.tenant_counts(entra("contoso")).score_requests == 1).await;
        fixture.shutdown.cancel();
    };
    let (visit, ()) = event(Box::pin(async { tokio::join!(visit, stop) })).await.expect("the visit ends");
    assert!(matches!(visit, Ok::<_, StoreError>(None)));
    assert_eq!(fixture.record("contoso").await, None);
}
