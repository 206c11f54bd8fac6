//! The service as a whole.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    input::Nothing,
    problem::Problem,
    route::{Call, Items, LIMIT_MAX, page},
};
use crate::query::{
    audit::{self, Entry},
    system::{self, System},
};

pub(super) async fn show(call: Call<Nothing>) -> Result<System, Problem> {
    let (config, rejected) = (&call.config, call.rejected.as_ref());
    let system = system::show(call.store.as_ref(), config, rejected, &call.caller.scope, call.now).await?;
    Ok(system.listening(call.address))
}

/// Which entries of the audit log.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Entries {
    /// Of this action, or of all that begin with it and a dot: `silence.add`, `silence`.
    action: Option<String>,
    /// At most that many items.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

pub(super) async fn entries(call: Call<Entries>) -> Result<Items<Entry>, Problem> {
    let Entries { action, limit, after } = call.input;
    let page = page(limit, after.as_deref())?;
    Ok(Items::of(audit::list(call.store.as_ref(), &call.caller.scope, action.as_deref(), &page).await?))
}
