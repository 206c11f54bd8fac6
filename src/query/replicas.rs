//! The services that share the store.

use std::time::Duration;

use serde::Serialize;

use super::Error;
use crate::{
    domain::{Scope, Timestamp, format_duration},
    store::{RejectedConfiguration, ReplicaRecord, Store},
};

/// A service that shares the store with others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Replica {
    /// Drawn at its start.
    pub id: String,
    /// The process and the machine.
    pub place: String,
    /// The version of Scorewatch that the replica runs.
    pub version: String,
    /// When it started, on the database's clock, as all times here.
    pub started_at: Timestamp,
    /// When it last renewed its lease.
    pub heard_at: Timestamp,
    /// Whether its lease is good; if not, others take over its work.
    pub living: bool,
    /// Whether it does what is done once for the whole fleet.
    pub leads: bool,
    /// How many of the 64 shards of tenants and channels are its own.
    pub shards: u32,
    /// How late the checks of the last minute began at most, as of its last heartbeat; null: its version does not say it.
    pub lateness_ms: Option<u64>,
    /// Its configuration; the same as long as it says the same, wherever its files are and wherever the replica listens.
    pub fingerprint: String,
    /// Whether it runs the configuration that the lead runs; null: there is no lead to compare with, or it is of another version, which
    /// may understand the same configuration differently.
    pub same_configuration: Option<bool>,
    /// Whether it runs the version that the lead runs; null: there is no lead to compare with.
    #[serde(skip)]
    #[schemars(skip)]
    pub same_version: Option<bool>,
    /// The first error of the changed configuration that it rejects, so that the old one stays in force there; null: it rejects none.
    pub rejects: Option<String>,
    /// All that is known of what it rejects.
    #[serde(skip)]
    #[schemars(skip)]
    pub rejected: Option<RejectedConfiguration>,
}

impl Replica {
    /// Whether it lives and runs another configuration or another version than the lead.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.living && (self.same_configuration == Some(false) || self.same_version == Some(false))
    }

    /// How late its checks begin, for people, in whole seconds.
    #[must_use]
    pub fn lateness(&self) -> Option<String> {
        self.lateness_ms.map(|late| format_duration(Duration::from_secs(late / 1_000)))
    }
}

/// The services that share the store, oldest first; none for a limited scope, and if only one process may have the store.
///
/// # Errors
/// [`Error::Store`].
pub async fn list(store: &dyn Store, scope: &Scope) -> Result<Vec<Replica>, Error> {
    if !scope.is_all() {
        return Ok(Vec::new());
    }
    Ok(compared(store.replicas().await?))
}

/// Each with whether it runs what the lead runs.
fn compared(records: Vec<ReplicaRecord>) -> Vec<Replica> {
    let lead = records.iter().find(|record| record.leads && record.is_living);
    let lead = lead.map(|record| (record.version.clone(), record.fingerprint.clone()));
    let replica = |record: ReplicaRecord| Replica {
        same_configuration: lead
            .as_ref()
            .filter(|(version, _)| record.version == *version)
            .map(|(_, fingerprint)| record.fingerprint == *fingerprint),
        same_version: lead.as_ref().map(|(version, _)| record.version == *version),
        id: record.id,
        place: record.place,
        version: record.version,
        started_at: record.started_at,
        heard_at: record.heard_at,
        living: record.is_living,
        leads: record.leads,
        shards: record.shards,
        lateness_ms: record.lateness.map(|late| u64::try_from(late.as_millis()).unwrap_or(u64::MAX)),
        fingerprint: record.fingerprint,
        rejects: record.rejected.as_ref().map(|rejected| rejected.first.clone()),
        rejected: record.rejected,
    };
    records.into_iter().map(replica).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, fingerprint: &str, leads: bool) -> ReplicaRecord {
        let at = Timestamp::from_seconds(1_000_000);
        ReplicaRecord {
            id: id.to_owned(),
            place: format!("pid 1 on {id}"),
            version: "1".to_owned(),
            fingerprint: fingerprint.to_owned(),
            started_at: at,
            heard_at: at,
            is_living: true,
            shards: 32,
            leads,
            lateness: None,
            rejected: None,
        }
    }

    #[test]
    fn configurations_are_compared_with_the_lead_s() {
        let same = |records| compared(records).into_iter().map(|one| one.same_configuration).collect::<Vec<_>>();
        let records = vec![record("a", "old", false), record("b", "new", true), record("c", "new", false)];
        assert_eq!(same(records), [Some(false), Some(true), Some(true)]);
        assert_eq!(same(vec![record("a", "old", false)]), [None]);
        let newer = ReplicaRecord { version: "99.0.0".to_owned(), ..record("c", "new", false) };
        assert_eq!(same(vec![record("b", "old", true), newer.clone()]), [Some(true), None]);
        let differs: Vec<_> = compared(vec![record("b", "old", true), newer]).iter().map(Replica::differs).collect();
        assert_eq!(differs, [false, true], "a version that differs counts, too");
        let dead = ReplicaRecord { is_living: false, ..record("a", "old", true) };
        assert_eq!(same(vec![dead, record("b", "new", false)]), [None, None]);
    }

    #[test]
    fn lateness_is_said_in_whole_seconds_if_it_is_known() {
        for (lateness, millis, said) in [
            (None, None, None),
            (Some(Duration::ZERO), Some(0), Some("0s")),
            (Some(Duration::from_millis(1_999)), Some(1_999), Some("1s")),
            (Some(Duration::from_secs(200)), Some(200_000), Some("3m20s")),
        ] {
            let found = compared(vec![ReplicaRecord { lateness, ..record("a", "one", true) }]).remove(0);
            assert_eq!((found.lateness_ms, found.lateness().as_deref()), (millis, said));
        }
    }
}
