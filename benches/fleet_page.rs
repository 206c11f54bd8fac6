//! The processor time and the size of the fleet page of a fleet with a month of history, over a real connection: at the first load after
//! a start, again, after a commit of one tenant, and after a commit of every tenant.
//!
//! `cargo bench --bench fleet_page -- [TENANTS] [DAYS]`, by default 10,000 and 31.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a bench may panic and prints its results")]

use std::{env, fmt::Write as _, fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use futures_util::future::join_all;
use scorewatch::{
    clock::Clock,
    config::{self, Config},
    domain::{Sample, ScoreKind, TenantId, Timestamp},
    store::{CheckOutcome, Checks, Commit, SeriesUpdate, TenantHealth, TenantIdentity, Upkeep, sqlite::SqliteStore},
    telemetry::{Health, Metrics},
    web::{self, App, State},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

/// The start of the data: 2026-01-03T00:00:00Z.
const START: i64 = 1_767_398_400;
const DAY: i64 = 86_400;
const POLL: i64 = 900;
/// How often what is quick is measured.
const TIMES: u32 = 20;
/// How often every tenant is committed.
const ROUNDS: i64 = 3;
const BETWEEN_LOADS: Duration = Duration::from_secs(3);

fn main() {
    let numbers: Vec<usize> = env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    // `cargo test --benches` only checks that it runs.
    let default = if env::args().any(|argument| argument == "--bench") { (10_000, 31) } else { (20, 2) };
    let tenants = numbers.first().copied().unwrap_or(default.0);
    let days = numbers.get(1).copied().unwrap_or(default.1);
    tokio::runtime::Runtime::new().unwrap().block_on(measure(tenants, i64::try_from(days).unwrap()));
}

/// The service's pages on a filled store.
struct Bench {
    store: Arc<SqliteStore>,
    ids: Vec<TenantId>,
    address: SocketAddr,
    /// Goes on with each load, so that each reads what streams compare, which is read every few seconds at most.
    clock: Clock,
    /// When the next check is.
    at: i64,
    /// How often each tenant was committed.
    versions: Vec<u64>,
}

async fn measure(tenants: usize, days: i64) {
    let folder = tempfile::tempdir_in(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target")).unwrap();
    let config = Arc::new(configuration(folder.path(), tenants));
    let store = Arc::new(SqliteStore::open(folder.path().join("bench.db")).await.unwrap());
    let ids: Vec<TenantId> = config.tenants.keys().cloned().collect();
    let clock = Clock::manual(Timestamp::from_seconds(START + days * DAY + 2));
    let address = serve(&store, config, clock.clone()).await;
    let mut bench = Bench { store, versions: vec![0; ids.len()], ids, address, clock, at: START };
    for day in 0..days {
        bench.at = START + (day + 1) * DAY;
        bench.commit(0..tenants, 96 * 2).await;
    }
    println!(
        "{tenants} tenants, {days} days, a reading of one score every quarter of an hour and of another every day"
    );
    bench.load("first load after a start", "/", 1).await;
    bench.load("again", "/", TIMES).await;
    bench.load("again, sorted by the loss of a week", "/?sort=week", TIMES).await;
    bench.load("again, searched", "/?q=tenant-77", TIMES).await;
    let mut cpu = Vec::new();
    for number in 0..TIMES {
        bench.at += 1;
        bench.commit([usize::try_from(number).unwrap() % tenants], 1).await;
        cpu.push(bench.get("/", false).await.1);
    }
    say("after a commit of one tenant", &cpu);
    let mut cpu = Vec::new();
    for _ in 0..ROUNDS {
        bench.at += POLL;
        bench.commit(0..tenants, 96 * 2).await;
        cpu.push(bench.get("/", false).await.1);
    }
    say("after a commit of every tenant", &cpu);
    let (plain, zipped) = (bench.get("/", false).await.0, bench.get("/", true).await.0);
    println!(
        "{} KB, of which {} KB are sent to a browser that accepts gzip",
        plain.div_ceil(1000),
        zipped.div_ceil(1000)
    );
    bench.store.close().await;
}

impl Bench {
    /// Measures loads of a page.
    async fn load(&self, what: &str, path: &str, times: u32) {
        let mut cpu = Vec::new();
        for _ in 0..times {
            cpu.push(self.get(path, false).await.1);
        }
        say(what, &cpu);
    }

    /// The bytes of the answer, and the processor time of this process meanwhile, in milliseconds.
    async fn get(&self, path: &str, is_zipped: bool) -> (usize, f64) {
        self.clock.advance(BETWEEN_LOADS);
        let before = cpu_ms();
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let encoding = if is_zipped { "Accept-Encoding: gzip\r\n" } else { "" };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n{encoding}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        (answer.len(), cpu_ms() - before)
    }

    /// A check of each of these tenants, with that many readings.
    async fn commit(&mut self, tenants: impl IntoIterator<Item = usize>, readings: i64) {
        let tenants: Vec<usize> = tenants.into_iter().collect();
        for chunk in tenants.chunks(1024) {
            let commits = chunk.iter().map(|number| self.store.commit(self.check(*number, readings)));
            assert!(join_all(commits).await.into_iter().all(|done| done.unwrap() == Commit::Done));
            for number in chunk {
                self.versions[*number] += 1;
            }
        }
    }

    fn check(&self, number: usize, readings: i64) -> CheckOutcome {
        let now = Timestamp::from_seconds(self.at);
        let series = |score, every: i64| SeriesUpdate {
            score,
            subject: None,
            window: (0..=readings * POLL / every)
                .rev()
                .map(|back| self.at / every * every - back * every)
                .filter(|second| *second >= START)
                .map(|second| Sample { at: Timestamp::from_seconds(second), value: value(number, second / every) })
                .collect(),
            keep: Duration::from_hours(24),
            onboarded_at: None,
            last_data_at: now,
        };
        CheckOutcome {
            tenant: self.ids[number].clone(),
            identity: TenantIdentity::default(),
            expected_version: Some(self.versions[number]).filter(|version| *version > 0),
            health: TenantHealth {
                first_seen_at: Timestamp::from_seconds(START),
                next_due_at: now.plus(Duration::from_mins(15)),
                wake_at: None,
                checked_at: Some(now),
                failing: None,
                failures: Vec::new(),
                watched_since: None,
            },
            series: vec![series(ScoreKind::DeviceSecureScore, POLL), series(ScoreKind::SecureScore, DAY)],
            alerts: Vec::new(),
            notifications: Vec::new(),
            movements: Vec::new(),
            excluded: None,
            recommendations: Vec::new(),
            averages: None,
            now,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a score of some hundred points")]
fn value(number: usize, step: i64) -> f64 {
    40.0 + (number % 31) as f64 + (step % 97) as f64 / 10.0
}

async fn serve(store: &Arc<SqliteStore>, config: Arc<Config>, clock: Clock) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // The sender may go: nothing changes.
    let (_, config) = watch::channel(config);
    let app = App::new(store.clone(), clock.clone(), config.clone());
    let state = State::new(store.clone(), store.clone(), Metrics::default(), Health::default(), clock, config);
    tokio::spawn(web::serve(listener, state, app, CancellationToken::new()));
    address
}

fn configuration(folder: &Path, tenants: usize) -> Config {
    fs::create_dir(folder.join("tenants")).unwrap();
    let main = "operator: { notify: [soc] }\nrules: [rules.yaml]\ntenants: [tenants/*.yaml]\n\
                scores: [device-secure-score, secure-score]\nchannels:\n  soc: { type: webhook, url: \"https://soc.example/\" }\n";
    let rules = "rules: [{ name: blind, when: { no_data: 6h }, notify: [soc] }]";
    for (path, text) in [("secret", "a-secret"), ("rules.yaml", rules), ("scorewatch.yaml", main)] {
        fs::write(folder.join(path), text).unwrap();
    }
    for first in (0..tenants).step_by(500) {
        let mut list = String::new();
        for number in first..tenants.min(first + 500) {
            // Writing to a `String` can't fail.
            let _ = write!(
                list,
                "- id: tenant-{number}\n  name: Customer {number} Ltd\n  tenant_id: 2f1c0a5e-0000-4000-8000-{number:012}\n  \
                 labels: {{ tier: {}, country: de }}\n  credential:\n    client_id: 6d2a0000-0000-4000-8000-{number:012}\n    \
                 secret: {{ file: ../secret }}\n",
                ["gold", "silver", "bronze"][number % 3],
            );
        }
        fs::write(folder.join(format!("tenants/{first}.yaml")), list).unwrap();
    }
    let loaded = config::load(&folder.join("scorewatch.yaml"));
    assert!(loaded.config.is_some(), "{:?}", loaded.problems.first());
    loaded.config.unwrap()
}

/// How long the threads of this process have run, in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "a bench runs for minutes")]
fn cpu_ms() -> f64 {
    let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
    let run = |path: &Path| fs::read_to_string(path.join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok();
    threads.filter_map(|thread| run(&thread.path())).sum::<u64>() as f64 / 1e6
}

fn say(what: &str, cpu: &[f64]) {
    let mut sorted = cpu.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (median, most) = (sorted[sorted.len() / 2], sorted[sorted.len() - 1]);
    println!("{what:<36} median {median:>7.1} ms of CPU, most {most:>7.1} ms, of {}", sorted.len());
}
