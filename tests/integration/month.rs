//! Reports on months, on a clock that stands still: which are due, that each comes once, and who gets them.

use std::{collections::BTreeSet, time::Duration};

use scorewatch::{
    action,
    channel::ChannelSettings,
    config::Config,
    domain::Timestamp,
    microsoft::Microsoft,
    notify::{NotificationType, facts::month::MonthFacts, route::Audience},
    query::{Error, report::Question},
    schedule::Schedule,
    service::{
        drill,
        month::{self, Months},
    },
    simulation::cloud::{DefenderRefusal, Fetch},
    store::{ChannelIdentity, Downtime},
};

use super::{
    fixture::Fixture,
    setup::{Build, channel_name, config, entra, tenant_id},
};

const DAY: u64 = 24 * 60;

fn monthly(settings: ChannelSettings) -> ChannelSettings {
    let schedule = Schedule::parse("0 0 8 1 * *", "UTC".parse().unwrap()).unwrap();
    ChannelSettings { month: Some(schedule), ..settings }
}

fn only(settings: ChannelSettings, tenants: &[&str]) -> ChannelSettings {
    let tenants: BTreeSet<_> = tenants.iter().map(|id| tenant_id(id)).collect();
    ChannelSettings { audience: Audience { tenants: Some(tenants), ..Audience::default() }, ..settings }
}

/// Moves the clock forward to that time.
fn pass_to(fixture: &Fixture, at: &str) {
    let at = Timestamp::parse(at).unwrap();
    let now = fixture.clock.now();
    assert!(at >= now, "{at}");
    fixture.clock.advance(at.since(now));
}

async fn look(fixture: &Fixture, config: &Config, months: &Months) -> bool {
    let microsoft: Microsoft = fixture.checker().microsoft;
    month::queue_due(fixture.store.as_ref(), config, &microsoft, months, fixture.clock.now()).await.unwrap()
}

/// What was queued, oldest first.
async fn facts(fixture: &Fixture) -> Vec<(String, MonthFacts)> {
    let mut made = Vec::new();
    for delivery in fixture.deliveries().await {
        let detail = fixture.store.delivery(delivery.id).await.unwrap().unwrap();
        if detail.notification.kind == NotificationType::MonthReport {
            made.push((delivery.channel.to_string(), *detail.notification.data.month.unwrap()));
        }
    }
    made
}

/// The same in short, in order: `2026-01 contoso to soc`.
async fn made(fixture: &Fixture) -> Vec<String> {
    let line =
        |(channel, facts): (String, MonthFacts)| format!("{} {} to {channel}", facts.report.month, facts.report.tenant);
    let mut made: Vec<String> = facts(fixture).await.into_iter().map(line).collect();
    made.sort();
    made
}

#[tokio::test]
async fn each_tenant_s_month_comes_once_on_each_channel_that_may_show_it() {
    let fixture = Fixture::new().await;
    let config = config()
        .with_tenant(fixture.tenant("contoso", 400.0))
        .with_tenant(fixture.tenant("fabrikam", 400.0))
        .with_channel(monthly(fixture.channel("soc")))
        .with_channel(monthly(only(fixture.channel("team"), &["contoso"])))
        .with_channel(fixture.channel("never"));
    drill::onboard(fixture.store.as_ref(), &config, fixture.clock.now()).await.unwrap();
    let months = Months::default();
    look(&fixture, &config, &months).await;
    fixture.visit_all(&config).await;
    pass_to(&fixture, "2026-02-01T07:59:59Z");
    assert!(!look(&fixture, &config, &months).await);
    assert!(made(&fixture).await.is_empty(), "not yet");
    pass_to(&fixture, "2026-02-01T08:00:00Z");
    assert!(look(&fixture, &config, &months).await);
    let january = ["2026-01 contoso to soc", "2026-01 contoso to team", "2026-01 fabrikam to soc"];
    assert_eq!(made(&fixture).await, january);
    for months in [&months, &Months::default()] {
        assert!(!look(&fixture, &config, months).await, "once, also over a restart");
    }
    assert_eq!(made(&fixture).await, january);
    // A tenant that is new in February has no January, and one that is gone no February.
    let mut config = config.with_tenant(fixture.tenant("tailspin", 400.0));
    fixture.visit_one(&config, "tailspin").await;
    assert!(!look(&fixture, &config, &Months::default()).await);
    config.tenants.remove(&tenant_id("fabrikam"));
    pass_to(&fixture, "2026-03-01T09:00:00Z");
    assert!(look(&fixture, &config, &Months::default()).await);
    let february = ["2026-02 contoso to soc", "2026-02 contoso to team", "2026-02 tailspin to soc"];
    assert_eq!(made(&fixture).await, [&january[..], &february[..]].concat());
}

#[tokio::test]
async fn what_was_missed_in_a_downtime_comes_later_for_the_right_months() {
    for (downtime, until, expected, why) in [
        (Some("2026-01-30T00:00:00Z"), "2026-02-20T00:00:00Z", &["2026-01"][..], "weeks late"),
        (Some("2026-01-30T00:00:00Z"), "2026-03-20T00:00:00Z", &["2026-01", "2026-02"], "both"),
        (None, "2026-02-20T00:00:00Z", &[], "the process before this one had looked"),
        (None, "2026-02-02T07:59:00Z", &["2026-01"], "that one may have ended before it was done"),
    ] {
        let fixture = Fixture::new().await;
        let config =
            config().with_tenant(fixture.tenant("contoso", 400.0)).with_channel(monthly(fixture.channel("soc")));
        drill::onboard(fixture.store.as_ref(), &config, fixture.clock.now()).await.unwrap();
        fixture.visit_all(&config).await;
        pass_to(&fixture, until);
        if let Some(from) = downtime {
            let downtime = Downtime { from: Timestamp::parse(from).unwrap(), until: fixture.clock.now() };
            fixture.store.record_downtime(downtime).await.unwrap();
        }
        look(&fixture, &config, &Months::default()).await;
        let made: Vec<String> = made(&fixture).await.iter().map(|line| line[..7].to_owned()).collect();
        assert_eq!(made, expected, "{until}: {why}");
    }
}

#[tokio::test]
async fn a_channel_that_leads_elsewhere_since_a_downtime_still_gets_its_months() {
    let fixture = Fixture::new().await;
    let config = config().with_tenant(fixture.tenant("contoso", 400.0)).with_channel(monthly(fixture.channel("soc")));
    let leads_to = async |destination: &str| {
        let identity = ChannelIdentity {
            channel: channel_name("soc"),
            destination: destination.to_owned(),
            access: destination.to_owned(),
        };
        fixture.store.note_channels(vec![identity], fixture.clock.now()).await.unwrap();
    };
    leads_to("one").await;
    drill::onboard(fixture.store.as_ref(), &config, fixture.clock.now()).await.unwrap();
    fixture.visit_all(&config).await;
    pass_to(&fixture, "2026-02-01T08:00:00Z");
    look(&fixture, &config, &Months::default()).await;
    pass_to(&fixture, "2026-04-03T00:00:00Z");
    let downtime = Downtime { from: Timestamp::parse("2026-02-27T00:00:00Z").unwrap(), until: fixture.clock.now() };
    fixture.store.record_downtime(downtime).await.unwrap();
    leads_to("another").await;
    for _restart in 0..2 {
        look(&fixture, &config, &Months::default()).await;
        let all = ["2026-01 contoso to soc", "2026-02 contoso to soc", "2026-03 contoso to soc"];
        assert_eq!(made(&fixture).await, all);
    }
}

#[tokio::test]
async fn nobody_gets_a_month_for_having_been_given_a_schedule() {
    let fixture = Fixture::new().await;
    let before = config().with_tenant(fixture.tenant("contoso", 400.0)).with_channel(fixture.channel("soc"));
    drill::onboard(fixture.store.as_ref(), &before, fixture.clock.now()).await.unwrap();
    fixture.visit_all(&before).await;
    let months = Months::default();
    pass_to(&fixture, "2026-02-15T00:00:00Z");
    look(&fixture, &before, &months).await;
    let after = before.clone().with_channel(monthly(fixture.channel("soc")));
    for months in [&months, &Months::default()] {
        assert!(!look(&fixture, &after, months).await);
    }
    pass_to(&fixture, "2026-03-01T08:00:00Z");
    look(&fixture, &after, &months).await;
    assert_eq!(made(&fixture).await, ["2026-02 contoso to soc"]);
}

#[tokio::test]
async fn a_month_in_which_nothing_could_be_read_says_so_and_why() {
    let fixture = Fixture::new().await;
    let config = config()
        .with_tenant(fixture.tenant("contoso", 400.0))
        .with_tenant(fixture.tenant("never-read", 400.0))
        .with_channel(monthly(fixture.channel("soc")));
    drill::onboard(fixture.store.as_ref(), &config, fixture.clock.now()).await.unwrap();
    fixture.cloud.set_fetch(entra("never-read"), Some(Fetch::Refuse(DefenderRefusal::NoLicence)));
    fixture.visit_all(&config).await;
    pass_to(&fixture, "2026-01-20T00:00:00Z");
    fixture.cloud.set_fetch(entra("contoso"), Some(Fetch::Refuse(DefenderRefusal::NoLicence)));
    fixture.visit_all(&config).await;
    pass_to(&fixture, "2026-03-01T08:00:00Z");
    let months = Months::default();
    look(&fixture, &config, &months).await;
    let made = facts(&fixture).await;
    let [(channel, february)] = &made[..] else { panic!("a tenant that was never read has no month: {made:#?}") };
    assert_eq!((channel.as_str(), february.report.scores.len()), ("soc", 0));
    let failing = february.report.failing.as_ref().unwrap();
    assert_eq!((failing.since.to_string().as_str(), failing.class.as_str()), ("2026-01-20", "licence-missing"));
}

#[tokio::test]
async fn a_month_goes_to_nobody_who_may_not_see_the_tenant_and_not_for_a_tenant_that_is_gone() {
    for (change, state) in [("nothing", "delivered"), ("audience", "dead"), ("tenant", "dead")] {
        let fixture = Fixture::new().await;
        let both = config().with_tenant(fixture.tenant("contoso", 400.0)).with_tenant(fixture.tenant("fabrikam", 1.0));
        let channel = monthly(only(fixture.channel("team"), &["contoso"]));
        let config = both.clone().with_channel(channel.clone());
        drill::onboard(fixture.store.as_ref(), &config, fixture.clock.now()).await.unwrap();
        fixture.visit_all(&config).await;
        pass_to(&fixture, "2026-02-01T08:00:00Z");
        assert!(look(&fixture, &config, &Months::default()).await);
        let mut then = config.clone();
        match change {
            "audience" => then = both.with_channel(only(channel, &["fabrikam"])),
            "tenant" => drop(then.tenants.remove(&tenant_id("contoso"))),
            _ => {}
        }
        let (dispatcher, _config, _settled) = fixture.dispatcher(then);
        dispatcher.drain().await.unwrap();
        let arrived = fixture.receivers.received_by("team");
        assert_eq!(arrived.len(), usize::from(state == "delivered"), "{change}");
        assert_eq!(fixture.deliveries().await[0].state.as_str(), state, "{change}");
        for request in arrived {
            let month = &request.json()["data"]["month"];
            assert_eq!((&month["tenant"], &month["month"]), (&"contoso".into(), &"2026-01".into()));
            assert_eq!(month["scores"][0]["value"], 400.0, "as `report --json` prints it");
        }
    }
}

#[tokio::test]
async fn a_month_that_a_person_sends_is_not_sent_again_by_the_schedule() {
    let fixture = Fixture::new().await;
    let config = config()
        .with_tenant(fixture.tenant("contoso", 400.0))
        .with_tenant(fixture.tenant("fabrikam", 400.0))
        .with_channel(monthly(only(fixture.channel("team"), &["contoso"])))
        .with_channel(fixture.channel("other"));
    drill::onboard(fixture.store.as_ref(), &config, fixture.clock.now()).await.unwrap();
    fixture.visit_all(&config).await;
    pass_to(&fixture, "2026-02-01T07:00:00Z");
    let send = async |tenant: &str, month: Option<&str>, channel: Option<&str>| {
        let question = Question {
            tenant: tenant.to_owned(),
            month: month.map(|month| month.parse().unwrap()),
            zone: None,
            ask_microsoft: true,
        };
        let (store, now) = (fixture.store.as_ref(), fixture.clock.now());
        let (caller, wanted) = (scorewatch::domain::Caller::local("ann"), action::month::Wanted { question, channel });
        let queued = action::month::send(
            store,
            &config,
            &caller,
            &wanted,
            &scorewatch::query::report::Asker::alone(&config),
            now,
        )
        .await;
        queued.map(|queued| queued.channels)
    };
    assert_eq!(send("contoso", Some("2026-01"), None).await.unwrap(), [channel_name("team")]);
    assert_eq!(send("contoso", None, Some("other")).await.unwrap(), [channel_name("other")], "so far");
    for (tenant, channel) in [("fabrikam", None), ("fabrikam", Some("team"))] {
        assert!(matches!(send(tenant, None, channel).await, Err(Error::Invalid(_))), "{channel:?}");
    }
    assert!(matches!(send("contoso", None, Some("absent")).await, Err(Error::NotFound { .. })));
    fixture.clock.advance(Duration::from_hours(1));
    assert!(!look(&fixture, &config, &Months::default()).await, "it is there");
    fixture.pass(DAY);
    assert_eq!(send("contoso", Some("2026-01"), None).await.unwrap(), [channel_name("team")], "again, as asked");
    assert_eq!(
        made(&fixture).await,
        ["2026-01 contoso to team", "2026-01 contoso to team", "2026-02 contoso to other"]
    );
}
