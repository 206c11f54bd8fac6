//! Stores that have to be asked for a secret: a program, a HashiCorp Vault, an Azure Key Vault.
//!
//! One secret, from reference to value: `fetch` finds what is known stale → one caller asks ([`program`], [`vault`],
//! [`key_vault`]), the others wait → [`known`] keeps the value for a while → `known` hands it out, without waiting.

mod answer;
mod key_vault;
mod known;
mod program;
#[cfg(test)]
mod tests;
mod vault;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::SecretString;
use tracing::warn;

pub use key_vault::{KeyVault, KeyVaultSettings, cloud_of};
use known::Known;
pub use program::{TIME_LIMIT as PROGRAM_TIME_LIMIT, kill_all as kill_programs};
pub use vault::{SignIn, Vault, VaultSettings};

use crate::{
    clock::Clock,
    domain::Timestamp,
    secret::{Item, SecretStore},
    telemetry::Metrics,
};

/// One request to a store, body included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of a store's answer: a secret of the largest size in JSON, each byte escaped, and what stands around it.
const ANSWER_BYTES_MAX: usize = 512 * 1024;

/// A secret as a store returned it.
#[derive(Debug)]
struct Found {
    value: SecretString,
    /// When the store says that it expires.
    expires_at: Option<Timestamp>,
}

/// Why a store gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    /// To follow the secret's place in a sentence; nothing of a secret is in it.
    what: String,
    /// The store said nothing of this secret: it gives no answer to anybody, for so long at least.
    down: Option<Duration>,
}

impl Refusal {
    /// The store's word on this secret.
    fn final_word(what: impl Into<String>) -> Self {
        Self { what: what.into(), down: None }
    }

    /// No word on any secret.
    fn down(what: impl Into<String>) -> Self {
        Self { what: what.into(), down: Some(Duration::ZERO) }
    }

    /// No word on any secret, and a wait that was asked for.
    fn wait(what: impl Into<String>, wait: Option<Duration>) -> Self {
        Self { what: what.into(), down: Some(wait.unwrap_or_default()) }
    }
}

/// How a store is asked.
#[derive(Debug)]
enum Source {
    Programs,
    Vault(Box<Vault>),
    KeyVault(Box<KeyVault>),
}

impl Source {
    async fn read(&self, item: &Item) -> Result<Found, Refusal> {
        match self {
            Self::Programs => program::run(item).await,
            Self::Vault(vault) => vault.read(item).await,
            Self::KeyVault(vault) => vault.read(item).await,
        }
    }
}

/// A store with its settings, and what is known of its secrets.
pub struct Store {
    name: String,
    identity: String,
    source: Source,
    clock: Clock,
    /// Shared with the store of the same settings in the configuration before this one.
    known: Mutex<Arc<Known>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.name).finish()
    }
}

impl Store {
    fn new(name: &str, identity: String, source: Source, clock: Clock) -> Self {
        Self { name: name.to_owned(), identity, source, clock, known: Mutex::default() }
    }

    /// The store whose secrets are the output of programs.
    #[must_use]
    pub fn programs(clock: Clock) -> Self {
        let programs = Self::new("exec", "exec".to_owned(), Source::Programs, clock);
        Self { known: Mutex::new(Arc::new(Known::of_programs())), ..programs }
    }

    /// A HashiCorp Vault, called so in the configuration.
    #[must_use]
    pub fn vault(name: &str, settings: VaultSettings, clock: Clock) -> Self {
        let identity = format!("vault {name} {settings:?}");
        Self::new(name, identity, Source::Vault(Box::new(Vault::new(settings, clock.clone()))), clock)
    }

    /// An Azure Key Vault, called so in the configuration.
    #[must_use]
    pub fn key_vault(name: &str, settings: KeyVaultSettings, clock: Clock) -> Self {
        let identity = format!("key-vault {name} {settings:?}");
        Self::new(name, identity, Source::KeyVault(Box::new(KeyVault::new(settings, clock.clone()))), clock)
    }

    /// Whether it takes names, not paths.
    #[must_use]
    pub const fn is_key_vault(&self) -> bool {
        matches!(self.source, Source::KeyVault(_))
    }

    fn memory(&self) -> Arc<Known> {
        Arc::clone(&self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn share_memory(&self, of: &Self) {
        let known = of.memory();
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

#[async_trait]
impl SecretStore for Store {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn place(&self, item: &Item) -> String {
        match item {
            Item::Output { program, .. } => format!("program {}", program.display()),
            Item::Field { path, field } => format!("field {field} of {path} in the secret store {}", self.name),
            Item::Named { name, .. } => format!("secret {name} in the secret store {}", self.name),
        }
    }

    async fn fetch(&self, item: &Item) {
        let known = self.memory();
        let Some(flight) = known.wants(item, self.clock.now()) else { return };
        let _turn = flight.lock().await;
        if known.wants(item, self.clock.now()).is_none() {
            return;
        }
        // Programs are strangers to each other: that one fails says nothing of the next.
        let is_one = !matches!(self.source, Source::Programs);
        let _place = known.place(item, !is_one).await;
        let answer = match known.rests(self.clock.now()).filter(|_| is_one) {
            Some(refusal) => Err(refusal),
            None => self.source.read(item).await,
        };
        let now = self.clock.now();
        let failure = answer.as_ref().err().map(|refusal| refusal.what.clone());
        known.note(item, answer, now);
        if let Some(what) = failure
            && known.value(item, now).is_ok()
        {
            warn!(
                place = self.place(item),
                "a secret can't be read again ({what}); the last known value is used for now"
            );
        }
    }

    fn known(&self, item: &Item) -> Result<SecretString, String> {
        self.memory().value(item, self.clock.now())
    }

    fn expires_at(&self, item: &Item) -> Option<Timestamp> {
        self.memory().expires_at(item)
    }

    fn doubt(&self, item: &Item) {
        self.memory().doubt(item);
    }
}

/// The stores of a configuration.
#[derive(Debug, Clone)]
pub struct SecretStores {
    /// The store behind `exec:`, which runs programs.
    pub programs: Arc<Store>,
    /// The secret stores that `store:` names, by name.
    pub named: BTreeMap<String, Arc<Store>>,
}

impl Default for SecretStores {
    fn default() -> Self {
        Self { programs: Arc::new(Store::programs(Clock::System)), named: BTreeMap::new() }
    }
}

impl SecretStores {
    /// Has the token requests of its Key Vaults counted there. To be called before any is asked.
    pub fn count_in(&self, metrics: &Metrics) {
        for store in self.named.values() {
            if let Source::KeyVault(vault) = &store.source {
                vault.count_in(metrics);
            }
        }
    }

    /// Takes over what the configuration before this one knew of the same stores.
    pub fn inherit(&self, earlier: &Self) {
        self.programs.share_memory(&earlier.programs);
        for (name, store) in &self.named {
            if let Some(twin) = earlier.named.get(name).filter(|twin| twin.identity == store.identity) {
                store.share_memory(twin);
            }
        }
    }
}
