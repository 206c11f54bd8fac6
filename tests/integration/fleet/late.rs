//! Who is read late, who stays out, and whom nobody waits for.

use super::*;

#[tokio::test]
async fn a_channel_that_may_show_only_a_late_tenant_is_notified_of_the_shift_with_it() {
    let both = Rule { notify: channels(&["soc", "own"]), ..fall() };
    let mut fleet = Fleet::of(SIZE, vec![both], |fixture| own(fixture, &["t6"])).await;
    fleet.quarters(2).await;
    fleet.scores.remove(&6);
    fleet.all_fall_to(376.0);
    fleet.quarters(6).await;
    assert_eq!((fleet.arrived("soc"), fleet.arrived("own")), (vec!["fleet.shift".to_owned()], Vec::new()));
    fleet.scores.insert(6, 376.0);
    fleet.quarters(4).await;
    assert_eq!(fleet.occasions("soc"), occasions(&[("shift", 29), ("follow-up", 1)]));
    assert_eq!(fleet.occasions("own"), occasions(&[("shift", 1)]), "the first that it is sent");
    let notice = fleet.notice("own");
    assert_eq!((&notice["tenants"], &notice["median"]), (&serde_json::json!(["t6"]), &(-6.0).into()));
}

#[tokio::test]
async fn a_rule_may_stay_out_and_a_small_fleet_waits_for_nobody() {
    let alone = Rule { fleet: false, ..rule("alone", Condition::Below(380.0)) };
    let mut fleet = Fleet::of(12, vec![alone], |_| Vec::new()).await;
    fleet.quarters(2).await;
    fleet.all_fall_to(376.0);
    fleet.quarter().await;
    assert_eq!(fleet.arrived("soc").len(), 12, "sent immediately, one by one");
    let mut small = Fleet::of(9, vec![fall()], |_| Vec::new()).await;
    small.quarters(2).await;
    small.all_fall_to(376.0);
    small.quarter().await;
    assert_eq!(small.arrived("soc").len(), 9);
}

#[tokio::test]
async fn a_round_that_reads_all_tenants_reports_the_shift_immediately() {
    let mut fleet = Fleet::new(vec![fall()]).await;
    fleet.quarters(2).await;
    fleet.all_fall_to(376.0);
    for number in 0..SIZE {
        let id = format!("t{number}");
        fleet.fixture.set_score(&id, 376.0);
        let plan = Plan::new(Arc::new(fleet.config.clone()));
        let (turn, record) = (Turn::Check { due_at: at(30) }, fleet.fixture.record(&id).await);
        let tenant = &fleet.config.tenants[&tenant_id(&id)];
        fleet.fixture.checker().visit(&plan, tenant, turn, record, &fleet.fixture.shutdown).await.unwrap().unwrap();
    }
    fleet.dispatcher.drain_round().await.unwrap();
    assert_eq!(fleet.arrived("soc"), ["fleet.shift"]);
}

#[tokio::test]
async fn a_daily_schedule_has_its_notice_at_once_and_not_a_day_later() {
    let daily = Arc::new(Schedule::parse("0 0 12 * * *", "UTC".parse().unwrap()).unwrap());
    let mut fleet = Fleet::new(vec![fall()]).await;
    for tenant in fleet.config.tenants.values_mut() {
        *tenant = Arc::new(Tenant { schedule: daily.clone(), ..Tenant::clone(tenant) });
    }
    fleet.sender.send(Arc::new(fleet.config.clone())).unwrap();
    fleet.quarter().await;
    fleet.fixture.pass(24 * 60 - 15);
    fleet.all_fall_to(376.0);
    fleet.quarter().await;
    assert_eq!(fleet.arrived("soc"), ["fleet.shift"]);
}
