//! May the channel, by the configuration in force, still show this? Asked right before each attempt.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::context::Context;
use crate::{
    channel::ChannelSettings,
    config::Config,
    domain::{ChannelName, TenantId},
    notify::{
        NotificationType,
        fleet::{evidence::ShiftEvidence, notice::severities_of_firing},
        notification::TenantFacts,
    },
    store::{AttemptOutcome, ClaimedDelivery},
};

/// Why a channel may not show a tenant.
pub(super) const OUTSIDE_AUDIENCE: &str = "the channel may not show this tenant";

/// Why a report on a month is not sent after all.
const GONE: &str = "the tenant is no longer configured";

/// How long is waited for replicas to run the same configuration.
const UNTIL_AGREED: Duration = Duration::from_secs(30);

/// What becomes of a delivery that this replica's configuration refuses. Another one's may allow it, so nothing is dropped until they agree.
pub(super) fn refused(context: &Context, refusal: &str) -> AttemptOutcome {
    if context.division.agrees() {
        return AttemptOutcome::Dead { error: refusal.to_owned() };
    }
    let error = format!("replicas run different configurations, and by this one's: {refusal}");
    let next_attempt_at = context.clock.now().plus(UNTIL_AGREED);
    AttemptOutcome::Retry { error, next_attempt_at, may_have_arrived: false }
}

/// The channel's settings, if it may show this.
pub(super) fn may_send(
    config: &Config,
    channel: &ChannelName,
    delivery: &ClaimedDelivery,
) -> Result<Arc<ChannelSettings>, &'static str> {
    let settings = config.channels.get(channel).ok_or("the channel is no longer configured")?;
    if delivery.notification.kind == NotificationType::MonthReport && !is_still_ours(config, delivery) {
        return Err(GONE);
    }
    let admitted = match (&delivery.tenant, &delivery.notification.data.tenant) {
        (Some(tenant), facts) => config.admits(settings, tenant, facts.as_ref()),
        // A digest is examined item by item; a drill is about nobody. What is said of an outage counts the tenants that it names:
        // all of them or nothing.
        (None, _) if settings.audience.is_open() => true,
        (None, _) => match delivery.notification.kind {
            NotificationType::Digest | NotificationType::FleetShift | NotificationType::Drill => true,
            NotificationType::Report => shows_whole_report(config, settings, delivery),
            NotificationType::OperatorBlind => shows_all_items(config, settings, delivery),
            _ => false,
        },
    };
    if admitted { Ok(settings.clone()) } else { Err(OUTSIDE_AUDIENCE) }
}

/// Whether the tenant that a message is about is still configured, by whatever slug.
fn is_still_ours(config: &Config, delivery: &ClaimedDelivery) -> bool {
    let noted = delivery.notification.data.tenant.as_ref().and_then(|facts| facts.tenant_id.as_deref());
    config.tenants.values().any(|tenant| Some(tenant.account.entra.to_string().as_str()) == noted)
}

/// Takes out of the notice of a fleet shift what its channel may not show any more.
pub(super) fn retain_shown(config: &Config, settings: &ChannelSettings, delivery: &mut ClaimedDelivery) {
    delivery.notification.data.items.retain(|item| match &item.tenant {
        Some(facts) => TenantId::parse(&facts.id).is_ok_and(|tenant| config.admits(settings, &tenant, Some(facts))),
        None => settings.audience.is_open(),
    });
    if let Some(fleet) = &mut delivery.notification.data.fleet {
        let before = fleet.tenants.len();
        let may_show = |slug: &String| TenantId::parse(slug).is_ok_and(|tenant| config.admits(settings, &tenant, None));
        fleet.tenants.retain(may_show);
        fleet.apart.retain(may_show);
        fleet.notified_before.retain(may_show);
        if fleet.tenants.len() < before {
            fleet.tenant_count = fleet.tenants.len();
            let items = &delivery.notification.data.items;
            fleet.alerts = items.len();
            let alerts = items.iter().filter_map(|item| item.alert.as_ref());
            fleet.count_severities(severities_of_firing(alerts));
            (fleet.left_out, fleet.evidence) = (0, ShiftEvidence::default());
        }
    }
}

/// Whether there are items, each about a tenant that the channel may show.
fn shows_all_items(config: &Config, settings: &ChannelSettings, delivery: &ClaimedDelivery) -> bool {
    let items = &delivery.notification.data.items;
    let is_shown = |facts: &TenantFacts| {
        TenantId::parse(&facts.id).is_ok_and(|tenant| config.admits(settings, &tenant, Some(facts)))
    };
    !items.is_empty() && items.iter().all(|item| item.tenant.as_ref().is_some_and(is_shown))
}

/// Whether the channel may show every tenant that a report counts. One whose list of them was cut was made for a channel that
/// could show all.
fn shows_whole_report(config: &Config, settings: &ChannelSettings, delivery: &ClaimedDelivery) -> bool {
    delivery.notification.data.report.as_ref().is_some_and(|report| {
        let is_shown = |slug: &String| TenantId::parse(slug).is_ok_and(|id| config.admits(settings, &id, None));
        report.tenants.len() == report.tenant_count && report.tenants.iter().all(is_shown)
    })
}

/// What a digest or the notice of a fleet shift covers that its channel may not show any more, by tenant; `None`: what is about no
/// tenant. Any other message that covers earlier ones of the same alert, outage or drill says nothing of them, and was admitted
/// by what it says itself.
pub(super) fn not_shown(
    config: &Config,
    settings: &ChannelSettings,
    delivery: &ClaimedDelivery,
) -> BTreeSet<Option<TenantId>> {
    if !matches!(delivery.notification.kind, NotificationType::Digest | NotificationType::FleetShift) {
        return BTreeSet::new();
    }
    let facts = |tenant: &TenantId| {
        let items = delivery.notification.data.items.iter().filter_map(|item| item.tenant.as_ref());
        items.into_iter().find(|facts| facts.id == tenant.as_str())
    };
    let is_refused = |tenant: &&Option<TenantId>| match tenant {
        Some(tenant) => !config.admits(settings, tenant, facts(tenant)),
        None => !settings.audience.is_open(),
    };
    delivery.covers.iter().filter(is_refused).cloned().collect()
}

/// The tenants that a delivery is about.
pub(super) fn tenants(delivery: &ClaimedDelivery) -> BTreeSet<TenantId> {
    let in_items = delivery.notification.data.items.iter().filter_map(|item| item.tenant.as_ref());
    let in_items = in_items.filter_map(|tenant| TenantId::parse(&tenant.id).ok());
    let covered = delivery.covers.iter().flatten().cloned();
    delivery.tenant.iter().cloned().chain(in_items).chain(covered).collect()
}
