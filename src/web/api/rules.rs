//! Rules: what they say, where they apply, and what they would have sent.

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::{
    input::Nothing,
    problem::{INVALID, Problem, TOO_MANY},
    route::{Call, Items, Unfiltered, page},
};
use crate::{
    domain::parse_duration,
    query::{
        Error,
        backtest::{self, Question, Report, Source},
        find,
        rules::{self, RuleView},
    },
};

pub(super) async fn list(call: Call<Unfiltered>) -> Result<Items<RuleView>, Problem> {
    let page = page(call.input.limit, call.input.after.as_deref())?;
    Ok(Items::of(rules::list(&call.config, &call.caller.scope, &page)))
}

pub(super) async fn show(call: Call<Nothing>) -> Result<RuleView, Problem> {
    Ok(rules::show(&call.config, &call.caller.scope, call.path("name"))?)
}

/// On which readings.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Backtest {
    /// How far back, like `30d`; by default 30 days.
    since: Option<String>,
    /// Of this tenant; of several, of each of them. By default of all.
    #[serde(default)]
    tenant: Vec<String>,
}

/// The most days of tenants that are replayed for one request: some seconds of one core. `scorewatch backtest` has no such limit.
const TENANT_DAYS_MAX: u64 = 10_000;

/// Who replays. A replay uses every core, so there is one at a time.
static REPLAY: Semaphore = Semaphore::const_new(1);

pub(super) async fn backtest(call: Call<Backtest>) -> Result<Report, Problem> {
    let invalid = |error: String| Problem::of_errors(INVALID, vec![error]);
    let (config, scope, name) = (&call.config, &call.caller.scope, call.path("name"));
    rules::show(config, scope, name)?;
    let since = call.input.since.clone().unwrap_or_else(|| "30d".to_owned());
    let length = parse_duration(&since).map_err(|complaint| invalid(complaint.to_string()))?;
    let tenants = find::tenants(config, scope, &call.input.tenant)?;
    let days = (length.as_secs() / 86_400 + 1).saturating_mul(tenants.len() as u64);
    if days > TENANT_DAYS_MAX {
        return Err(invalid(format!(
            "{} tenants for so long are too much for one request ({days} days of tenants, at most {TENANT_DAYS_MAX}); ask for \
             some tenants, for a shorter time, or use `scorewatch backtest`",
            tenants.len()
        )));
    }
    let turn = REPLAY.try_acquire().map_err(|_| Problem::because(TOO_MANY, "another backtest is running"))?;
    let (rules, tenants) = (vec![name.to_owned()], call.input.tenant.clone());
    let question = Question { rules, tenants, since, until: None, candidates: None };
    let source = Source::Store(call.store.as_ref());
    let prepared = backtest::prepare(source, config, scope, &question, call.now, || {}).await?;
    let replayed = tokio::task::spawn_blocking(move || {
        // Until it has ended, even if nobody waits for it any more.
        let _turn = turn;
        prepared.report(|| {})
    });
    Ok(replayed.await.map_err(Error::from)??)
}
