//! One image: opened as the service would open it, checked, and compared with what was known outside.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use scorewatch::{
    domain::{ScoreKind, SeriesKey, TenantId, Timestamp},
    store::{Checks, Upkeep, sqlite::SqliteStore},
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{disk::Image, recording::Seen};

/// What was known outside by then.
#[derive(Debug, Default, Clone)]
pub(super) struct Known {
    /// How often a channel was sent a notification.
    sent: BTreeMap<(String, String), u32>,
    settled: BTreeSet<(String, String)>,
    /// By tenant: checks that are committed.
    checked: BTreeMap<String, u64>,
}

impl Known {
    pub(super) fn add(&mut self, seen: &Seen) {
        match seen {
            Seen::Sent { channel, id } => *self.sent.entry((channel.clone(), id.clone())).or_default() += 1,
            Seen::Settled { channel, id } => drop(self.settled.insert((channel.clone(), id.clone()))),
            Seen::Checked { tenant, times } => drop(self.checked.insert(tenant.clone(), *times)),
        }
    }
}

pub(super) struct Trial {
    pub(super) image: Image,
    pub(super) known: Known,
    /// The run and the record at which power is lost.
    pub(super) moment: (usize, usize),
}

impl Trial {
    /// What is damaged or lost.
    pub(super) async fn run(&self) -> Vec<String> {
        // In memory where there is such a folder: these images need no disk of their own.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        for (name, bytes) in &self.image {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let path = folder.path().join("scorewatch.db");
        let store = match SqliteStore::open(&path).await {
            Ok(store) => store,
            Err(error) => return vec![format!("{:?}: damaged: {error}", self.moment)],
        };
        let mut faults = self.look(&path).await;
        for (tenant, times) in &self.known.checked {
            let key = SeriesKey {
                tenant: TenantId::parse(tenant).unwrap(),
                score: ScoreKind::DeviceSecureScore,
                subject: None,
            };
            match store.history(&key, Timestamp::EPOCH).await {
                Ok(samples) if samples.len() as u64 >= *times => {}
                Ok(samples) => faults.push(format!("lost: {tenant} has {} of {times} samples", samples.len())),
                Err(error) => faults.push(format!("damaged: {tenant}: {error}")),
            }
        }
        store.close().await;
        faults.into_iter().map(|fault| format!("{:?}: {fault}", self.moment)).collect()
    }

    async fn look(&self, path: &Path) -> Vec<String> {
        let mut faults = Vec::new();
        let options = SqliteConnectOptions::new().filename(path);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let verdict: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut connection).await.unwrap();
        if verdict != "ok" {
            faults.push(format!("damaged: {verdict}"));
        }
        let sql = "SELECT d.channel, d.notification_id, d.attempts, d.state FROM delivery AS d \
                   JOIN notification AS n ON n.id = d.notification_id";
        let rows: Vec<(String, String, u32, String)> = sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let rows: BTreeMap<_, _> =
            rows.into_iter().map(|(channel, id, attempts, state)| ((channel, id), (attempts, state))).collect();
        for (key, times) in &self.known.sent {
            match rows.get(key) {
                None => faults.push(format!("lost: {key:?} was sent, and is not there")),
                Some((attempts, _)) if attempts < times => {
                    faults.push(format!("lost: {key:?} was sent {times} times, and {attempts} attempts are known"));
                }
                Some(_) => {}
            }
        }
        for key in &self.known.settled {
            if rows.get(key).is_some_and(|(_, state)| state != "delivered") {
                faults.push(format!("lost: {key:?} was delivered, and that is not known"));
            }
        }
        faults
    }
}
