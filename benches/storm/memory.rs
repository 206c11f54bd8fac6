//! The real service with 10,000 tenants, 100,000 queued deliveries and 1,000 channels that all hang: how soon it sends, and how
//! much memory is resident while it checks every tenant and every request times out and is repeated.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use scorewatch::{
    clock::Clock,
    domain::{Sample, ScoreKind, Timestamp},
    simulation::{
        Cloud, Receivers,
        cloud::{Bulk, BulkSecret, CloudSettings},
    },
    store::{
        CheckOutcome, Checks, Commit, DeliveryFilter, Listings, SeriesUpdate, TenantHealth, TenantIdentity, Upkeep,
        sqlite::SqliteStore,
    },
};

use crate::{
    setup::{CHANNELS, SECRET, channel, configure, firing, receivers, tenant},
    usage::{resident, say},
};

const TENANTS: usize = 10_000;
const DELIVERIES: usize = 100_000;
/// One day's readings, four an hour: the window of a rule with `within: 24h`.
const WINDOW: i64 = 96;
/// Enough for two attempts of 20 s each to end and the third to be in progress.
const WATCHED: Duration = Duration::from_secs(50);

pub(crate) async fn measure() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut settings = CloudSettings::new(std::sync::Arc::new(|| Clock::System.now()));
    settings.bulk = Some(Bulk { secret: BulkSecret::Shared(SECRET.to_owned()) });
    settings.log_max = 0;
    settings.long_tokens = true;
    let cloud = Cloud::start(settings).await.expect("a cloud");
    let (receivers, urls) = receivers(CHANNELS).await;
    configure(folder.path(), &cloud.base_url(), TENANTS, &urls);
    fill(&folder.path().join("data/scorewatch.db")).await;
    say(&format!("{TENANTS} tenants, {CHANNELS} channels that hang, {DELIVERIES} deliveries queued"));

    let mut service = start("after a clean stop", folder.path(), &receivers).await;
    receivers.wait_for(|received| received.len() >= CHANNELS).await;
    let hung = resident(service.id()).0;
    let all = u64::try_from(TENANTS).expect("few");
    cloud.wait_for(|cloud| cloud.counts().score_requests >= all).await;
    let checked = resident(service.id()).0;
    tokio::time::sleep(WATCHED).await;
    let (after, peak) = resident(service.id());
    say(&format!("resident with all requests hanging   {hung:>6.1} MiB"));
    say(&format!("resident with all tenants checked    {checked:>6.1} MiB"));
    say(&format!(
        "resident after {} s and {} requests {after:>6.1} MiB, {peak:.1} MiB at the peak",
        WATCHED.as_secs(),
        receivers.received().len()
    ));
    kill(&mut service);
    let mut service = start("after a kill", folder.path(), &receivers).await;
    kill(&mut service);
}

/// Starts the real binary and returns the time until its first request arrived anywhere.
async fn start(when: &str, folder: &Path, receivers: &Receivers) -> Child {
    let before = receivers.received().len();
    let started = Instant::now();
    let service = Command::new(env!("CARGO_BIN_EXE_scorewatch"))
        .arg("--config")
        .arg(folder.join("scorewatch.yaml"))
        .arg("run")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the service");
    receivers.wait_for(|received| received.len() > before).await;
    say(&format!("from start to first request, {when:<18} {:>5.2} s", started.elapsed().as_secs_f64()));
    service
}

fn kill(service: &mut Child) {
    service.kill().expect("the service");
    service.wait().expect("the service");
}

/// Every tenant with a day of samples and its share of the deliveries, each a notification of its own.
async fn fill(path: &Path) {
    let store = SqliteStore::open(path).await.expect("a store");
    let now = Clock::System.now();
    let numbers: Vec<usize> = (0..TENANTS).collect();
    for numbers in numbers.chunks(1024) {
        let commits = numbers.iter().map(|number| store.commit(check(*number, now)));
        for commit in join_all(commits).await {
            assert_eq!(commit.expect("a commit"), Commit::Done);
        }
    }
    let newest = DeliveryFilter { limit: 1, ..DeliveryFilter::default() };
    let queued = store.deliveries(&newest).await.expect("a delivery")[0].id.0;
    assert_eq!(usize::try_from(queued), Ok(DELIVERIES));
    store.close().await;
    let bytes = std::fs::metadata(path).expect("the store").len();
    say(&format!("the store has {} MiB", bytes >> 20));
}

fn check(number: usize, now: Timestamp) -> CheckOutcome {
    let window = (1..=WINDOW).rev().map(|back| {
        let age = Duration::from_mins(15 * back.unsigned_abs());
        Sample { at: now.minus(age), value: if back % 12 == 0 { 41.5 } else { 42.25 } }
    });
    let each = DELIVERIES / TENANTS;
    let notifications = (0..each)
        .map(|index| firing(number, &format!("rule-{index}"), vec![channel((number * each + index) % CHANNELS)], now));
    CheckOutcome {
        tenant: tenant(number),
        identity: TenantIdentity::default(),
        expected_version: None,
        health: TenantHealth {
            first_seen_at: now,
            next_due_at: now,
            wake_at: None,
            checked_at: Some(now),
            failing: None,
            failures: Vec::new(),
            watched_since: None,
        },
        series: vec![SeriesUpdate {
            score: ScoreKind::DeviceSecureScore,
            subject: None,
            window: window.collect(),
            keep: Duration::from_hours(24),
            onboarded_at: None,
            last_data_at: now,
        }],
        alerts: Vec::new(),
        notifications: notifications.collect(),
        movements: Vec::new(),
        excluded: None,
        recommendations: Vec::new(),
        averages: None,
        now,
    }
}
