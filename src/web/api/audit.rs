//! The audit log.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    problem::Problem,
    route::{Call, Items, LIMIT_MAX, page},
};
use crate::query::audit::{self, Entry};

/// Which entries.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Entries {
    /// Only of this action, or of a kind of them: `silence.add`, `silence`.
    action: Option<String>,
    /// At most that many items.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

pub(super) async fn list(call: Call<Entries>) -> Result<Items<Entry>, Problem> {
    let Entries { action, limit, after } = &call.input;
    let page = page(*limit, after.as_deref())?;
    Ok(Items::of(audit::list(call.store.as_ref(), &call.caller.scope, action.as_deref(), &page).await?))
}
