//! The secrets of the configuration in force: tried after the start and after each reload, so that the log names each that can't
//! be read, and watched for channels.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::engine::Engine;
use crate::{
    config::{self, Config},
    delivery::secrets::{SecretWatch, watch},
    diagnostic::Level,
};

/// Logs every secret that can't be read, now and after each reload, until shutdown. Nobody waits for it.
pub async fn try_all(mut config: watch::Receiver<Arc<Config>>, shutdown: CancellationToken) {
    loop {
        let current = config.borrow_and_update().clone();
        let Some(problems) = shutdown.run_until_cancelled(config::try_secrets(&current.secrets)).await else { return };
        for problem in problems {
            let (place, key) = (&problem.place, &problem.key);
            if problem.level == Level::Error {
                error!(%place, key, "{}; {}", problem.what, problem.instead);
            } else {
                warn!(%place, key, "{}; {}", problem.what, problem.instead);
            }
        }
        if !matches!(shutdown.run_until_cancelled(config.changed()).await, Some(Ok(()))) {
            return shutdown.cancelled().await;
        }
    }
}

/// Looks at the channels whose secrets can't be read.
pub(super) async fn look(engine: Engine, known: Arc<SecretWatch>) {
    if let Err(error) = watch(engine.dispatcher.context(), &known).await {
        error!(%error, "channels whose secrets can't be read could not be re-evaluated; trying again");
    }
}
