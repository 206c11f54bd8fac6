//! What silences hold is evaluated again when the configuration, and with it a maintenance window, may be another.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::{clock::Clock, config::Config, delivery::Dispatcher};

/// How long to wait when the store does not answer as it should.
const STORE_TROUBLE_WAIT: Duration = Duration::from_secs(5);

/// Looks at all that is held, now and after each reload, until shutdown.
pub async fn reconsider(
    dispatcher: Dispatcher,
    mut config: watch::Receiver<Arc<Config>>,
    clock: Clock,
    shutdown: CancellationToken,
) {
    loop {
        config.mark_unchanged();
        while let Err(error) = dispatcher.reconsider().await {
            error!(%error, "deliveries that silences hold could not be re-evaluated; trying again");
            if shutdown.run_until_cancelled(clock.sleep(STORE_TROUBLE_WAIT)).await.is_none() {
                return;
            }
        }
        if !matches!(shutdown.run_until_cancelled(config.changed()).await, Some(Ok(()))) {
            return;
        }
    }
}
