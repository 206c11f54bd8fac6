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
    let division = store.division();
    // Replicas whose configurations differ take nothing back from each other: what is left of that is done once they agree.
    let mut is_open = division.is_shared();
    loop {
        let next = async {
            tokio::select! {
                next = changes.changed() => next.is_ok().then_some(changes.borrow_and_update().clone()),
                () = division.agreed(), if is_open => Some(taken.borrow().clone()),
            }
        };
        let Some(Some(mut config)) = shutdown.run_until_cancelled(next).await else { return };
        while let Err(error) = reconcile(store.as_ref(), &config, clock.now()).await {
            error!(%error, "the configuration waits until the store can say which tenant each slug belongs to");
            if shutdown.run_until_cancelled(clock.sleep(STORE_TROUBLE_WAIT)).await.is_none() {
                return;
            }
            config = changes.borrow_and_update().clone();
        }
        // First, so that nothing is ended by it before it is known whether the others run it, too.
        let fingerprint = recorded::meaning(&config);
        let is_new = !Arc::ptr_eq(&config, &taken.borrow());
        is_open = is_new && division.is_shared();
        if is_new {
            division.configured(fingerprint);
            let before = taken.send_replace(config.clone());
            recorded::reload(store.as_ref(), &before, &config, clock.now()).await;
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
    let found = store.reconcile(configured.collect(), &recorded::meaning(config), now).await?;
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
    for (slug, here) in &found.held_back {
        warn!(
            tenant = %slug, %here,
            "another replica's configuration has renamed this tenant; until all replicas run the same configuration, its \
             slug stays, and it is not checked here"
        );
    }
    Ok(())
}
