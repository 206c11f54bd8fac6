//! What the API and the pages read from, and both together as routes.

use std::sync::Arc;

use axum::Router;
use tokio::sync::watch;

use super::{api, pages};
use crate::{clock::Clock, config::Config, domain::Timestamp, store::Store};

/// What the API and the pages read from.
#[derive(Clone)]
pub struct App {
    /// The store that the service writes to.
    pub(super) store: Arc<dyn Store>,
    /// The clock, for ages and limits.
    clock: Clock,
    config: watch::Receiver<Arc<Config>>,
}

impl App {
    /// What the API and the pages read from.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Clock, config: watch::Receiver<Arc<Config>>) -> Self {
        Self { store, clock, config }
    }

    /// The configuration in force. A request asks once and keeps to the answer.
    pub(super) fn config(&self) -> Arc<Config> {
        self.config.borrow().clone()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The API and the pages.
#[must_use]
pub fn dashboard(app: App) -> Router {
    Router::new().merge(api::routes()).merge(pages::routes()).with_state(app)
}
