//! Microsoft's published limits, by the simulated cloud's own counters: ten thousand tenants of one app, and simulated hours of
//! fewer whose checks are many, with tenants that are throttled.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use scorewatch::{
    clock::Clock,
    config::Tenant,
    domain::{EntraTenantId, ScoreKind},
    egress::Egress,
    microsoft::{Account, FailureClass, Hosts, Microsoft},
    schedule::Schedule,
    simulation::{
        Cloud,
        cloud::{Bulk, BulkSecret, CloudSettings, DefenderRefusal, Fetch, Peaks, Service},
    },
    telemetry::Metrics,
};
use uuid::Uuid;

use super::{
    fixture::Fixture,
    planner::{PlannerFixture, checked},
    setup::{Build, SECRET, at, config, entra},
};

/// A cloud in which every GUID is a tenant of one app, and which keeps Microsoft's limits.
async fn bulk_cloud(clock: &Clock) -> Cloud {
    let clock = clock.clone();
    let mut settings = CloudSettings::new(Arc::new(move || clock.now()));
    settings.bulk = Some(Bulk { secret: BulkSecret::Shared(SECRET.to_owned()) });
    settings.metered = true;
    settings.log_max = 0;
    Cloud::start(settings).await.unwrap()
}

fn peaks(cloud: &Cloud) -> [Peaks; 3] {
    [Service::Defender, Service::Graph, Service::Entra].map(|service| cloud.peaks(service))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_tenants_that_share_one_app_stay_within_the_limits() {
    const TENANTS: usize = 10_000;
    let clock = Clock::manual(at(0));
    let mut fixture = Fixture::by(clock.clone()).await;
    fixture.cloud = bulk_cloud(&clock).await;
    let hosts = Hosts { graph: fixture.cloud.base_url(), ..(*fixture.tenant("one", 1.0).account.hosts).clone() };
    let account = Account { hosts: Arc::new(hosts), ..fixture.tenant("one", 1.0).account };
    let microsoft = Microsoft::new(Egress::new(), clock.clone(), Metrics::default(), Duration::from_mins(1));
    let scores = [ScoreKind::DeviceSecureScore, ScoreKind::SecureScore, ScoreKind::SecureScoreCategory];
    // All within one instant: the clock stands still, so a minute and an hour are this one round.
    let visits = (0..TENANTS as u128).map(|number| {
        let account = Account { entra: EntraTenantId(Uuid::from_u128(0xbed0_0000 + number)), ..account.clone() };
        let (microsoft, next) = (&microsoft, clock.now().plus(Duration::from_mins(15)));
        async move { microsoft.fetch_all(&account, &scores, |_| None, next).await }
    });
    let read = stream::iter(visits).buffer_unordered(256);
    let read = read.filter(|fetched| std::future::ready(fetched.iter().any(|(_, readings)| readings.is_ok())));
    assert_eq!(read.count().await, TENANTS);
    let [defender, graph, entra] = peaks(&fixture.cloud);
    let calls = TENANTS as u64;
    assert_eq!((defender.calls, graph.calls, entra.calls), (calls, calls, 2 * calls), "a token for each API");
    assert_eq!((defender.tenants, graph.tenants), (TENANTS, TENANTS));
    assert_eq!((defender.minute, graph.minute, graph.at_once), (1, 1, 1));
    assert_eq!([defender, graph, entra].map(|peaks| (peaks.above, peaks.early)), [(0, 0); 3]);
}

#[tokio::test]
async fn a_schedule_that_asks_too_much_is_kept_within_the_limits_by_us() {
    let clock = Clock::manual(at(0));
    let mut fixture = Fixture::by(clock.clone()).await;
    fixture.cloud = bulk_cloud(&clock).await;
    let account = frequent(&fixture, "eager").account;
    let microsoft = Microsoft::new(Egress::new(), clock.clone(), Metrics::default(), Duration::from_mins(1));
    let (mut read, mut throttled) = (0, 0);
    // Every second for an hour and a quarter: ten thousand calls and more would be made.
    for _ in 0..75 * 60 {
        let next = clock.now().plus(Duration::from_secs(1));
        for (score, fetched) in microsoft.fetch_all(&account, &ScoreKind::ALL[..3], |_| None, next).await {
            match fetched {
                Ok(_) => read += 1,
                Err(error) if error.class == FailureClass::Throttled => {
                    assert!(error.hint().unwrap().contains("less often") && error.retry_after.is_some(), "{error:?}");
                    throttled += 1;
                }
                // A tenant of the bulk cloud has no device groups.
                Err(error) => assert_eq!((score, error.class), (ScoreKind::ExposureScoreByGroup, FailureClass::NoData)),
            }
        }
        clock.advance(Duration::from_secs(1));
    }
    let [defender, ..] = peaks(&fixture.cloud);
    assert_eq!((defender.above, defender.early), (0, 0), "{defender:?}");
    assert!(defender.minute <= 100 && defender.hour <= 1_500 && defender.calls >= 1_500, "{defender:?}");
    assert!(read > 0 && throttled > 0, "{read} {throttled}");
}

#[tokio::test]
async fn hours_of_frequent_checks_with_throttled_tenants_stay_within_the_limits() {
    const HOURS: i64 = 3;
    let clock = Clock::manual(at(0));
    let mut fixture = Fixture::by(clock.clone()).await;
    fixture.cloud = bulk_cloud(&clock).await;
    let names = ["calm", "hurried", "shut", "vague"];
    let mut all = config();
    for name in names {
        all = all.with_tenant(frequent(&fixture, name));
    }
    let planner = PlannerFixture::start(&fixture, &all).await;
    let mut rounds = 0;
    for name in names {
        checked(&planner, &fixture, name, 1).await;
    }
    for minute in (0..HOURS * 60).step_by(3) {
        // From the end of the first hour on, one tenant is throttled for an hour, another for a moment, a third does not say for how long.
        let throttled = |wait: Option<&str>| {
            Some(Fetch::Refuse(DefenderRefusal::Throttled { retry_after: wait.map(ToOwned::to_owned) }))
        };
        let is_throttled = (60..120).contains(&minute);
        for (name, wait) in [("shut", Some("3600")), ("hurried", Some("2.128")), ("vague", None)] {
            let answer = if is_throttled { throttled(wait) } else { None };
            fixture.cloud.set_fetch(entra(name), answer);
        }
        fixture.pass(3);
        rounds += 1;
        for name in names {
            checked(&planner, &fixture, name, rounds + 1).await;
        }
    }
    planner.stop(&fixture).await;
    let [defender, graph, entra_] = peaks(&fixture.cloud);
    assert_eq!(
        [defender, graph, entra_].map(|peaks| (peaks.above, peaks.early)),
        [(0, 0); 3],
        "{defender:?} {graph:?}"
    );
    assert!(defender.minute <= 100 && defender.hour <= 1_500, "{defender:?}");
    assert!(graph.minute <= 150 && graph.at_once <= 4, "{graph:?}");
    let calls = |name| fixture.cloud.tenant_counts(entra(name)).score_requests;
    assert!(calls("calm") == 0, "nothing was ever scripted for it, so nothing was ever counted");
    // Whoever is shut out is left alone for its hour, and asked again after it; nobody else is asked less.
    assert!(calls("shut") < calls("hurried") && calls("shut") > 0, "{} {}", calls("shut"), calls("hurried"));
    let tokens = u64::try_from(HOURS).unwrap() * 2 * names.len() as u64;
    assert!(entra_.calls <= tokens, "a token serves for most of an hour: {} of {tokens}", entra_.calls);
}

/// A tenant that is checked every three minutes for three calls of Defender's and one of Graph's.
fn frequent(fixture: &Fixture, name: &str) -> Tenant {
    let tenant = super::setup::tenant(name, &fixture.cloud.base_url(), fixture.directory.path());
    let hosts = Hosts { graph: fixture.cloud.base_url(), ..(*tenant.account.hosts).clone() };
    Tenant {
        scores: Arc::new(ScoreKind::ALL),
        schedule: Arc::new(Schedule::parse("0 */3 * * * *", "UTC".parse().unwrap()).unwrap()),
        account: Account { hosts: Arc::new(hosts), ..tenant.account },
        ..tenant
    }
}
