//! The bare loop: the same HTTP calls with one shared client, a sample and a state row per check, committed in groups.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::{
    CONCURRENCY, cloud,
    usage::{Measured, Watch, memory, report},
};

/// The most checks in one transaction.
const GROUP_MAX: usize = 256;

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct Score {
    score: f64,
}

struct Row {
    tenant: i64,
    value: f64,
    durable: oneshot::Sender<()>,
}

pub(crate) fn run(address: &str, tenants: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let (rows, queue) = mpsc::channel(4 * GROUP_MAX);
        let writer = tokio::spawn(write(folder.path().join("bare.db"), queue));
        #[expect(clippy::disallowed_methods, reason = "the bare loop is what we compare our own egress with")]
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().expect("a client");
        let mut tokens: Vec<Option<Arc<str>>> = vec![None; tenants];
        let watch = Watch::start();
        pass(&client, address, &mut tokens, &rows).await;
        let cold = watch.pass(tenants);
        let watch = Watch::start();
        pass(&client, address, &mut tokens, &rows).await;
        let warm = watch.pass(tenants);
        let (resident_mib, peak_mib) = memory();
        drop(rows);
        writer.await.expect("the writer");
        report(&Measured { start_s: 0.0, cold, warm, resident_mib, peak_mib });
    });
}

async fn pass(client: &reqwest::Client, address: &str, tokens: &mut [Option<Arc<str>>], rows: &mpsc::Sender<Row>) {
    let places = Arc::new(Semaphore::new(CONCURRENCY));
    let mut checks = tokio::task::JoinSet::new();
    for (number, token) in tokens.iter().enumerate() {
        let place = places.clone().acquire_owned().await.expect("a place");
        let (client, address, rows, token) = (client.clone(), address.to_owned(), rows.clone(), token.clone());
        checks.spawn(async move {
            let token = match token {
                Some(token) => token,
                None => sign_in(&client, &address, number).await,
            };
            let value = fetch(&client, &address, &token).await;
            let (durable, done) = oneshot::channel();
            let tenant = i64::try_from(number).expect("a tenant");
            rows.send(Row { tenant, value, durable }).await.expect("the writer");
            done.await.expect("a commit");
            drop(place);
            (number, token)
        });
    }
    while let Some(done) = checks.join_next().await {
        let (number, token) = done.expect("a check");
        tokens[number] = Some(token);
    }
}

async fn sign_in(client: &reqwest::Client, address: &str, number: usize) -> Arc<str> {
    let url = format!("{address}/{}/oauth2/v2.0/token", cloud::entra(number));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "6d2a0000-0000-4000-8000-000000000002"),
        ("client_secret", cloud::SECRET),
        ("scope", "https://api.securitycenter.microsoft.com/.default"),
    ];
    let answer = client.post(url).form(&form).send().await.expect("an answer").bytes().await.expect("a body");
    serde_json::from_slice::<Token>(&answer).expect("a token").access_token.into()
}

async fn fetch(client: &reqwest::Client, address: &str, token: &str) -> f64 {
    let request = client.get(format!("{address}/api/configurationScore")).bearer_auth(token);
    let answer = request.send().await.expect("an answer").bytes().await.expect("a body");
    serde_json::from_slice::<Score>(&answer).expect("a score").score
}

async fn write(path: std::path::PathBuf, mut queue: mpsc::Receiver<Row>) {
    use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut store = SqliteConnection::connect_with(&options).await.expect("a store");
    for statement in [
        "CREATE TABLE sample (tenant INTEGER, at INTEGER, value REAL)",
        "CREATE TABLE state (tenant INTEGER PRIMARY KEY, value REAL, at INTEGER)",
    ] {
        sqlx::query(statement).execute(&mut store).await.expect("a table");
    }
    let mut group = Vec::with_capacity(GROUP_MAX);
    let mut at = 0_i64;
    while queue.recv_many(&mut group, GROUP_MAX).await > 0 {
        let mut transaction = store.begin().await.expect("a transaction");
        for row in &group {
            at += 1;
            sqlx::query("INSERT INTO sample VALUES (?, ?, ?)")
                .bind(row.tenant)
                .bind(at)
                .bind(row.value)
                .execute(&mut *transaction)
                .await
                .expect("a sample");
            sqlx::query("INSERT INTO state VALUES (?, ?, ?) ON CONFLICT (tenant) DO UPDATE SET value = excluded.value, at = excluded.at")
                .bind(row.tenant)
                .bind(row.value)
                .bind(at)
                .execute(&mut *transaction)
                .await
                .expect("a state");
        }
        transaction.commit().await.expect("a commit");
        for row in group.drain(..) {
            // Only at the end may the check that waits for this have been dropped.
            let _ = row.durable.send(());
        }
    }
}
