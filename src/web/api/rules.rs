//! Rules: what they say, and where they apply.

use super::{
    input::Nothing,
    problem::Problem,
    route::{Call, Items, Unfiltered, page},
};
use crate::query::rules::{self, RuleView};

pub(super) async fn list(call: Call<Unfiltered>) -> Result<Items<RuleView>, Problem> {
    let page = page(call.input.limit, call.input.after.as_deref())?;
    Ok(Items::of(rules::list(&call.config, &call.caller.scope, &page)))
}

pub(super) async fn show(call: Call<Nothing>) -> Result<RuleView, Problem> {
    Ok(rules::show(&call.config, &call.caller.scope, call.path("name"))?)
}
