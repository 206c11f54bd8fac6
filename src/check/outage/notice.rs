//! What the operator is sent about an outage: once while it lasts, once when it is over.

use std::{collections::BTreeSet, time::Duration};

use super::{Cause, News, OPERATOR_BLIND, same_credential};
use crate::{
    config::{Config, Tenant},
    domain::{ChannelName, Severity, TenantId, Timestamp},
    microsoft::FailureClass,
    notify::{
        Notification, NotificationType, compose,
        digest::LINES_MAX,
        facts::wording::{News as Says, OutageCause},
        identity::outage_id,
        notification::{AlertFacts, Data, DigestItem, OperatorFacts, RuleFacts},
        route::Audience,
    },
    rule::Resolution,
    store::{NewNotification, Outage},
};

/// Most tenants that the sentence names; the lines below it name more.
const NAMED_MAX: usize = 3;

/// The notifications that say it. A channel that may show some tenants only gets one of its own, which knows of no other.
#[must_use]
pub fn notices(store: &str, config: &Config, outage: &Outage, news: &News, now: Timestamp) -> Vec<NewNotification> {
    let notified = outage.notified_channels.iter().filter_map(|name| config.channels.get(name));
    let (open, outside_audience): (Vec<_>, Vec<_>) = notified.partition(|channel| channel.audience.is_open());
    let everywhere = open.iter().map(|channel| channel.name.clone()).collect::<Vec<_>>();
    let mut notices = Vec::new();
    let mut notify = |audience: &Audience, channels: Vec<ChannelName>, whose: &str| {
        let seen = Seen::by(audience, config, outage, news);
        if !channels.is_empty() && !seen.tenants.is_empty() {
            let notification = write(store, outage, news, &seen, whose, now);
            notices.push(NewNotification { notification, alert: None, tenant: None, channels, hold: None });
        }
    };
    notify(&Audience::default(), everywhere, "");
    for channel in outside_audience {
        notify(&channel.audience, vec![channel.name.clone()], channel.name.as_str());
    }
    notices
}

/// What a channel may know of an outage.
struct Seen<'a> {
    tenants: Vec<&'a Tenant>,
    notified_before: usize,
    left: usize,
    /// How many tenants are watched in total.
    of: usize,
}

impl<'a> Seen<'a> {
    fn by(audience: &Audience, config: &'a Config, outage: &Outage, news: &News) -> Self {
        let admits = |tenant: &Tenant| audience.admits(&tenant.id, &tenant.labels);
        let find = |id: &TenantId| config.tenants.get(id).map(AsRef::as_ref).filter(|tenant| admits(tenant));
        let count = |ids: &BTreeSet<TenantId>| ids.iter().filter_map(find).count();
        let (before, left) = match news {
            News::Began { notified_before, .. } => (count(notified_before), 0),
            News::Over { left } => (0, count(left)),
        };
        let is_new =
            |id: &&TenantId| !matches!(news, News::Began { notified_before, .. } if notified_before.contains(*id));
        let is_concerned = |tenant: &Tenant| match Cause::from_key(&outage.cause) {
            Some(Cause::Credential(app) | Cause::App(app)) => tenant.account.app.client_id == app,
            _ => true,
        };
        // A secret that can't be read fails for all that are read by it, whether or not their turn has come.
        let mut hit = outage.tenants.clone();
        if is_secret_unreadable(news) {
            hit.extend(outage.tenants.iter().flat_map(|tenant| same_credential(config, tenant)).cloned());
        }
        Self {
            tenants: hit.iter().filter(is_new).filter_map(find).collect(),
            notified_before: before,
            left,
            of: config.tenants.values().filter(|tenant| admits(tenant) && is_concerned(tenant)).count(),
        }
    }
}

fn is_secret_unreadable(news: &News) -> bool {
    matches!(news, News::Began { class, .. } if class == FailureClass::SecretUnreadable.as_str())
}

fn write(store: &str, outage: &Outage, news: &News, seen: &Seen<'_>, whose: &str, now: Timestamp) -> Notification {
    let is_over = matches!(news, News::Over { .. });
    let facts = facts(outage, news, seen, now);
    let since = outage.since.to_string();
    let step = if is_over { "over" } else { "began" };
    let parts = ["operator.outage", store, &outage.cause, &since, step, whose];
    let item = |tenant: &&Tenant| item(tenant, &facts, &parts, now);
    let items = seen.tenants.iter().take(LINES_MAX).map(item).collect();
    let mut notification = compose::for_operator(NotificationType::OperatorBlind, &parts, None, facts.clone(), now);
    let data: &mut Data = &mut notification.data;
    data.links.fix = fix_page(outage, news, seen);
    data.items = items;
    data.notification.sequence = if is_over { 2 } else { 1 };
    data.rule = Some(RuleFacts {
        name: OPERATOR_BLIND.to_owned(),
        condition: "many tenants can't be read".to_owned(),
        about: None,
        runbook: None,
    });
    data.alert = Some(AlertFacts {
        id: outage_id(store, &outage.cause, &since),
        state: if is_over { "resolved" } else { "firing" }.to_owned(),
        severity: Severity::Critical,
        started_at: outage.since,
        resolved_at: is_over.then_some(now),
        reason: None,
        remark: None,
        escalation: None,
        resolution: is_over.then_some(Resolution::Recovered),
        resolved_by: None,
    });
    notification
}

/// The page on which the cause can be fixed, where all tenants have the same one.
fn fix_page(outage: &Outage, news: &News, seen: &Seen<'_>) -> Option<String> {
    let News::Began { class, .. } = news else { return None };
    let tenant = seen.tenants.first()?;
    match Cause::from_key(&outage.cause)? {
        Cause::Credential(_) => tenant.fix_page(class, None),
        // Consent is given by each tenant on its own.
        Cause::App(_) if seen.tenants.len() == 1 => tenant.fix_page(class, None),
        _ => None,
    }
}

/// One tenant of the list.
fn item(tenant: &Tenant, outage: &OperatorFacts, parts: &[&str], now: Timestamp) -> DigestItem {
    let whole = outage.news.clone().map(Box::new);
    let facts = OperatorFacts {
        from: outage.from,
        until: outage.until,
        ..OperatorFacts::of(Says::OutageOfTenant { whole }, outage.class.clone(), None)
    };
    let parts = [parts, &[tenant.id.as_str()]].concat();
    compose::for_operator(NotificationType::OperatorBlind, &parts, Some(tenant.facts()), facts, now).into()
}

fn facts(outage: &Outage, news: &News, seen: &Seen<'_>, now: Timestamp) -> OperatorFacts {
    let cause = in_common(Cause::from_key(&outage.cause).as_ref(), is_secret_unreadable(news));
    let count = seen.tenants.len();
    let named = seen.tenants.iter().take(NAMED_MAX).map(|tenant| tenant.id.to_string()).collect();
    let (says, class, until) = match news {
        News::Began { class, hint, .. } => {
            let (of, before, hint) = (seen.of, seen.notified_before, hint.clone());
            (Says::Outage { cause, class: class.clone(), count, of, named, before, hint }, class.as_str(), None)
        }
        News::Over { .. } => {
            let seconds = lasted(now.since(outage.since)).as_secs();
            (Says::OutageOver { cause, count, named, left: seen.left, seconds }, "recovered", Some(now))
        }
    };
    OperatorFacts { from: Some(outage.since), until, ..OperatorFacts::of(says, class, None) }
}

/// What the tenants have in common, as messages say it.
fn in_common(cause: Option<&Cause>, is_unreadable: bool) -> OutageCause {
    match cause {
        Some(Cause::Credential(app)) if is_unreadable => OutageCause::UnreadableCredential(app.to_string()),
        Some(Cause::Credential(app)) => OutageCause::Credential(app.to_string()),
        Some(Cause::App(app)) => OutageCause::App(app.to_string()),
        Some(Cause::Clock) => OutageCause::Clock,
        Some(Cause::Proxy) => OutageCause::Proxy,
        Some(Cause::Service | Cause::Refusal(_)) | None => OutageCause::Microsoft,
    }
}

/// In whole minutes from a minute on.
fn lasted(lasted: Duration) -> Duration {
    let seconds = lasted.as_secs();
    Duration::from_secs(if seconds < 60 { seconds.max(1) } else { seconds - seconds % 60 })
}
