//! Finds whatever a text may mean.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{problem::Problem, route::Call};
use crate::query::search::{self, Found};

/// The most of each kind that is found.
const FOUND_MAX: u32 = 100;
/// The same unless the request says otherwise.
const FOUND: u32 = 20;

/// What to look for.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Text {
    /// A part of a tenant's id or name, or an id as messages and listings show it, whole or its first letters (`7Q4M2K`), or a
    /// delivery's number.
    q: String,
    /// At most that many tenants, alerts, fleet shifts and deliveries each; 20 unless you say otherwise.
    #[schemars(range(min = 1, max = FOUND_MAX))]
    limit: Option<u32>,
}

pub(super) async fn find(call: Call<Text>) -> Result<Found, Problem> {
    let Text { q, limit } = &call.input;
    let most = usize::try_from(limit.unwrap_or(FOUND)).unwrap_or(usize::MAX);
    Ok(search::search(call.store.as_ref(), &call.config, &call.caller.scope, q, most).await?)
}
