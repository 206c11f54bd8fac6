//! That nothing is checked any more, for whoever reads a listing and takes it for how things stand.

use super::output;
use crate::{
    config::Config,
    domain::Timestamp,
    query::{self, Store},
};

/// Says on standard error that the service does not run, and since when. A store on which none ever ran was filled by `once`.
pub(super) async fn warn(store: &dyn Store, config: &Config, now: Timestamp) {
    if query::system::is_running(store, now).await {
        return;
    }
    if let Ok(Some(last)) = store.last_heartbeat().await {
        let since = config.timezone.written(last.at);
        output::complain(&format!("the service has not run since {since}: this is how things stood then"));
    }
}
