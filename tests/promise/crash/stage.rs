//! The world of the crash tests: tenants whose scores move, receivers that stumble, and what is done to the process meanwhile.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use scorewatch::{simulation::Reply, store::postgres::PostgresSettings};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::model::{Columns, Evidence, Resent, Row, Tally};
use crate::harness::{HIGH, SENTINEL, SOC, Service, Setup, World, arrived, event, postgres::Postgres};

pub(super) const TENANTS: usize = 20;
/// Notified by a second rule; its receiver now and then rejects a message for good, which a person sends again.
pub(super) const DESK: &str = "desk";
pub(super) const SOC_RULE: &str = "device-score-low";
pub(super) const DESK_RULE: &str = "device-score-low-too";
/// A channel that only rows older than retention name.
const ARCHIVE: &str = "archive";
/// Fine, and three levels of bad that are further apart than the rule's step.
const SCORES: [f64; 5] = [HIGH, HIGH, 280.0, 230.0, 180.0];
const RULES: &str = "rules:\n  - name: device-score-low\n    score: device-secure-score\n    when: { below: 300 }\n    \
                     step: 40pts\n    severity: warning\n    notify: [soc]\n  - name: device-score-low-too\n    \
                     score: device-secure-score\n    when: { below: 300 }\n    severity: warning\n    notify: [desk]\n";
/// More than the store removes in three slices.
const OLD_ROWS: i64 = 7_000;
const UNFINISHED: [&str; 15] = [
    "deliveries",
    "list",
    "--json",
    "--limit",
    "0",
    "--state",
    "queued",
    "--state",
    "sending",
    "--state",
    "dead",
    "--state",
    "parked",
    "--state",
    "held",
];
/// A fleet shift is looked for some seconds after an alert fired, when everybody was read; otherwise nothing is held for the fleet.
const FLEET: &str = "fleet: { hold: 3s, at_least: 10 }\n";
/// The most tenants that are silenced together.
const SILENCED: usize = 5;
/// The same in PostgreSQL.
const DELIVERIES_POSTGRES: &str = "SELECT d.channel, n.id, d.state, n.type AS kind, coalesce(n.tenant, '') AS tenant, \
    coalesce(n.body::json #>> '{data,rule,name}', '') AS rule, \
    coalesce((n.body::json #>> '{data,notification,sequence}')::bigint, 0) AS sequence, \
    coalesce((n.body::json #>> '{data,score,value}')::float8, 0.0) AS value, \
    (SELECT c.notification_id FROM delivery AS c JOIN notification AS s ON s.id = c.notification_id \
    WHERE c.id = d.merged_into AND s.type = 'fleet.shift') AS notice \
    FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id ORDER BY d.id";
/// Every delivery with what it says.
const DELIVERIES: &str = "SELECT d.channel, n.id, d.state, n.type AS kind, coalesce(n.tenant, '') AS tenant, \
    coalesce(json_extract(n.body, '$.data.rule.name'), '') AS rule, \
    coalesce(json_extract(n.body, '$.data.notification.sequence'), 0) AS sequence, \
    coalesce(json_extract(n.body, '$.data.score.value'), 0.0) AS value, \
    (SELECT c.notification_id FROM delivery AS c JOIN notification AS s ON s.id = c.notification_id \
    WHERE c.id = d.merged_into AND s.type = 'fleet.shift') AS notice \
    FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id ORDER BY d.id";

pub(super) struct Stage {
    pub(super) world: World,
    pub(super) random: StdRng,
    pub(super) context: String,
    /// What [`Stage::turn_scores`] has turned all scores to.
    low: AtomicBool,
    killed: Vec<Instant>,
    resent: Mutex<Vec<Resent>>,
    tenants: Vec<String>,
    /// The file of the tenant that reloads take away and bring back.
    coming_and_going: String,
    /// The channel that is sent everything immediately: a message about the sentinel there is a barrier.
    prompt: &'static str,
    /// The database, if the store is not a file.
    pub(super) database: Option<(&'static Postgres, PostgresSettings)>,
}

/// How everything stands once it is sent.
pub(super) struct End {
    /// The output of `alerts list --all`.
    alerts: Vec<serde_json::Value>,
    /// What the cloud shows.
    scores: HashMap<String, f64>,
}

impl Stage {
    pub(super) async fn new(context: &str, seed: u64) -> Self {
        Self::with(context, seed, SOC, |_| ()).await
    }

    /// Many tenants that move together are a fleet shift to the first channel; the second is notified of each immediately.
    pub(super) async fn of_fleet(context: &str, seed: u64) -> Self {
        let fleet = |setup: &mut Setup| {
            setup.top.push_str(FLEET);
            setup.rules.push_str("    fleet: off\n");
        };
        Self::with(context, seed, DESK, fleet).await
    }

    async fn with(context: &str, seed: u64, prompt: &'static str, adjust: impl FnOnce(&mut Setup)) -> Self {
        let mut world = World::new().await;
        RULES.clone_into(&mut world.setup.rules);
        adjust(&mut world.setup);
        let desk = world.receivers.add_webhook(DESK);
        world.setup.webhook(DESK, &desk);
        let tenants: Vec<_> = (0..TENANTS).map(|number| format!("tenant-{number}")).collect();
        for tenant in &tenants {
            world.add_tenant(tenant);
        }
        world.write();
        let coming_and_going = std::fs::read_to_string(world.folder.path().join("tenants/tenant-0.yaml")).unwrap();
        let (random, context) = (StdRng::seed_from_u64(seed), format!("{context}, seed {seed}"));
        Self {
            world,
            random,
            context,
            low: AtomicBool::new(false),
            killed: Vec::new(),
            resent: Mutex::default(),
            tenants,
            coming_and_going,
            prompt,
            database: None,
        }
    }

    /// The same with its store in a database.
    pub(super) async fn on_postgres(context: &str, seed: u64, server: &'static Postgres) -> Self {
        let database = server.database().await;
        let address = Postgres::address(&database);
        let stage = Self::with(context, seed, SOC, |setup| setup.store = address).await;
        Self { database: Some((server, database)), ..stage }
    }

    pub(super) fn spawn(&self, environment: &[(&str, &str)]) -> Service {
        Service::spawn(&self.world.folder.config(), environment)
    }

    /// A few tenants get a new score, often the one that they have.
    pub(super) fn move_scores(&mut self) {
        for _ in 0..self.random.random_range(1..=TENANTS / 2) {
            let (tenant, score) = (self.random.random_range(0..TENANTS), self.random.random_range(0..SCORES.len()));
            self.world.set_score(&self.tenants[tenant], SCORES[score]);
        }
    }

    /// All tenants get another score than they got the last time: every channel is notified.
    pub(super) fn turn_scores(&self) {
        let low = !self.low.fetch_not(Ordering::SeqCst);
        for tenant in &self.tenants {
            self.world.set_score(tenant, if low { SCORES[2] } else { HIGH });
        }
    }

    /// All tenants get a score that the rules are content with, or one that they are not: the whole fleet moves.
    #[cfg(debug_assertions)]
    pub(super) fn turn_scores_to(&self, low: bool) {
        self.low.store(!low, Ordering::SeqCst);
        self.turn_scores();
    }

    /// Now and then a receiver fails once, or takes messages and is slow to say so: a kill meanwhile makes a repeat.
    pub(super) fn trouble_receivers(&mut self) {
        let slow = Reply::status(204).delayed(Duration::from_millis(self.random.random_range(1..50)));
        let replies = match self.random.random_range(0..10) {
            0 => vec![Reply::html(503)],
            1 => vec![Reply::close()],
            2..6 => vec![slow; 4],
            _ => Vec::new(),
        };
        self.world.receivers.script(SOC, replies);
        if self.prompt != DESK && self.random.random_ratio(1, 10) {
            self.world.receivers.script(DESK, vec![Reply::status(400)]);
        }
    }

    /// Changes the configuration of a running service: a tenant goes, or comes back.
    pub(super) async fn reload(&self, service: &Service) {
        service.listening().await;
        let name = "tenants/tenant-0.yaml";
        let file = self.world.folder.path().join(name);
        if file.exists() {
            std::fs::remove_file(file).unwrap();
        } else {
            self.world.folder.write(name, &self.coming_and_going);
        }
        service.signal("HUP");
    }

    /// Waits for a random number of messages or of checks, whichever comes first, and now and then a random moment more.
    pub(super) async fn random_point(&mut self, service: &Service) {
        /// A kill comes that long after the event that it waits for, at most: it spreads the points, nothing depends on it.
        const AFTER_EVENT_MAX: Duration = Duration::from_millis(30);
        let (world, random) = (&self.world, &mut self.random);
        let (messages, checks) = (random.random_range(0..6), random.random_range(0..TENANTS as u64 * 5 / 4));
        let messages = world.receivers.received().len() + messages;
        let checks = world.cloud.counts().score_requests + checks;
        let event = async {
            tokio::select! {
                () = world.receivers.wait_for(|received| received.len() >= messages) => {}
                () = world.cloud.wait_for(|cloud| cloud.counts().score_requests >= checks) => {}
            }
        };
        world.patiently(service, "an event to kill at", event).await;
        if random.random() {
            tokio::time::sleep(AFTER_EVENT_MAX.mul_f64(random.random())).await;
        }
    }

    /// Notes that the process is gone, once everything that it sent was heard.
    pub(super) async fn gone(&mut self) {
        self.world.receivers.drained().await.unwrap();
        self.note_kill();
    }

    /// Notes that one of several processes is gone. What it sent was heard by then, and nobody has taken over from it.
    pub(super) fn note_kill(&mut self) {
        self.killed.push(Instant::now());
    }

    /// Notes that others took one of several processes for gone, or that it had no lease any more. It had stopped working by then.
    pub(super) fn note_gone(&mut self, at: Instant) {
        self.killed.push(at);
        self.killed.sort_unstable();
    }

    /// Adds rows that are older than retention, while no service runs.
    pub(super) async fn age(&mut self) {
        let mut store = self.open().await;
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut store).await.unwrap();
        if tables == 0 {
            // Every life so far was shorter than the first opening.
            return store.close().await.unwrap();
        }
        for sql in [
            "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
             INSERT OR IGNORE INTO notification (id, type, at, body) SELECT 'old-' || i, 'operator.downtime', 0, '{}' FROM n",
            "INSERT OR IGNORE INTO delivery (notification_id, channel, state, queued_at, next_attempt_at, finished_at) \
             SELECT id, 'archive', 'delivered', 0, 0, 0 FROM notification WHERE id LIKE 'old-%' AND ?1",
            "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
             INSERT OR IGNORE INTO sample_day SELECT i, 1, x'' FROM n",
        ] {
            sqlx::query(sql).bind(OLD_ROWS).execute(&mut store).await.unwrap();
        }
        store.close().await.unwrap();
    }

    /// A connection of our own to the store.
    pub(super) async fn open(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.store()).busy_timeout(Duration::from_secs(30));
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    pub(super) fn store(&self) -> PathBuf {
        self.world.folder.path().join("data/scorewatch.db")
    }

    /// A person silences a few tenants, or ends all silences.
    pub(super) async fn silence(&mut self) {
        if self.end_silences().await == 0 {
            // The first tenant comes and goes; what is not there can't be silenced.
            let first = self.random.random_range(1..=TENANTS - SILENCED);
            let output = self.world.command(&self.silencing(first)).await;
            assert!(output.status.success(), "{output:?}");
        }
    }

    /// The command that silences that tenant and those after it.
    pub(super) fn silencing(&self, first: usize) -> Vec<&str> {
        let silenced = self.tenants[first..first + SILENCED].iter().flat_map(|tenant| ["--tenant", tenant]);
        let rest = ["--for", "1h", "--comment", "patching", "--author", "ann"];
        ["silences", "add"].into_iter().chain(silenced).chain(rest).collect()
    }

    /// The numbers of silences that are in force.
    pub(super) async fn silences(&self) -> Vec<String> {
        let rows = self.world.listing(&["silences", "list", "--json"]).await;
        rows.iter().map(|row| row["id"].to_string()).collect()
    }

    /// Returns how many it were.
    pub(super) async fn end_silences(&self) -> usize {
        let silences = self.silences().await;
        for id in &silences {
            let output = self.world.command(&["silences", "end", id]).await;
            assert!(output.status.success(), "{output:?}");
        }
        silences.len()
    }

    /// Does what a person does: ends silences, sends dead letters again and lets parked channels go on.
    pub(super) async fn repair(&self) {
        self.end_silences().await;
        for row in self.world.listing(&UNFINISHED).await {
            let (id, channel) = (row["id"].to_string(), row["channel"].as_str().unwrap());
            let asked_at = Instant::now();
            let output = match row["state"].as_str().unwrap() {
                // What went along with another goes along with it again.
                "dead" if row["merged_into"].is_null() => {
                    let output = self.world.command(&["deliveries", "resend", &id]).await;
                    let (channel, id) = (channel.to_owned(), row["notification"].as_str().unwrap().to_owned());
                    self.resent.lock().unwrap().push(Resent { channel, id, asked_at, done_at: Instant::now() });
                    output
                }
                "parked" => self.world.command(&["channels", "unpark", channel]).await,
                _ => continue,
            };
            // Another row may have fixed it already; then it is refused.
            assert!(output.status.code().is_some(), "{output:?}");
        }
    }

    /// Runs until everything is sent, stops properly, and judges.
    pub(super) async fn finish(mut self) -> Tally {
        let end = self.come_to_rest().await;
        self.judge(end).await
    }

    /// Runs until everything is sent, and stops properly.
    pub(super) async fn come_to_rest(&mut self) -> End {
        self.world.folder.write("tenants/tenant-0.yaml", &self.coming_and_going);
        let service = self.world.run().await;
        let mut scores = HashMap::new();
        for tenant in &self.tenants {
            scores.insert(tenant.clone(), SCORES[self.random.random_range(0..SCORES.len())]);
        }
        for (tenant, score) in &scores {
            self.world.set_score(tenant, *score);
        }
        self.repair().await;
        self.world.settle(&service, self.prompt).await;
        let mut left = Vec::new();
        let quiet = async {
            loop {
                left = self.world.listing(&UNFINISHED).await;
                if left.is_empty() {
                    break;
                }
                self.repair().await;
                self.world.checked(&service, SENTINEL, 1).await;
            }
        };
        let is_quiet = event(quiet).await.is_some();
        assert!(is_quiet, "{}: never at rest: {left:?}\nlog:\n{}", self.context, service.log());
        let alerts = self.world.listing(&["alerts", "list", "--all", "--json"]).await;
        assert_eq!(service.stop().await.code(), Some(0));
        End { alerts, scores }
    }

    /// Holds what receivers took against what the store says.
    pub(super) async fn judge(self, end: End) -> Tally {
        let received = self.world.receivers.received();
        let arrived = received.iter().flat_map(|request| {
            let channel = request.channel.to_string();
            arrived(std::slice::from_ref(request), &channel).into_iter().map(move |arrived| (channel.clone(), arrived))
        });
        let (deliveries, resent) = (self.deliveries().await, self.resent.lock().unwrap().clone());
        let (killed, resent, context) = (self.killed.as_slice(), resent.as_slice(), self.context.as_str());
        let End { alerts, scores } = end;
        Evidence { arrived: arrived.collect(), killed, resent, alerts, deliveries, scores, context }.judge()
    }

    /// All deliveries that the store has.
    pub(super) async fn deliveries(&self) -> Vec<Row> {
        let rows: Vec<Columns> = if let Some((server, database)) = &self.database {
            let mut store = server.connect(&database.database).await;
            sqlx::query_as(DELIVERIES_POSTGRES).fetch_all(&mut store).await.unwrap()
        } else {
            let mut store = self.open().await;
            let rows = sqlx::query_as(DELIVERIES).fetch_all(&mut store).await.unwrap();
            store.close().await.unwrap();
            rows
        };
        let rows: Vec<Row> = rows.into_iter().map(Row::from).collect();
        assert!(rows.iter().all(|row| row.channel != ARCHIVE), "{}: retention left something", self.context);
        rows
    }
}
