//! What the API and the pages read from.

use std::{net::SocketAddr, sync::Arc};

use tokio::sync::{Semaphore, watch};

use super::{attempts::SignIns, streams::Streams};

use crate::{
    clock::Clock,
    config::{Config, reload::Rejected},
    domain::{Scope, Timestamp},
    egress::Egress,
    oidc::Providers,
    query::{Error, fleet, report::Asker},
    store::Store,
};

/// The most requests that are answered at a time; the store has twice as many readers (`store/sqlite/open.rs`).
const REQUESTS_MAX: usize = 3;

/// What the API and the pages read from.
#[derive(Clone)]
pub struct App {
    /// The store that the service writes to.
    pub(super) store: Arc<dyn Store>,
    /// The clock, for ages and limits.
    clock: Clock,
    config: watch::Receiver<Arc<Config>>,
    /// Turns of requests, of which a few are answered at a time.
    pub(super) turns: Arc<Semaphore>,
    /// Turns of backtests, of which one runs at a time.
    pub(super) replays: Arc<Semaphore>,
    /// How often somebody tried to sign in.
    pub(super) sign_ins: Arc<SignIns>,
    /// Where people sign in with OpenID Connect.
    pub(super) providers: Arc<Providers>,
    /// What was last read of the fleet's samples; shared by all who look at the fleet.
    pub(super) fleet: Arc<fleet::Memory>,
    /// The streams that say that something changed.
    pub(super) streams: Arc<Streams>,
    /// The configuration that was refused; `None`: nobody says.
    rejected: Option<watch::Receiver<Option<Rejected>>>,
    /// What Microsoft is asked with when somebody wants to know now.
    pub(super) asker: Asker,
    /// The address at which connections arrive; `None`: it is not known here.
    pub(super) address: Option<SocketAddr>,
}

impl App {
    /// What the API and the pages read from.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Clock, config: watch::Receiver<Arc<Config>>) -> Self {
        let providers = Arc::new(Providers::new(Egress::new(), clock.clone()));
        let asker = Asker::alone(&config.borrow());
        Self {
            store,
            clock,
            config,
            turns: Arc::new(Semaphore::new(REQUESTS_MAX)),
            replays: Arc::new(Semaphore::new(1)),
            sign_ins: Arc::default(),
            providers,
            fleet: Arc::default(),
            streams: Arc::default(),
            rejected: None,
            asker,
            address: None,
        }
    }

    /// The same, which also knows of configurations that are refused.
    #[must_use]
    pub fn with_rejected(self, rejected: watch::Receiver<Option<Rejected>>) -> Self {
        Self { rejected: Some(rejected), ..self }
    }

    /// The same, which asks Microsoft with what the service asks it with, at its pace and with its tokens.
    #[must_use]
    pub fn with_asker(self, asker: Asker) -> Self {
        Self { asker, ..self }
    }

    /// The same, which knows at which address connections arrive. The configuration may leave the port to the system.
    #[must_use]
    pub fn with_address(self, address: Option<SocketAddr>) -> Self {
        Self { address, ..self }
    }

    /// The configuration that was refused, for as long as no other is accepted.
    pub(super) fn rejected(&self) -> Option<Rejected> {
        self.rejected.as_ref().and_then(|rejected| rejected.borrow().clone())
    }

    /// A number that changes with what the scope may see: of how things are, or were a moment ago.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(super) async fn seen(&self, scope: &Scope) -> Result<u64, Error> {
        let seen = self.streams.look(self.store.as_ref(), self.now()).await?;
        let rejected = self.rejected();
        let rejected = rejected.as_ref().map(|rejected| (rejected.errors, &*rejected.first));
        Ok(seen.of(scope, &self.config(), rejected))
    }

    /// The configuration in force. A request asks once and keeps to the answer.
    pub(super) fn config(&self) -> Arc<Config> {
        self.config.borrow().clone()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
