//! Sends a tenant's month to channels now, whenever the report is due there.

use std::sync::Arc;

use serde_json::json;

use super::record::must;
use crate::{
    channel::ChannelSettings,
    config::{Config, Tenant},
    domain::{Caller, ChannelName, Role, Scope, Timestamp},
    notify::{NotificationId, facts::month::MonthFacts, month},
    query::{
        Error, find,
        report::{Asker, MonthReport, Question, report_by},
    },
    store::{NewEntry, NewNotification, Store},
};

/// Which report is sent where.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Which tenant and which month the report is about.
    pub question: Question,
    /// The channel; `None`: every one that gets the monthly reports of the tenant.
    pub channel: Option<&'a str>,
}

/// A report that is queued.
#[derive(Debug, Clone, PartialEq)]
pub struct Queued {
    /// The channels that it is queued for.
    pub channels: Vec<ChannelName>,
    /// What the report says, as facts that `page/` puts into words.
    pub report: MonthReport,
}

/// Queues the report on a tenant's month for a channel of the scope, or for every one that gets such reports of the tenant. The running
/// service sends it within seconds. A month that is over and was not sent to the channel before counts as sent by the schedule.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] if the channel may not show the tenant or takes no reports, if no channel gets them, and as
/// [`crate::query::report::report`]; [`Error::Store`].
pub async fn send(
    store: &dyn Store,
    config: &Config,
    caller: &Caller,
    wanted: &Wanted<'_>,
    asker: &Asker,
    now: Timestamp,
) -> Result<Queued, Error> {
    must(caller, Role::Analyst)?;
    let Wanted { question, channel } = wanted;
    let scope = &caller.scope;
    let tenant = find::tenant(config, scope, &question.tenant)?;
    let channels = channels(config, scope, tenant, *channel)?;
    let report = report_by(store, config, scope, question, asker.microsoft(), now).await?;
    let known = store.load(std::slice::from_ref(&tenant.id)).await?.pop();
    let known = known.filter(|known| known.identity.is(tenant.account.entra));
    let key = known.map(|known| known.identity.key);
    let mut queued = Queued { channels: Vec::new(), report };
    let mut messages = Vec::new();
    for channel in channels {
        let name = &channel.name;
        let by_schedule = key.as_deref().filter(|_| queued.report.is_over && queued.report.asked_microsoft);
        let by_schedule = by_schedule.map(|key| month::id(store.identity(), key, queued.report.month, name));
        let id = match by_schedule {
            Some(id) if !store.knows(&id).await? => id,
            _ => NotificationId::of_parts(&[
                "report.month on request",
                store.identity(),
                &tenant.account.entra.to_string(),
                &queued.report.month.to_string(),
                name.as_str(),
                &now.to_string(),
            ]),
        };
        let brand = config.brand.clone();
        let facts = MonthFacts { language: tenant.language, brand, report: queued.report.clone() };
        let notification = month::message(id, tenant.facts(), facts, now);
        let (tenant, channels) = (Some(tenant.id.clone()), vec![name.clone()]);
        messages.push(NewNotification { notification, alert: None, tenant, hold: None, channels });
        queued.channels.push(name.clone());
    }
    let after = json!({ "month": queued.report.month.to_string() });
    let entry = NewEntry::by(caller, "report.send", Some(format!("tenant {}", tenant.id)), now).after(after);
    store.announce_requested(messages, entry).await?;
    Ok(queued)
}

/// The named channel, or those that get reports on months of this tenant.
fn channels<'a>(
    config: &'a Config,
    scope: &Scope,
    tenant: &Tenant,
    channel: Option<&str>,
) -> Result<Vec<&'a Arc<ChannelSettings>>, Error> {
    let may_show = |settings: &ChannelSettings| settings.audience.admits(&tenant.id, &tenant.labels);
    if let Some(name) = channel {
        let settings = find::channel(config, scope, name)?;
        if !may_show(settings) {
            return Err(Error::invalid(format!("channel `{name}` may not show this tenant")));
        }
        if settings.kind.keeps_state() {
            return Err(Error::invalid(format!("channel `{name}` manages alerts and does not accept reports")));
        }
        return Ok(vec![settings]);
    }
    let of_scope = config.channels.values().filter(|one| find::channel(config, scope, one.name.as_str()).is_ok());
    let gets: Vec<_> = of_scope.filter(|settings| settings.month.is_some() && may_show(settings)).collect();
    if gets.is_empty() {
        let what = format!("no channel gets the monthly reports of tenant `{}`", tenant.id);
        return Err(Error::invalid(format!("{what}; name a channel, or write `report: monthly` at one")));
    }
    Ok(gets)
}
