//! Tenants: their state, their month, and a check on request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::{
    input::Nothing,
    problem::{INVALID, Problem, TOO_MANY},
    route::{Call, Items, LIMIT_MAX, Unfiltered, page},
    words,
};
use crate::{
    action::{month, tenant},
    domain::ChannelName,
    query::{
        alerts::Which,
        explain::{self, Explained},
        report::{self, Month, MonthReport},
        tenants::{self, Filter, GoneTenant, TenantDetail, TenantStatus},
    },
};

/// Which tenants are listed.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Tenants {
    /// Only those whose checks fail.
    #[serde(default)]
    failing: bool,
    /// Only those with this label, `KEY=VALUE`; of several, with all of them.
    #[serde(default)]
    label: Vec<String>,
    /// Only those in whose id or name this text is found, or whose Entra ID it is.
    search: Option<String>,
    /// At most that many items.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

pub(super) async fn list(call: Call<Tenants>) -> Result<Items<TenantStatus>, Problem> {
    let Tenants { failing, label, search, limit, after } = &call.input;
    let filter = Filter { failing: *failing, labels: words::labels(label)?, search: search.clone() };
    let page = page(*limit, after.as_deref())?;
    let found = tenants::matching(call.store.as_ref(), &call.config, &call.caller.scope, &filter, &page).await?;
    Ok(Items::of(found))
}

pub(super) async fn show(call: Call<Nothing>) -> Result<TenantDetail, Problem> {
    Ok(tenants::show(call.store.as_ref(), &call.config, &call.caller.scope, call.path("id")).await?)
}

/// A tenant that is due now.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Recheck {
    /// The tenant's id in the configuration.
    tenant: String,
}

pub(super) async fn recheck(call: Call<Nothing>) -> Result<Recheck, Problem> {
    let id = call.path("id");
    tenant::recheck(call.store.as_ref(), &call.config, &call.caller, id, call.now).await?;
    Ok(Recheck { tenant: id.to_owned() })
}

/// Tenants that are due now.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Rechecks {
    /// How many became due. One that was never checked is due anyway.
    tenants: u64,
}

pub(super) async fn recheck_all(call: Call<Nothing>) -> Result<Rechecks, Problem> {
    let tenants = tenant::recheck_all(call.store.as_ref(), &call.config, &call.caller, call.now).await?;
    Ok(Rechecks { tenants })
}

/// Which month the report is about.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Report {
    /// The month, like `2026-11`; the present one by default.
    #[schemars(extend("pattern" = r"^\d{4}-(0[1-9]|1[0-2])$"))]
    month: Option<String>,
}

/// What the store knows of a month. Microsoft is asked nothing: whoever reads must not cause requests with a customer's credential.
pub(super) async fn report(call: Call<Report>) -> Result<MonthReport, Problem> {
    let (tenant, month) = (call.path("id").to_owned(), month_of(call.input.month.as_deref())?);
    let question = report::Question { tenant, month, zone: None, ask_microsoft: false };
    Ok(report::report(call.store.as_ref(), &call.config, &call.caller.scope, &question, call.now).await?)
}

fn month_of(written: Option<&str>) -> Result<Option<Month>, Problem> {
    let month = written.map(|text| {
        let unreadable = |error: crate::domain::Complaint| Problem::of_errors(INVALID, vec![error.to_string()]);
        text.parse().map_err(unreadable)
    });
    month.transpose()
}

/// Tenants that are no longer configured.
pub(super) async fn gone(call: Call<Unfiltered>) -> Result<Items<GoneTenant>, Problem> {
    let page = page(call.input.limit, call.input.after.as_deref())?;
    Ok(Items::of(tenants::gone(call.store.as_ref(), &call.config, &call.caller.scope, &page).await?))
}

/// Which report, and where it goes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SentReport {
    /// The month, like `2026-11`; the present one by default.
    #[schemars(extend("pattern" = r"^\d{4}-(0[1-9]|1[0-2])$"))]
    month: Option<String>,
    /// The channel; by default every one that gets the monthly reports of this tenant.
    channel: Option<String>,
    /// Whether Microsoft is asked what controls did and what can be done next, with the tenant's credential.
    #[serde(default)]
    ask_microsoft: bool,
}

/// A report that is queued.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct QueuedReport {
    /// The channels that it is queued for.
    channels: Vec<ChannelName>,
    /// What the report says, as values.
    report: MonthReport,
}

/// Who asks Microsoft for a report: it may take minutes, so others are not kept from their turns meanwhile.
pub(super) static ASKING: Semaphore = Semaphore::const_new(1);

pub(super) async fn send_report(call: Call<SentReport>) -> Result<QueuedReport, Problem> {
    let SentReport { month, channel, ask_microsoft } = &call.input;
    let busy = |_| Problem::because(TOO_MANY, "Microsoft is being asked for another report");
    let _asking = ask_microsoft.then(|| ASKING.try_acquire().map_err(busy)).transpose()?;
    let question = report::Question {
        tenant: call.path("id").to_owned(),
        month: month_of(month.as_deref())?,
        zone: None,
        ask_microsoft: *ask_microsoft,
    };
    let wanted = month::Wanted { question, channel: channel.as_deref() };
    let queued = month::send(call.store.as_ref(), &call.config, &call.caller, &wanted, &call.asker, call.now).await?;
    Ok(QueuedReport { channels: queued.channels, report: queued.report })
}

/// Which of the rule's alerts.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Subject {
    /// The subject, if the score has several; all of them otherwise.
    subject: Option<String>,
}

pub(super) async fn explain(call: Call<Subject>) -> Result<Explained, Problem> {
    let which = Which::named(call.path("id"), call.path("rule"), call.input.subject.clone());
    Ok(explain::of_alert(call.store.as_ref(), &call.config, &call.caller.scope, which, call.now).await?)
}
