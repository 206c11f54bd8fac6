//! A changed configuration in effect: whom the alerts that fire are notified to, and what waits for channels that have left.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tracing::{info, warn};

use super::{
    context::{Context, InEffect},
    destination,
};
use crate::{
    config::Config,
    domain::{ChannelName, Labels, Timestamp},
    notify::{Hold, HoldReason, NotificationType, Silence, silence::MatchTarget},
    rule::AlertKey,
    store::{ChannelRecord, Reroute, Rerouted, RoutedAlert, Routes, StoreError},
};

/// Puts the routes of the configuration in force into effect, unless they are. Of several replicas the lead does so, once all run the
/// same configuration: until then, what one of them lacks may be what another has just got.
pub(super) async fn ensure(context: &Context) -> Result<(), StoreError> {
    let Some(_tenure) = context.lead().filter(|_| context.division.agrees()) else { return Ok(()) };
    let mut in_effect = context.routes.lock().await;
    let config = context.config.borrow().clone();
    if in_effect.as_ref().is_some_and(|in_effect| Arc::ptr_eq(&in_effect.config, &config)) {
        return Ok(());
    }
    *in_effect = None;
    let destinations = put_in_effect(context, &config).await?;
    *in_effect = Some(InEffect { config, destinations });
    Ok(())
}

/// Puts them into effect once more: something may have been written by an earlier configuration.
pub(super) async fn again(context: &Context) -> Result<(), StoreError> {
    context.routes.lock().await.take();
    ensure(context).await
}

/// Looks whether channels of this replica that are `wanted` lead elsewhere than before though the configuration is the same, as their
/// secrets may be others; and, if this one leads, whether other replicas have noted that of theirs.
pub(super) async fn look_for_moved(
    context: &Context,
    records: &[ChannelRecord],
    wanted: impl Fn(&ChannelName) -> bool,
) -> Result<(), StoreError> {
    let config = context.config.borrow().clone();
    let has_noted = destination::note(context, &config, records, wanted).await?;
    let is_outdated = context.routes.lock().await.as_ref().is_some_and(|in_effect| in_effect.is_outdated(records));
    if has_noted || is_outdated {
        return again(context).await;
    }
    // Whoever led before may have ended in between.
    ensure(context).await
}

/// Returns where channels led before that.
async fn put_in_effect(context: &Context, config: &Config) -> Result<BTreeMap<ChannelName, String>, StoreError> {
    let (store, now) = (context.store.as_ref(), context.clock.now());
    let mut records = store.channels().await?;
    if destination::note(context, config, &records, |_| true).await? {
        records = store.channels().await?;
    }
    let routed = store.routed().await?;
    let silences = store.silences(Some(now)).await?;
    let alerts: Vec<Reroute> =
        routed.alerts.into_iter().filter_map(|alert| rerouted(config, &silences, alert, now)).collect();
    let operator = config.operator_channels();
    let is_gone = |(channel, is_operator): &(_, bool)| {
        !config.channels.contains_key(channel) || *is_operator && !operator.contains(channel)
    };
    let has_gone = routed.others.iter().any(is_gone)
        || records.iter().any(|record| !config.channels.contains_key(&record.channel));
    let leads = |record: ChannelRecord| Some((record.channel, record.leads.destination?));
    let destinations = records.into_iter().filter_map(leads).collect();
    if alerts.is_empty() && !has_gone {
        return Ok(destinations);
    }
    let holds = alerts.iter().any(|alert| alert.hold.is_some());
    let tenants: BTreeSet<_> = alerts.iter().map(|one| one.alert.tenant.clone()).collect();
    let channels = config.channels.keys().cloned().collect();
    let Rerouted { busy, queued, moved, dead, .. } = store.reroute(Routes { alerts, channels, operator }, now).await?;
    if queued + moved > 0 {
        info!(queued, moved, "firing alerts and waiting notifications go to the channels that are new to their routes");
    }
    if dead > 0 {
        warn!(
            dead,
            "notifications waited for channels that have left and have nowhere else to go; they are dead letters"
        );
        // Some of their notifications have become final.
        for tenant in tenants {
            context.report_settled(tenant);
        }
    }
    // Whoever ended a silence meanwhile let everything be reviewed but what was only now held.
    if holds && store.silences(Some(now)).await? != silences {
        store.look_again(HoldReason::Silence, now).await?;
    }
    for channel in &busy {
        context.wake_if_serving(channel);
    }
    Ok(destinations)
}

/// What is different of an alert's route; `None`: nothing.
fn rerouted(config: &Config, silences: &[Silence], routed: RoutedAlert, now: Timestamp) -> Option<Reroute> {
    let RoutedAlert { alert, is_firing, escalated, notified_channels, waiting } = routed;
    let is_operator = alert.rule.as_str() == NotificationType::OperatorBlind.as_str();
    // Whether the operator is notified of a tenant on its own, or of an outage, is decided by who sees all tenants.
    let is_firing = is_firing && !(is_operator && notified_channels.is_empty());
    let mut route = config.route_of(&alert, escalated).unwrap_or_else(|| {
        // What is said of an alert whose rule or tenant is gone goes where its beginning went.
        let all: BTreeSet<_> = notified_channels.iter().chain(&waiting).cloned().collect();
        all.into_iter().filter(|channel| config.channels.contains_key(channel)).collect()
    });
    // How often an alert was escalated is not known once it is over: whoever was notified of it, or is about to be, hears its end.
    let with_escalations = config.route_of(&alert, u32::MAX).unwrap_or_default();
    let is_kept = |channel: &&ChannelName| with_escalations.contains(channel) && !route.contains(channel);
    let kept: BTreeSet<_> = notified_channels.iter().chain(&waiting).filter(is_kept).cloned().collect();
    route.extend(kept);
    let differs =
        notified_channels.len() != route.len() || notified_channels.iter().any(|channel| !route.contains(channel));
    if !(is_firing && differs || waiting.iter().any(|channel| !route.contains(channel))) {
        return None;
    }
    let until = covered(config, silences, &alert, now);
    let hold = until.map(|until| Hold { why: HoldReason::Silence, until });
    Some(Reroute { alert, route, hold })
}

/// Until when silences and maintenance windows cover the alert.
fn covered(config: &Config, silences: &[Silence], alert: &AlertKey, now: Timestamp) -> Option<Timestamp> {
    let rule = config.rules.iter().find(|rule| rule.name == alert.rule)?;
    let nothing = Labels::new();
    let target = MatchTarget {
        tenant: alert.tenant.as_str(),
        labels: config.tenants.get(&alert.tenant).map_or(&nothing, |tenant| &tenant.labels),
        rule: rule.name.as_str(),
        score: alert.score,
        severity: rule.severity,
        is_blindness: false,
    };
    config.covering(silences, &target, now)
}
