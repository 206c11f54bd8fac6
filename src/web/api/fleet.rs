//! The fleet at a glance, what would help most, and what a drawing of one tenant shows.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    cursor,
    problem::Problem,
    route::{Call, Items, LIMIT_MAX, page},
    words,
};
use crate::{
    domain::ScoreKind,
    query::{
        fleet::{self, Filter, FleetLine, FleetTotals, Only, Sort},
        samples::{self, POINTS_MAX, Question, SeriesWindow},
        work::{self, Recommended, Work},
    },
};

/// Which tenants, and in which order.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Asked {
    /// Only those in whose id or name this text is found.
    search: Option<String>,
    /// Only those with this label, `KEY=VALUE`; of several, with all of them.
    #[serde(default)]
    label: Vec<String>,
    /// Only those in this condition.
    only: Option<Only>,
    /// The score that the order is about; by default the first that most tenants are polled for.
    score: Option<ScoreKind>,
    /// The order; by default what needs a person first.
    #[serde(default)]
    sort: Sort,
    /// Whether the order is the other way round.
    #[serde(default)]
    reversed: bool,
    /// At most that many items.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// A part of the fleet, and what the whole of it comes to.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FleetPage {
    /// The tenants, in the order that was asked for.
    items: Vec<FleetLine>,
    /// What to pass as `after` to get the items that follow; null: there are no more.
    next: Option<String>,
    /// How many tenants match.
    matching: usize,
    /// The score that the order is about.
    score: Option<ScoreKind>,
    /// All tenants together, whether or not they match.
    totals: FleetTotals,
    /// The values of each label of the tenants.
    labels: BTreeMap<Arc<str>, Vec<Arc<str>>>,
}

pub(super) async fn list(call: Call<Asked>) -> Result<FleetPage, Problem> {
    let Asked { search, label, only, score, sort, reversed, limit, after } = call.input;
    let page = page(limit, after.as_deref())?;
    let labels = words::labels(&label)?;
    let filter = Filter { search, labels, only, score, sort, is_reversed: reversed };
    let scope = &call.caller.scope;
    let found = fleet::fleet(call.store.as_ref(), &call.config, &call.fleet, scope, &filter, &page, call.now).await?;
    let fleet::Fleet { items, next, matching, score, totals, labels } = found;
    Ok(FleetPage { items, next: next.as_ref().map(cursor::write), matching, score, totals, labels })
}

/// How many recommendations are listed at most.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Most {
    /// At most that many items.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    limit: Option<u32>,
}

/// Recommendations unless the request says otherwise.
const WORK: u32 = 100;

/// What would gain the most points.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct WorkPage {
    /// The recommendations, most points first.
    items: Vec<Work>,
    /// Always null: there is no further page.
    next: Option<String>,
    /// Of how many tenants recommendations are known: those of which an alert fired or worsened.
    known_tenants: u64,
    /// How many tenants there are.
    tenants: usize,
}

pub(super) async fn work(call: Call<Most>) -> Result<WorkPage, Problem> {
    let limit = call.input.limit.unwrap_or(WORK);
    let (store, scope) = (call.store.as_ref(), &call.caller.scope);
    let Recommended { items, known_tenants, tenants } = work::work(store, &call.config, scope, limit).await?;
    Ok(WorkPage { items, next: None, known_tenants, tenants })
}

/// Which stretch of time.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Stretch {
    /// Of this score; by default of each.
    score: Option<ScoreKind>,
    /// Of which of several values.
    subject: Option<String>,
    /// From when on, in RFC 3339; by default from 30 days before the end.
    #[schemars(extend("format" = "date-time"))]
    from: Option<String>,
    /// Up to when, in RFC 3339; by default now.
    #[schemars(extend("format" = "date-time"))]
    until: Option<String>,
    /// The most samples of each series. If there are more, the first, lowest, highest and last of each stretch of time stand for the others.
    #[schemars(range(min = 1, max = POINTS_MAX))]
    points: Option<u32>,
}

/// Points of each series unless the request says otherwise.
const POINTS: u32 = 500;

pub(super) async fn chart(call: Call<Stretch>) -> Result<Items<SeriesWindow>, Problem> {
    let Stretch { score, subject, from, until, points } = &call.input;
    let (from, until) = words::times(from.as_deref(), until.as_deref())?;
    let until = until.unwrap_or(call.now);
    let from = from.unwrap_or_else(|| until.minus(words::LENGTH));
    let points = usize::try_from(points.unwrap_or(POINTS)).unwrap_or(POINTS_MAX);
    let (tenant, subject) = (call.path("id").to_owned(), subject.clone());
    let question = Question { tenant, score: *score, subject, from, until, points };
    let scope = &call.caller.scope;
    Ok(Items::all(samples::samples(call.store.as_ref(), &call.config, scope, &question, call.now).await?))
}
