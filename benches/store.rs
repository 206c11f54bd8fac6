//! The cost of the store: committing checks alone and in groups, loading, claiming and settling, on a file in the file system of the
//! target directory. Prints wall time and the CPU time of the whole process, since CPU is what others miss.
//!
//! `SCOREWATCH_BENCH_SOCKET` names the folder of a PostgreSQL server's socket, with an empty database `bench` of the role `scorewatch`.
//! Then the same is measured there, next to it a bare loop that writes the same rows in as many transactions, and at last what one replica
//! commits alone, and what two that share the database commit together, in turn: `cargo bench --bench store -- replicas` only that.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a bench may panic and prints its results")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use scorewatch::{
    domain::{ChannelName, Sample, ScoreKind, TenantId, Timestamp},
    notify::{
        Notification, NotificationId, NotificationType,
        notification::{Facts, Links, NotificationFacts},
    },
    store::{
        AttemptOutcome, CheckOutcome, Checks, Claim, ClaimTerms, Commit, NewNotification, Outbox, SeriesUpdate,
        TenantHealth, TenantIdentity, Upkeep,
        postgres::{self, PostgresSettings, TlsMode},
        sqlite::SqliteStore,
    },
};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

/// One day's readings, four an hour: the window of a rule with `within: 24h`.
const WINDOW: i64 = 96;
const START: i64 = 1_767_268_800;
const TENANTS: usize = 10_000;
/// Checks that the store's writer takes into one transaction.
const GROUP: usize = 256;

fn main() {
    // `cargo test --benches` only checks that it runs.
    let (alone, rounds) = if std::env::args().any(|argument| argument == "--bench") { (2000, 20) } else { (10, 1) };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let directory = tempfile::tempdir_in(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target")).unwrap();
        let only_replicas = std::env::args().any(|argument| argument == "replicas");
        if !only_replicas {
            measure(SqliteStore::open(directory.path().join("bench.db")).await.unwrap(), alone, rounds).await;
        }
        let Ok(socket) = std::env::var("SCOREWATCH_BENCH_SOCKET") else { return };
        println!("in PostgreSQL");
        let settings = PostgresSettings {
            host: socket.clone(),
            port: 5432,
            user: "scorewatch".to_owned(),
            password: None,
            database: "bench".to_owned(),
            tls: TlsMode::Disable,
            root_certificates: None,
        };
        if !only_replicas {
            measure(postgres::open(&settings).await.unwrap(), alone, rounds).await;
            bare(&socket, alone, rounds).await;
        }
        postgres::bring_up_to_date(&settings).await.unwrap();
        for turn in 0..3 {
            for replicas in [1, 2] {
                shared(&settings, replicas, rounds, turn).await;
            }
        }
    });
}

async fn measure(store: SqliteStore, alone: usize, rounds: u64) {
    let store = Arc::new(store);
    let tenants: Vec<TenantId> = (0..TENANTS).map(|n| TenantId::parse(&format!("tenant-{n:05}")).unwrap()).collect();
    commit_all(&store, &tenants, 0).await;

    let meter = Meter::start();
    for version in 1..=rounds {
        commit_all(&store, &tenants, version).await;
    }
    meter.print("commit in groups", TENANTS as u64 * rounds);

    let meter = Meter::start();
    for tenant in tenants.iter().take(alone) {
        assert_eq!(store.commit(check(tenant, rounds + 1)).await.unwrap(), Commit::Done);
    }
    meter.print("commit alone", alone as u64);

    let meter = Meter::start();
    for chunk in tenants.chunks(GROUP) {
        assert_eq!(store.load(chunk).await.unwrap().len(), chunk.len());
    }
    meter.print("load 256 at a time", TENANTS as u64);

    let meter = Meter::start();
    assert_eq!(store.schedule().await.unwrap().len(), TENANTS);
    meter.print("schedule", TENANTS as u64);

    let channel = ChannelName::parse("soc").unwrap();
    for number in 0..alone {
        let new = notification(&number.to_string(), &channel);
        assert!(store.announce(new, Timestamp::from_seconds(START)).await.unwrap());
    }
    let now = Timestamp::from_seconds(START + 1);
    let meter = Meter::start();
    for _ in 0..alone {
        let Claim::Send(claimed) = store.claim(&channel, ClaimTerms::default(), now).await.unwrap() else {
            panic!("nothing to send")
        };
        store.settle(claimed.id, claimed.attempt, AttemptOutcome::Delivered, None, now).await.unwrap();
    }
    meter.print("claim and settle", alone as u64);
    store.close().await;
}

/// Commits every tenant by replicas that share the database, each with its part of them.
async fn shared(settings: &PostgresSettings, replicas: usize, rounds: u64, turn: u64) {
    let mut parts = Vec::new();
    for replica in 0..replicas {
        let store = postgres::join(settings, "bench".to_owned()).await.unwrap().0;
        let tenants = (replica..TENANTS).step_by(replicas).map(|n| format!("shared-{replicas}-{turn}-{n:05}"));
        let tenants: Vec<TenantId> = tenants.map(|slug| TenantId::parse(&slug).unwrap()).collect();
        parts.push((Arc::new(store), tenants));
    }
    let all = async |version| {
        let commits = parts.iter().map(|(store, tenants)| commit_all(store, tenants, version));
        futures_util::future::join_all(commits).await;
    };
    all(0).await;
    let meter = Meter::start();
    for version in 1..=rounds.div_ceil(4) {
        all(version).await;
    }
    let what = if replicas == 1 { "one replica in groups" } else { "two replicas together" };
    meter.print(what, TENANTS as u64 * rounds.div_ceil(4));
    for (store, _) in parts {
        store.close().await;
    }
}

/// Writes what a commit of checks writes, and nothing else: a row of each tenant, and one of its series.
async fn bare(socket: &str, alone: usize, rounds: u64) {
    let options = PgConnectOptions::new_without_pgpass().socket(socket).username("scorewatch").database("bench");
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let tables = "DROP TABLE IF EXISTS bare_tenant, bare_series;
        CREATE TABLE bare_tenant AS SELECT * FROM tenant; CREATE TABLE bare_series AS SELECT * FROM series;
        ALTER TABLE bare_tenant ADD PRIMARY KEY (id); CREATE UNIQUE INDEX ON bare_tenant (tenant);
        CREATE UNIQUE INDEX ON bare_series (tenant_id, score, subject)";
    sqlx::raw_sql(tables).execute(&mut connection).await.unwrap();
    let rows = "SELECT t.id, s.recent FROM tenant AS t JOIN series AS s ON s.tenant_id = t.id ORDER BY t.id";
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(rows).fetch_all(&mut connection).await.unwrap();
    let meter = Meter::start();
    for round in 1..=rounds {
        for chunk in rows.chunks(GROUP) {
            write_bare(&mut connection, chunk, round).await;
        }
    }
    meter.print("bare loop in groups", rows.len() as u64 * rounds);
    let meter = Meter::start();
    for row in rows.chunks(1).take(alone) {
        write_bare(&mut connection, row, rounds + 1).await;
    }
    meter.print("bare loop alone", alone as u64);
    sqlx::raw_sql("DROP TABLE bare_tenant, bare_series").execute(&mut connection).await.unwrap();
}

async fn write_bare(connection: &mut PgConnection, rows: &[(i64, Vec<u8>)], round: u64) {
    let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
    let windows: Vec<&[u8]> = rows.iter().map(|(_, window)| &window[..]).collect();
    let now = START + round.cast_signed() * 900;
    let mut transaction = connection.begin().await.unwrap();
    sqlx::query(
        "UPDATE bare_tenant SET version = version + 1, next_due_at = $2, checked_at = $2 FROM unnest($1::bigint[]) AS v(id) \
         WHERE bare_tenant.id = v.id",
    )
    .bind(&ids)
    .bind(now)
    .execute(&mut *transaction)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO bare_series (id, tenant_id, score, subject, last_data_at, keep, newest_at, recent) \
         SELECT v.id, v.id, 'device-secure-score', '', $3, 86400000000000, $3, v.recent \
         FROM unnest($1::bigint[], $2::bytea[]) AS v(id, recent) ON CONFLICT (tenant_id, score, subject) \
         DO UPDATE SET last_data_at = excluded.last_data_at, newest_at = excluded.newest_at, recent = excluded.recent",
    )
    .bind(&ids)
    .bind(&windows)
    .bind(now)
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
}

/// Commits every tenant once, with 1024 callers at a time, as checks do.
async fn commit_all(store: &Arc<SqliteStore>, tenants: &[TenantId], version: u64) {
    for chunk in tenants.chunks(1024) {
        let commits = chunk.iter().map(|tenant| store.commit(check(tenant, version)));
        for commit in futures_util::future::join_all(commits).await {
            assert_eq!(commit.unwrap(), Commit::Done);
        }
    }
}

fn check(tenant: &TenantId, version: u64) -> CheckOutcome {
    let now = START + version.cast_signed() * 900;
    // As Defender answers: the time varies a little, and the score rarely changes.
    let window = (0..WINDOW).map(|back| {
        let at =
            Timestamp::from_nanos((now - (WINDOW - back) * 900) * 1_000_000_000 + (back * 7_919_123) % 900_000_000);
        Sample { at, value: if back % 12 == 0 { 41.5 } else { 42.25 } }
    });
    let now = Timestamp::from_seconds(now);
    CheckOutcome {
        tenant: tenant.clone(),
        identity: TenantIdentity::default(),
        expected_version: (version > 0).then_some(version),
        health: TenantHealth {
            first_seen_at: now,
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

fn notification(number: &str, channel: &ChannelName) -> NewNotification {
    let id = NotificationId::of_parts(&[number]);
    let facts = NotificationFacts {
        short_id: id.short(),
        id,
        sequence: 1,
        test: true,
        possible_duplicate: false,
        covers: Vec::new(),
    };
    NewNotification {
        notification: Notification {
            kind: NotificationType::Test,
            timestamp: Timestamp::from_seconds(START),
            data: Facts {
                notification: facts,
                alert: None,
                tenant: None,
                rule: None,
                score: None,
                no_data: Vec::new(),
                explanation: None,
                why: None,
                operator: None,
                links: Links::default(),
            }
            .into(),
        },
        alert: None,
        tenant: None,
        channels: vec![channel.clone()],
        hold: None,
    }
}

struct Meter {
    wall: Instant,
    cpu: Duration,
}

impl Meter {
    fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu() }
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    fn print(self, what: &str, count: u64) {
        let (wall, cpu) = (self.wall.elapsed(), cpu().saturating_sub(self.cpu));
        let each = |spent: Duration| spent.as_secs_f64() * 1e6 / count as f64;
        let rate = count as f64 / wall.as_secs_f64();
        println!("{what:20} {:8.1} µs of CPU, {:8.1} µs of time each, {rate:10.0}/s", each(cpu), each(wall));
    }
}

/// CPU time of this process so far, in hundredths of a second (`proc(5)`: fields 14 and 15 of `/proc/self/stat`).
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
