//! Rules: what they say, where they apply, and what they would have sent.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    input::Nothing,
    problem::{FAILED, Problem, TOO_MANY},
    route::{Call, Items, Unfiltered, page},
};
use crate::{
    query::{
        backtest::{Report, Tried},
        rules::{self, RuleView},
    },
    web::replay::{BUSY, Refused, Replay, Replayed},
};

pub(super) async fn list(call: Call<Unfiltered>) -> Result<Items<RuleView>, Problem> {
    let page = page(call.input.limit, call.input.after.as_deref())?;
    Ok(Items::of(rules::list(&call.config, &call.caller.scope, &page)))
}

pub(super) async fn show(call: Call<Nothing>) -> Result<RuleView, Problem> {
    Ok(rules::show(&call.config, &call.caller.scope, call.path("name"))?)
}

/// On which readings, and what is tried.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(super) struct Backtest {
    /// How far back, like `30d`; by default 30 days.
    since: Option<String>,
    /// Of this tenant; of several, of each of them. By default of all, or of as many as have a million readings together.
    #[serde(default)]
    tenant: Vec<String>,
    /// A condition to try in place of the rule's own, of the same kind and in the words of its `condition`: `drop 3% within 12h`.
    condition: Option<String>,
    /// How long the condition must have held, to try in place of the rule's own: `30m`.
    r#for: Option<String>,
}

pub(super) async fn backtest(call: Call<Backtest>) -> Result<Report, Problem> {
    let Backtest { since, tenant, condition, r#for } = call.input.clone();
    let replay = Replay {
        store: call.store.as_ref(),
        config: &call.config,
        scope: &call.caller.scope,
        rule: call.path("name"),
        tenants: tenant,
        since: since.as_deref().unwrap_or("30d"),
        tried: Tried { condition, pending_for: r#for },
        now: call.now,
        turns: call.replays.clone(),
    };
    match replay.run(false).await {
        Ok(Replayed { written, tried }) => tried.or(written).ok_or_else(|| Problem::new(FAILED)),
        Err(Refused::Busy) => Err(Problem::because(TOO_MANY, BUSY)),
        Err(Refused::Because(error)) => Err(error.into()),
    }
}
