//! Reports on a clock that stands still: when they are due, that they come once, and whom they show.

use std::{collections::BTreeSet, time::Duration};

use scorewatch::{
    channel::ChannelSettings,
    config::{Config, Operator},
    notify::{NotificationType, facts::report::ReportFacts, route::Audience},
    rule::Condition,
    schedule::Schedule,
    service::{
        drill,
        report::{self, Reports},
    },
    simulation::{
        Reply,
        cloud::{DefenderRefusal, Fetch},
    },
};

use super::{
    delivery::queue,
    fixture::Fixture,
    setup::{self, Build, SCORE, channel_name, config, entra, tenant_id},
};

/// An hour after the beginning, each day.
const DAILY: &str = "0 0 13 * * *";
/// The same on Mondays, of which the first day is one.
const WEEKLY: &str = "0 0 13 * * MON";

fn reported(settings: ChannelSettings, at: &str) -> ChannelSettings {
    let schedule = Schedule::parse(at, "UTC".parse().unwrap()).unwrap();
    ChannelSettings { report: Some(schedule), ..settings }
}

fn only(settings: ChannelSettings, tenants: &[&str]) -> ChannelSettings {
    let tenants: BTreeSet<_> = tenants.iter().map(|id| tenant_id(id)).collect();
    ChannelSettings { audience: Audience { tenants: Some(tenants), ..Audience::default() }, ..settings }
}

/// The reports that were made for a channel, oldest first.
async fn made(fixture: &Fixture, channel: &str) -> Vec<ReportFacts> {
    let mut made = Vec::new();
    for delivery in fixture.deliveries().await {
        let detail = fixture.store.delivery(delivery.id).await.unwrap().unwrap();
        if delivery.channel == channel_name(channel) && detail.notification.kind == NotificationType::Report {
            made.extend(detail.notification.data.report);
        }
    }
    made
}

async fn look(fixture: &Fixture, config: &Config, reports: &Reports) -> bool {
    report::queue_due(fixture.store.as_ref(), config, reports, fixture.clock.now()).await.unwrap()
}

#[tokio::test]
async fn a_report_is_made_once_when_it_is_due_and_made_up_once_within_a_day() {
    let fixture = Fixture::new().await;
    let config = config()
        .with_channel(reported(fixture.channel("daily"), DAILY))
        .with_channel(reported(fixture.channel("weekly"), WEEKLY))
        .with_channel(fixture.channel("never"));
    drill::onboard(fixture.store.as_ref(), &config, fixture.clock.now()).await.unwrap();
    // How many minutes pass, whether the process is another one then, and how many reports each has in all.
    let mut reports = Reports::default();
    for (minutes, is_restarted, daily, weekly, why) in [
        (0, false, 0, 0, "what was due before the channels were there is not theirs"),
        (59, false, 0, 0, "not yet"),
        (1, false, 1, 1, "on the second"),
        (0, false, 1, 1, "once"),
        (5, true, 1, 1, "also over a restart"),
        (23 * 60 + 54, true, 1, 1, "a minute before the next"),
        (24 * 60, true, 2, 1, "we were away: made up"),
        (0, true, 2, 1, "once"),
        (1, false, 3, 1, "and the next is on time"),
        (5 * 24 * 60 + 60, true, 4, 2, "of several that were missed the newest"),
        (0, true, 4, 2, "which is known to be there"),
    ] {
        fixture.pass(minutes);
        if is_restarted {
            reports = Reports::default();
        }
        let before = made(&fixture, "daily").await.len() + made(&fixture, "weekly").await.len();
        let is_any = look(&fixture, &config, &reports).await;
        let (is_daily, is_weekly) = (made(&fixture, "daily").await.len(), made(&fixture, "weekly").await.len());
        assert_eq!((is_daily, is_weekly), (daily, weekly), "{why}");
        assert_eq!(is_any, daily + weekly > before, "{why}");
    }
    assert!(made(&fixture, "never").await.is_empty());
    let periods: Vec<_> = made(&fixture, "daily").await.iter().map(|report| report.until.since(report.from)).collect();
    assert!(periods.iter().all(|period| *period == Duration::from_hours(24)), "{periods:?}");
    assert_eq!(
        made(&fixture, "weekly").await[0].until.since(made(&fixture, "weekly").await[0].from).as_secs(),
        7 * 86_400
    );
}

#[tokio::test]
async fn a_report_that_was_missed_by_more_than_a_day_or_the_retention_is_skipped() {
    for (retention_hours, downtime_minutes, made_up) in
        [(400 * 24, 24 * 60 - 1, 1), (400 * 24, 24 * 60, 0), (6, 6 * 60 - 1, 1), (6, 6 * 60, 0)]
    {
        let fixture = Fixture::new().await;
        let mut config = config().with_channel(reported(fixture.channel("weekly"), WEEKLY));
        config.retention = Duration::from_hours(retention_hours);
        drill::onboard(fixture.store.as_ref(), &config, fixture.clock.now()).await.unwrap();
        fixture.pass(60 + downtime_minutes);
        look(&fixture, &config, &Reports::default()).await;
        assert_eq!(
            made(&fixture, "weekly").await.len(),
            made_up,
            "{retention_hours} h kept, {downtime_minutes} min late"
        );
    }
}

#[tokio::test]
async fn nobody_gets_a_report_for_having_been_given_a_schedule() {
    let fixture = Fixture::new().await;
    let before = config().with_channel(fixture.channel("soc"));
    drill::onboard(fixture.store.as_ref(), &before, fixture.clock.now()).await.unwrap();
    fixture.pass(90);
    let reports = Reports::default();
    look(&fixture, &before, &reports).await;
    let after = config().with_channel(reported(fixture.channel("soc"), DAILY));
    look(&fixture, &after, &reports).await;
    assert!(made(&fixture, "soc").await.is_empty());
    fixture.pass(24 * 60);
    look(&fixture, &after, &reports).await;
    assert_eq!(made(&fixture, "soc").await.len(), 1);
}

#[tokio::test]
async fn a_report_says_what_moved_what_fires_and_what_can_t_be_read_of_its_own_tenants_alone() {
    let fixture = Fixture::new().await;
    let mut config = config()
        .with_tenant(fixture.tenant("contoso", 400.0))
        .with_tenant(fixture.tenant("fabrikam", 310.0))
        .with_tenant(fixture.tenant("tailspin", 350.0))
        .with_rule(setup::rule("low", Condition::Below(300.0)))
        .with_channel(reported(fixture.channel("soc"), DAILY))
        .with_channel(reported(only(fixture.channel("own"), &["contoso"]), DAILY))
        .with_channel(reported(only(fixture.channel("low"), &["fabrikam", "tailspin"]), DAILY));
    config.operator = Operator { blind_after: Duration::from_mins(20), ..config.operator };
    drill::onboard(fixture.store.as_ref(), &config, fixture.clock.now()).await.unwrap();
    fixture.visit_all(&config).await;
    fixture.pass(24 * 60);
    fixture.set_score("contoso", 440.0);
    fixture.set_score("fabrikam", 250.0);
    fixture.cloud.set_fetch(entra("tailspin"), Some(Fetch::Refuse(DefenderRefusal::NoLicence)));
    for _ in 0..4 {
        fixture.pass(15);
        fixture.visit_all(&config).await;
    }
    assert!(look(&fixture, &config, &Reports::default()).await);

    let soc = made(&fixture, "soc").await.pop().unwrap();
    assert_eq!((soc.tenant_count, soc.tenants), (3, ["contoso", "fabrikam", "tailspin"].map(String::from).to_vec()));
    assert_eq!((soc.alerts.warning, soc.blind.count, soc.scores.len()), (1, 1, 1));
    assert_eq!((soc.scores[0].kind, soc.scores[0].better_count, soc.scores[0].worse_count), (SCORE, 1, 1));

    let own = made(&fixture, "own").await.pop().unwrap();
    assert_eq!((own.tenant_count, own.alerts.warning, own.blind.count), (1, 0, 0));
    let better = &own.scores[0].better[0];
    assert_eq!((better.tenant.name.as_str(), better.before, better.value), ("contoso Ltd", 400.0, 440.0));
    let text = serde_json::to_string(&own).unwrap();
    assert!(own.scores[0].worse_count == 0 && !text.contains("fabrikam") && !text.contains("tailspin"), "{text}");

    let low = made(&fixture, "low").await.pop().unwrap();
    assert_eq!((low.tenant_count, low.alerts.oldest[0].rule.as_str()), (2, "low"));
    assert_eq!((low.scores[0].worse[0].before, low.scores[0].worse[0].value), (310.0, 250.0));
    assert_eq!(low.blind.tenants[0].tenant.id, "tailspin");
    let failing = fixture.record("tailspin").await.unwrap().health.failing.unwrap();
    assert_eq!((low.blind.tenants[0].since, &low.blind.tenants[0].class), (failing.since, &failing.class));
}

#[tokio::test]
async fn a_report_that_shows_a_tenant_which_its_channel_may_no_longer_show_is_suppressed_whole() {
    for (audience_then, arrives) in
        [(None, true), (Some(&["contoso", "fabrikam"][..]), true), (Some(&["contoso"][..]), false)]
    {
        let fixture = Fixture::new().await;
        let both =
            config().with_tenant(fixture.tenant("contoso", 400.0)).with_tenant(fixture.tenant("fabrikam", 400.0));
        let channel = reported(fixture.channel("soc"), DAILY);
        let config = both.clone().with_channel(channel.clone());
        drill::onboard(fixture.store.as_ref(), &config, fixture.clock.now()).await.unwrap();
        fixture.pass(60);
        assert!(look(&fixture, &config, &Reports::default()).await);
        let narrowed = audience_then.map_or(channel.clone(), |tenants| only(channel, tenants));
        let (dispatcher, _config, _settled) = fixture.dispatcher(both.with_channel(narrowed));
        dispatcher.drain().await.unwrap();
        assert_eq!(fixture.received("soc").len(), usize::from(arrives), "{audience_then:?}");
        let state = fixture.deliveries().await[0].state.as_str();
        assert_eq!(state, if arrives { "delivered" } else { "dead" }, "{audience_then:?}");
    }
}

#[tokio::test]
async fn a_report_is_not_merged_into_a_digest_and_counts_what_its_channel_was_not_sent() {
    let fixture = Fixture::new().await;
    let config = config()
        .with_tenant(fixture.tenant("contoso", 400.0))
        .with_tenant(fixture.tenant("fabrikam", 400.0))
        .with_rule(setup::rule("low", Condition::Below(300.0)))
        .with_channel(ChannelSettings { digest_over: 1, ..reported(fixture.channel("soc"), DAILY) });
    drill::onboard(fixture.store.as_ref(), &config, fixture.clock.now()).await.unwrap();
    let (dispatcher, _config, _settled) = fixture.dispatcher(config.clone());
    fixture.receivers.set("soc", Some(Reply::status(400)));
    queue(fixture.store.as_ref(), "refused", "other", &["soc"], fixture.clock.now()).await;
    dispatcher.drain().await.unwrap();
    fixture.receivers.set("soc", None);
    fixture.pass(60);
    for id in ["contoso", "fabrikam"] {
        fixture.set_score(id, 200.0);
    }
    fixture.visit_all(&config).await;
    assert!(look(&fixture, &config, &Reports::default()).await);
    assert_eq!(made(&fixture, "soc").await[0].deliveries.dead, 1);
    dispatcher.drain().await.unwrap();
    let kinds: Vec<String> = fixture.received("soc").into_iter().map(|(kind, _)| kind).collect();
    let kinds: BTreeSet<&str> = kinds.iter().map(String::as_str).collect();
    assert_eq!(kinds, ["test", "digest", "report"].into());
}
