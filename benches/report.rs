//! The cost of a week's reports, one on the whole fleet and one for each of a hundred customers, from the store's own samples.
//! Arguments: tenants, customers' channels.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a bench may panic and prints its results")]

use std::{
    env,
    fmt::Write,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use scorewatch::{
    config::{self, Config},
    domain::{Sample, ScoreKind, SeriesKey, TenantId, Timestamp},
    service::report::{Reports, queue_due},
    store::{
        Channels, CheckOutcome, Checks, Commit, Listings, SeriesUpdate, TenantHealth, TenantIdentity, Upkeep,
        sqlite::SqliteStore,
    },
};

/// The start of the data: 2026-01-03T00:00:00Z, a Saturday.
const START: i64 = 1_767_398_400;
/// The Monday after that, one second past eight.
const NOW: i64 = START + 9 * DAY + 8 * 3600 + 1;
const DAY: i64 = 86_400;
const POLL: i64 = 900;
const MAIN: &str = "operator: { notify: [soc] }\nrules: [rules.yaml]\ntenants: [tenants/*.yaml]\nchannels:\n  \
                    soc: { type: webhook, url: \"https://soc.example/\", report: weekly }\n";
const RULES: &str = "rules: [{ name: blind, when: { no_data: 6h }, notify: [soc] }]";

fn main() {
    let numbers: Vec<usize> = env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    // `cargo test --benches` only checks that it runs.
    let default = if env::args().any(|argument| argument == "--bench") { (10_000, 100) } else { (20, 2) };
    let (tenants, customers) =
        (numbers.first().copied().unwrap_or(default.0), numbers.get(1).copied().unwrap_or(default.1));
    tokio::runtime::Runtime::new().unwrap().block_on(measure(tenants, customers.min(tenants)));
}

async fn measure(tenants: usize, customers: usize) {
    let folder = tempfile::tempdir_in(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target")).unwrap();
    let config = configuration(folder.path(), tenants, customers);
    let store = SqliteStore::open(folder.path().join("bench.db")).await.unwrap();
    store.onboard_channels(config.channels.keys().cloned().collect(), Timestamp::from_seconds(START)).await.unwrap();
    let ids: Vec<TenantId> = config.tenants.keys().cloned().collect();
    for day in 0..=9 {
        for chunk in ids.chunks(1024) {
            let commits = chunk.iter().map(|tenant| store.commit(check(tenant, day)));
            assert!(
                futures_util::future::join_all(commits).await.into_iter().all(|done| done.unwrap() == Commit::Done)
            );
        }
    }
    let key = SeriesKey { tenant: ids[0].clone(), score: ScoreKind::DeviceSecureScore, subject: None };
    let kept = store.history(&key, Timestamp::from_seconds(START)).await.unwrap().len();
    let (before, began) = (resident_mib(), Instant::now());
    assert!(queue_due(&store, &config, &Reports::default(), Timestamp::from_seconds(NOW)).await.unwrap());
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{} reports, one on {tenants} tenants and the others on one each: {seconds:.2} s, {kept} samples of each tenant in the \
         store, {before} MiB resident before and {} after",
        store.deliveries(&scorewatch::store::DeliveryFilter::default()).await.unwrap().len(),
        resident_mib()
    );
    store.close().await;
}

fn configuration(folder: &Path, tenants: usize, customers: usize) -> Config {
    fs::create_dir(folder.join("tenants")).unwrap();
    let mut main = MAIN.to_owned();
    for number in 0..customers {
        // Writing to a `String` can't fail.
        let _ = writeln!(
            main,
            "  own-{number}: {{ type: webhook, url: \"https://own.example/{number}\", tenants: [tenant-{number}], report: weekly }}"
        );
    }
    for (path, text) in [("secret", "a-secret"), ("rules.yaml", RULES), ("scorewatch.yaml", &main)] {
        fs::write(folder.join(path), text).unwrap();
    }
    for first in (0..tenants).step_by(500) {
        let list: String = (first..tenants.min(first + 500)).map(tenant).collect();
        fs::write(folder.join(format!("tenants/{first}.yaml")), list).unwrap();
    }
    let loaded = config::load(&folder.join("scorewatch.yaml"));
    assert!(loaded.config.is_some(), "{:?}", loaded.problems.first());
    loaded.config.unwrap()
}

fn tenant(number: usize) -> String {
    format!(
        "- id: tenant-{number}\n  tenant_id: 2f1c0a5e-0000-4000-8000-{number:012}\n  credential:\n    \
         client_id: 6d2a0000-0000-4000-8000-{number:012}\n    secret: {{ file: ../secret }}\n"
    )
}

/// The last check of a day, with the readings of that day and the one before.
fn check(tenant: &TenantId, day: i64) -> CheckOutcome {
    let end = (START + (day + 1) * DAY).min(NOW);
    let first = START + (day - 1).max(0) * DAY;
    let window = (first..end).step_by(900).map(|second| Sample {
        at: Timestamp::from_seconds(second),
        #[expect(clippy::cast_precision_loss, reason = "a score of some hundred points")]
        value: 400.0 - (second / POLL % 97) as f64,
    });
    let now = Timestamp::from_seconds(end - 1);
    CheckOutcome {
        tenant: tenant.clone(),
        identity: TenantIdentity::default(),
        expected_version: u64::try_from(day).ok().filter(|version| *version > 0),
        health: TenantHealth {
            first_seen_at: Timestamp::from_seconds(START),
            next_due_at: now.plus(Duration::from_mins(15)),
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
        notifications: Vec::new(),
        movements: Vec::new(),
        excluded: None,
        recommendations: Vec::new(),
        averages: None,
        now,
    }
}

fn resident_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}
