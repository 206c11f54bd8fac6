//! Silences: listed, tried, made, ended.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    input::Nothing,
    problem::{INVALID, NOT_FOUND, Problem},
    route::{Call, Items, LIMIT_MAX, page},
};
use crate::{
    action::silence::{self, Draft, NewSilence},
    domain::{ScoreKind, Severity, Timestamp},
    query::{
        maintenance::{self, DAYS_MAX, MaintenanceWindow},
        silences::{self, Matchers, Silence, SilenceId},
    },
    rule::AlertKey,
};

/// Which silences are listed.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Silences {
    /// Whether those that are over are listed as well.
    #[serde(default)]
    past: bool,
    /// At most that many items.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

pub(super) async fn list(call: Call<Silences>) -> Result<Items<Silence>, Problem> {
    let page = page(call.input.limit, call.input.after.as_deref())?;
    let (store, scope) = (call.store.as_ref(), &call.caller.scope);
    Ok(Items::of(silences::list(store, scope, call.input.past, &page, call.now).await?))
}

/// Which openings of maintenance windows.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Ahead {
    /// Of that many days from now on; by default 14.
    #[schemars(range(min = 1, max = DAYS_MAX))]
    days: Option<u32>,
}

/// Days unless the request says otherwise.
const DAYS: u32 = 14;

pub(super) async fn windows(call: Call<Ahead>) -> Result<Items<MaintenanceWindow>, Problem> {
    let within = Duration::from_hours(24).saturating_mul(call.input.days.unwrap_or(DAYS));
    Ok(Items::all(maintenance::list(&call.config, &call.caller.scope, within, call.now)))
}

/// A silence, and what it covers now.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Covering {
    /// The silence as it is now.
    silence: Silence,
    /// The firing alerts that it covers.
    covers: Vec<AlertKey>,
}

async fn covered<I>(call: &Call<I>, matchers: &Matchers) -> Result<Vec<AlertKey>, Problem> {
    let rows = silences::covered(call.store.as_ref(), &call.caller.scope, matchers).await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

/// The number in the path. What is no number is the number of no silence.
fn number(call: &Call<Nothing>) -> Result<SilenceId, Problem> {
    let text = call.path("number");
    let number = text.parse().map(SilenceId);
    number.map_err(|_| Problem::because(NOT_FOUND, format!("there is no silence `{text}`")))
}

async fn covering(call: &Call<Nothing>, id: SilenceId) -> Result<Covering, Problem> {
    let silence = silences::show(call.store.as_ref(), &call.caller.scope, id).await?;
    let covers = covered(call, &silence.matchers).await?;
    Ok(Covering { silence, covers })
}

pub(super) async fn show(call: Call<Nothing>) -> Result<Covering, Problem> {
    covering(&call, number(&call)?).await
}

/// A silence as it is written. Every kind of matcher that is given must match, and of each kind one is enough; of labels, all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// The ids of the tenants to silence.
    #[serde(default)]
    tenants: Vec<String>,
    /// Labels that a tenant must have to be covered.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// The names of the rules to silence.
    #[serde(default)]
    rules: Vec<String>,
    /// The scores to silence.
    #[serde(default)]
    scores: Vec<ScoreKind>,
    /// The severities to silence.
    #[serde(default)]
    severities: Vec<Severity>,
    /// Whether it covers everything that you may silence; then no matcher is given.
    #[serde(default)]
    everything: bool,
    /// When it begins, in RFC 3339; by default now.
    #[serde(default)]
    #[schemars(extend("format" = "date-time"))]
    starts_at: Option<String>,
    /// When it ends, in RFC 3339. Either this or `for` is given.
    #[serde(default)]
    #[schemars(extend("format" = "date-time"))]
    ends_at: Option<String>,
    /// How long it lasts, like `2h`.
    #[serde(default)]
    r#for: Option<String>,
    /// Why the silence is made: at most 500 characters.
    comment: String,
}

impl Written {
    fn read<I>(&self, call: &Call<I>) -> Result<NewSilence, Problem> {
        if self.ends_at.is_some() == self.r#for.is_some() {
            let error = "give either `ends_at` or `for`".to_owned();
            return Err(Problem::of_errors(INVALID, vec![error]));
        }
        let names_nothing = self.tenants.is_empty() && self.labels.is_empty() && self.rules.is_empty();
        let names_something = !(names_nothing && self.scores.is_empty() && self.severities.is_empty());
        if names_something == self.everything {
            let error = "give either `everything: true`, or tenants, labels, rules, scores or severities".to_owned();
            return Err(Problem::of_errors(INVALID, vec![error]));
        }
        if let Some(key) = self.labels.keys().find(|key| key.contains('=')) {
            return Err(Problem::of_errors(INVALID, vec![format!("`{key}` is not the key of a label")]));
        }
        let draft = Draft {
            tenants: self.tenants.clone(),
            labels: self.labels.iter().map(|(key, value)| format!("{key}={value}")).collect(),
            rules: self.rules.clone(),
            scores: self.scores.iter().map(ToString::to_string).collect(),
            severities: self.severities.iter().map(ToString::to_string).collect(),
            alert: None,
            everything: self.everything,
            from: self.starts_at.clone(),
            length: self.r#for.clone(),
            until: self.ends_at.clone(),
            comment: self.comment.clone(),
            author: call.caller.name.clone(),
        };
        Ok(draft.read(&call.config, &call.caller.scope, call.now)?)
    }
}

pub(super) async fn add(call: Call<Written>) -> Result<Covering, Problem> {
    let new = call.input.read(&call)?;
    let silence = silence::add(call.store.as_ref(), &call.config, &call.caller, new, call.now).await?;
    let covers = covered(&call, &silence.matchers).await?;
    Ok(Covering { silence, covers })
}

/// What a silence would be, and what it would cover now.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Preview {
    /// Which alerts it would suppress.
    matchers: Matchers,
    /// When it would begin.
    starts_at: Timestamp,
    /// When it would end.
    ends_at: Timestamp,
    /// The firing alerts that it would cover.
    covers: Vec<AlertKey>,
}

pub(super) async fn preview(call: Call<Written>) -> Result<Preview, Problem> {
    let NewSilence { matchers, starts_at, ends_at, .. } = call.input.read(&call)?;
    let covers = covered(&call, &matchers).await?;
    Ok(Preview { matchers, starts_at, ends_at, covers })
}

pub(super) async fn end(call: Call<Nothing>) -> Result<Covering, Problem> {
    let id = number(&call)?;
    silence::end(call.store.as_ref(), &call.caller, id, call.now).await?;
    covering(&call, id).await
}
