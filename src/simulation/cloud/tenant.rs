//! The tenants: added one by one, or in bulk, where every GUID is one and costs nothing until something is scripted for it.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::Value;
use uuid::Uuid;

use super::{
    super::{Reply, script::Script},
    DefenderRefusal, ScoreValue, SignIn,
    assertion::Keys,
};
use crate::domain::{Cloud, ScoreKind};

/// How a call of a score is answered.
#[derive(Debug, Clone)]
pub enum Fetch {
    /// As usual: the score for who has a good token.
    Usual,
    /// With that error, though the token is good.
    Refuse(DefenderRefusal),
    /// With that, though the token is good.
    Raw(Reply),
    /// With 206, a `Warning` and a part of the answer, as when a provider behind Graph failed.
    Incomplete,
}

/// A tenant's guidance as it was set.
#[derive(Debug, Default)]
pub(super) struct Guide {
    pub(super) profiles: Vec<Value>,
    pub(super) recommendations: Vec<Value>,
    /// Stands for every answer.
    pub(super) reply: Option<Reply>,
}

/// Every GUID is a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulk {
    /// The secrets of their apps. Any client id will do.
    pub secret: BulkSecret,
}

/// The secrets of bulk tenants' apps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkSecret {
    /// One multi-tenant app with one secret.
    Shared(String),
    /// Each tenant's own: [`Bulk::derived_secret`].
    Derived,
}

impl Bulk {
    /// The secret of a tenant's own app.
    #[must_use]
    pub fn derived_secret(tenant: Uuid) -> String {
        format!("bulk~{}", tenant.simple())
    }

    /// The device score of a tenant: 300 to 799 points, always the same.
    #[must_use]
    pub fn derived_score(tenant: Uuid) -> f64 {
        300.0 + f64::from(u32::from(spread(tenant)) % 500)
    }
}

/// What one tenant's app asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TenantCounts {
    /// How many requests for tokens there were.
    pub token_requests: u64,
    /// How many requests for scores there were.
    pub score_requests: u64,
    /// Requests for what explains the scores: control profiles and recommendations.
    pub guidance_requests: u64,
}

/// What the cloud knows of a tenant.
#[derive(Debug)]
pub(super) struct Tenant {
    /// The only app that is accepted; `None`: any.
    client_id: Option<Uuid>,
    pub(super) secret: String,
    /// By what its app's assertions are known.
    pub(super) keys: Keys,
    /// `None`: exactly the role that scores need.
    pub(super) roles: Option<Vec<String>>,
    pub(super) fraction_digits: u8,
    pub(super) sign_ins: Script<SignIn>,
    pub(super) fetches: Script<Fetch>,
    pub(super) counts: TenantCounts,
    /// Graph's daily records, newest first, and Defender's device groups.
    pub(super) records: Vec<serde_json::Value>,
    pub(super) groups: Vec<serde_json::Value>,
    /// The most records on one page of Graph's.
    pub(super) page_size: Option<usize>,
    /// Where lists say that they go on, whatever is true.
    pub(super) next_link: Option<String>,
    /// The cloud that has the tenant; `None`: every cloud.
    pub(super) home: Option<Cloud>,
    pub(super) guide: Guide,
    device_score: ScoreValue,
    exposure_score: ScoreValue,
    tokens: Vec<TokenUse>,
}

/// How often one app asked for one token while the first one lived.
#[derive(Debug)]
struct TokenUse {
    client_id: Uuid,
    scope: String,
    requests: u32,
    expires: i64,
}

/// Microsoft's sample shows seven; what a usual answer has.
const FRACTION_DIGITS: u8 = 7;
/// A low exposure ("Exposure score": below 30 is low).
const EXPOSURE_SCORE: f64 = 25.0;

impl Tenant {
    fn new(client_id: Option<Uuid>, secret: String, device_score: f64) -> Self {
        Self {
            client_id,
            secret,
            keys: Keys::default(),
            roles: None,
            fraction_digits: FRACTION_DIGITS,
            sign_ins: Script::default(),
            fetches: Script::default(),
            counts: TenantCounts::default(),
            records: Vec::new(),
            groups: Vec::new(),
            page_size: None,
            next_link: None,
            home: None,
            guide: Guide::default(),
            device_score: ScoreValue::Number(device_score),
            exposure_score: ScoreValue::Number(EXPOSURE_SCORE),
            tokens: Vec::new(),
        }
    }

    fn bulk(bulk: &Bulk, tenant: Uuid) -> Self {
        let secret = match &bulk.secret {
            BulkSecret::Shared(secret) => secret.clone(),
            BulkSecret::Derived => Bulk::derived_secret(tenant),
        };
        Self::new(None, secret, Bulk::derived_score(tenant))
    }

    pub(super) fn knows_app(&self, client_id: Uuid) -> bool {
        self.client_id.is_none_or(|known| known == client_id)
    }

    pub(super) fn set_score(&mut self, kind: ScoreKind, value: ScoreValue) {
        match kind {
            ScoreKind::DeviceSecureScore => self.device_score = value,
            ScoreKind::ExposureScore => self.exposure_score = value,
            _ => {}
        }
    }

    pub(super) fn score(&self, kind: ScoreKind) -> &ScoreValue {
        if kind == ScoreKind::ExposureScore { &self.exposure_score } else { &self.device_score }
    }

    /// Counts a request for a token, and says how many there were since the last one that is still good was first asked for.
    pub(super) fn count_token(&mut self, client_id: Uuid, scope: &str, now: i64, expires: i64) -> u32 {
        self.tokens.retain(|token| token.expires > now);
        let same = |token: &&mut TokenUse| token.client_id == client_id && token.scope == scope;
        if let Some(token) = self.tokens.iter_mut().find(same) {
            token.requests += 1;
            return token.requests;
        }
        self.tokens.push(TokenUse { client_id, scope: scope.to_owned(), requests: 1, expires });
        1
    }
}

/// Enough that two cores rarely meet at one lock.
const SHARDS: usize = 64;

/// All tenants of the simulated cloud.
#[derive(Debug)]
pub(super) struct Tenants {
    shards: Vec<Mutex<HashMap<Uuid, Tenant>>>,
    bulk: Option<Bulk>,
    /// Whether `every` holds anything: looked at without a lock.
    has_every: AtomicBool,
    every: RwLock<(Option<SignIn>, Option<Fetch>)>,
}

impl Tenants {
    pub(super) fn new(bulk: Option<Bulk>) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            bulk,
            has_every: AtomicBool::new(false),
            every: RwLock::default(),
        }
    }

    pub(super) fn add(&self, id: Uuid, client_id: Uuid, secret: &str, device_score: f64) {
        self.shard(id).insert(id, Tenant::new(Some(client_id), secret.to_owned(), device_score));
    }

    pub(super) fn remove(&self, id: Uuid) {
        self.shard(id).remove(&id);
    }

    /// Changes a tenant for good; a bulk tenant is kept from now on.
    pub(super) fn change(&self, id: Uuid, change: impl FnOnce(&mut Tenant)) {
        let mut shard = self.shard(id);
        match (shard.get_mut(&id), &self.bulk) {
            (Some(tenant), _) => change(tenant),
            (None, Some(bulk)) => change(shard.entry(id).or_insert_with(|| Tenant::bulk(bulk, id))),
            (None, None) => {}
        }
    }

    /// Asks a tenant something; a bulk tenant that nothing was scripted for is made for the moment and forgotten. `None`: no such tenant.
    pub(super) fn ask<T>(&self, id: Uuid, ask: impl FnOnce(&mut Tenant) -> T) -> Option<T> {
        if let Some(tenant) = self.shard(id).get_mut(&id) {
            return Some(ask(tenant));
        }
        self.bulk.as_ref().map(|bulk| ask(&mut Tenant::bulk(bulk, id)))
    }

    pub(super) fn counts(&self, id: Uuid) -> TenantCounts {
        self.shard(id).get(&id).map(|tenant| tenant.counts).unwrap_or_default()
    }

    pub(super) fn set_every_sign_in(&self, answer: Option<SignIn>) {
        let mut every = self.every.write().unwrap_or_else(PoisonError::into_inner);
        every.0 = answer;
        self.has_every.store(every.0.is_some() || every.1.is_some(), Ordering::Release);
    }

    pub(super) fn set_every_fetch(&self, answer: Option<Fetch>) {
        let mut every = self.every.write().unwrap_or_else(PoisonError::into_inner);
        every.1 = answer;
        self.has_every.store(every.0.is_some() || every.1.is_some(), Ordering::Release);
    }

    /// The key that applies to every tenant's token requests and calls.
    pub(super) fn every(&self) -> (Option<SignIn>, Option<Fetch>) {
        if !self.has_every.load(Ordering::Acquire) {
            return (None, None);
        }
        self.every.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn shard(&self, id: Uuid) -> MutexGuard<'_, HashMap<Uuid, Tenant>> {
        self.shards[usize::from(spread(id)) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Mixes a GUID into a number: neighbours get far-apart ones.
fn spread(id: Uuid) -> u16 {
    let (high, low) = id.as_u64_pair();
    let [upper, lower, ..] = (high ^ low.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    u16::from_be_bytes([upper, lower])
}
