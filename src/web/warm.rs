//! Reads ahead what the fleet page needs: a month of every tenant after a start, and, as long as somebody looks at the fleet, whatever was
//! committed since. So nobody waits for it who does. It takes the place of one request while it reads a few tenants, then rests for longer
//! than that took, so neither checks nor people wait for it.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::app::App;
use crate::{
    domain::Scope,
    query::{Error, fleet},
};

/// The service is ready and has begun its checks by then.
const FIRST_AFTER: Duration = Duration::from_secs(5);
/// How long commits wait at most until they are read.
const EVERY: Duration = Duration::from_mins(1);
/// The tenants that are read together: a few milliseconds of a core.
const SLICE: usize = 64;
/// The pause after a slice, as a multiple of the time that the slice took: at most a quarter of a core is used.
const REST: u32 = 3;

/// Goes on until shutdown.
pub async fn keep_warm(app: App, shutdown: CancellationToken) {
    let keep = async {
        sleep(FIRST_AFTER).await;
        let mut is_read = false;
        loop {
            if !is_read || app.fleet.is_watched(app.now()) {
                // A store that can't be read now may be later; whoever looks at the fleet meanwhile sees the error.
                is_read = match read_ahead(&app).await {
                    Ok(()) => true,
                    Err(error) => {
                        tracing::debug!(%error, "the fleet could not be read ahead");
                        is_read
                    }
                };
            }
            sleep(EVERY).await;
        }
    };
    // A read that was begun ends in a task of the store.
    let _ = shutdown.run_until_cancelled(keep).await;
}

/// Reads what has to be read, in slices.
pub(super) async fn read_ahead(app: &App) -> Result<(), Error> {
    let (store, config) = (app.store.as_ref(), app.config());
    let behind = fleet::behind(store, &config, &app.fleet, &Scope::All).await?;
    for slice in behind.chunks(SLICE) {
        let Ok(turn) = app.turns.acquire().await else { return Ok(()) };
        let began = Instant::now();
        app.fleet.read_ahead(store, slice, app.now()).await?;
        drop(turn);
        sleep(began.elapsed() * REST).await;
    }
    Ok(())
}
