//! Who is who, before a configuration takes effect: the store learns which tenants there are, and whose slug is whose.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::recorded;
use crate::{
    clock::Clock,
    config::Config,
    domain::Timestamp,
    store::{Configured, Roster, Store, StoreError},
};

/// How long a changed configuration waits when the store could not be asked.
const STORE_TROUBLE_WAIT: Duration = Duration::from_secs(5);

/// Passes each changed configuration on once the store knows whose slugs are whose. Before that, somebody would take one
/// tenant's alerts and messages for another's.
pub(super) async fn follow(
    store: Arc<dyn Store>,
    mut changes: watch::Receiver<Arc<Config>>,
    taken: watch::Sender<Arc<Config>>,
    clock: Clock,
    shutdown: CancellationToken,
) {
    while let Some(Ok(())) = shutdown.run_until_cancelled(changes.changed()).await {
        loop {
            let config = changes.borrow_and_update().clone();
            match reconcile(store.as_ref(), &config, clock.now()).await {
                Ok(()) => {
                    // First, so that nothing is ended by it before it is known whether the others run it, too.
                    store.division().configured(recorded::meaning(&config));
                    let before = taken.send_replace(config.clone());
                    recorded::reload(store.as_ref(), &before, &config, clock.now()).await;
                    break;
                }
                Err(error) => {
                    error!(%error, "the changed configuration waits until the store can say which tenant each slug \
                        belongs to");
                }
            }
            if shutdown.run_until_cancelled(clock.sleep(STORE_TROUBLE_WAIT)).await.is_none() {
                return;
            }
        }
    }
}

/// Compares the store's tenants with a configuration's.
///
/// # Errors
/// [`StoreError`]: nothing was changed, and the configuration must not take effect.
pub async fn reconcile(store: &dyn Roster, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    let configured = config.tenants.values().map(|tenant| Configured {
        tenant: tenant.id.clone(),
        entra: tenant.account.entra,
        name: tenant.name.to_string(),
    });
    let found = store.reconcile(configured.collect(), now).await?;
    for (slug, kept) in &found.replaced {
        warn!(
            tenant = %slug, %kept,
            "the slug now belongs to another Entra tenant; the data of the old one is kept separately until it is \
             removed"
        );
    }
    for (before, after) in &found.renamed {
        info!(%before, %after, "a tenant's slug has changed; its data and alerts are kept");
    }
    Ok(())
}
