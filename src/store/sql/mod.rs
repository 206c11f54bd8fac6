//! A store in an SQL database: what every database does alike. What is particular to one is in `sqlite/` and `postgres/`.
//!
//! A check rewrites one small row per tenant and one per series and appends nothing: the newest samples of a series are one blob, from
//! which completed days move to rows of their own once a day ([`days`]).

mod access;
mod alert_notes;
mod archive;
pub(super) mod audit;
mod average;
mod bulk;
mod catalog;
mod channel;
mod check;
mod claim;
pub(super) mod copy;
mod days;
pub(super) mod db;
mod dead;
mod encoding;
pub(super) mod erase;
mod escalation;
mod excluded;
mod fleet;
pub(super) mod guards;
mod hold;
mod idempotency;
mod listing;
mod merge;
mod movement;
mod notification;
mod outage;
mod outbox;
mod overview;
mod queue;
mod read;
mod recommendation;
pub(super) mod replica;
mod role;
mod roster;
mod route;
mod row;
pub(super) mod silence;
mod text;
mod upkeep;
mod writer;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

pub(super) use self::writer::{WriteAccess, Writer};
use super::{Division, StoreError};
use crate::{
    domain::{ChannelName, EntraTenantId, TenantId},
    notify::DeliveryId,
};

/// A store in an SQL database. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct SqlStore {
    identity: String,
    origin: Arc<Origin>,
    pub(super) writer: Writer,
    readers: db::Pool,
    place: Arc<dyn Place>,
    division: Division,
    /// Channels of which nobody knows whether something was claimed for them: the connection was lost.
    unknown_claims: Mutex<BTreeSet<ChannelName>>,
}

impl SqlStore {
    pub(super) fn new(
        identity: String,
        origin: Arc<Origin>,
        writer: Writer,
        readers: db::Pool,
        place: Arc<dyn Place>,
    ) -> Self {
        let (division, unknown_claims) = (Division::whole(), Mutex::default());
        Self { identity, origin, writer, readers, place, division, unknown_claims }
    }

    /// The same store, of which this process works on a part.
    pub(super) fn divided(self, division: Division) -> Self {
        Self { division, ..self }
    }

    fn unknown_claims(&self) -> MutexGuard<'_, BTreeSet<ChannelName>> {
        self.unknown_claims.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the database is.
#[async_trait]
pub(super) trait Place: Debug + Send + Sync {
    /// Whether what is written still goes where it was when the store was opened. May take as long as a disk does.
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether a standby of the database may lack what was confirmed. `Some`: the answer has changed since the last look, and was logged.
    async fn look_at_standbys(&self, _readers: &db::Pool) -> Result<Option<bool>, StoreError> {
        Ok(None)
    }

    /// Notes that a delivery is about to be tried.
    fn attempting(&self, _: DeliveryId) {}
}

/// What ids are made of, which is another text once a server has failed over.
#[derive(Debug)]
pub(super) struct Origin(Mutex<&'static str>);

impl Origin {
    pub(super) fn new(origin: String) -> Arc<Self> {
        Arc::new(Self(Mutex::new(origin.leak())))
    }

    /// As it is now. The text stays, as whoever was given it may still make an id of it; there is one for each failover.
    pub(super) fn get(&self) -> &'static str {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets it. `true`: it was another one.
    pub(super) fn set(&self, origin: String) -> bool {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_another = *now != origin;
        if is_another {
            *now = origin.leak();
        }
        is_another
    }
}

/// What ids are made of: the store's identity, and behind it the generation, if there ever was another than the first.
pub(super) fn origin(identity: &str, generation: &str) -> String {
    if generation.is_empty() { identity.to_owned() } else { format!("{identity}/{generation}") }
}

/// Where a store says that it was copied, and to which place.
const COPIED_TO: &str = "copied_to";

/// Notes where a store was copied to.
pub(super) async fn note_copied(db: &mut db::Connection, to: &str) -> Result<(), StoreError> {
    db::query("INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
        .bind(COPIED_TO)
        .bind(to)
        .execute(db)
        .await
        .map(drop)
}

/// Reads the names of tenants, each with its Entra id if that is noted.
pub(super) fn names(
    found: &[(String, Option<String>)],
) -> Result<BTreeMap<TenantId, Option<EntraTenantId>>, StoreError> {
    let read = |(name, entra): &(String, Option<String>)| Ok((row::tenant(name)?, roster::entra(entra.as_deref())?));
    found.iter().map(read).collect()
}
