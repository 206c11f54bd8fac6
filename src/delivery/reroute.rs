//! A changed configuration in effect: whom the alerts that fire are notified to, and what waits for channels that have left.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tracing::{info, warn};

use super::context::Context;
use crate::{
    channel::{ChannelSettings, Identity},
    config::Config,
    domain::{ChannelName, Labels, Timestamp},
    notify::{Hold, HoldReason, NotificationType, Silence, silence::MatchTarget},
    rule::AlertKey,
    store::{ChannelIdentity, ChannelRecord, Reroute, Rerouted, RoutedAlert, Routes, StoreError},
};

/// Channels whose secrets are read at one time, to see where they lead.
const READ_MAX: usize = 32;
/// The longest that one of them is waited for.
const READ_WITHIN: Duration = Duration::from_secs(1);

/// Puts the routes of the configuration in force into effect, unless they are. Of several replicas the lead does so, once all run the
/// same configuration: until then, what one of them lacks may be what another has just got.
pub(super) async fn ensure(context: &Context) -> Result<(), StoreError> {
    let Some(_tenure) = context.lead().filter(|_| context.division.agrees()) else { return Ok(()) };
    let mut in_effect = context.routes.lock().await;
    let config = context.config.borrow().clone();
    if in_effect.as_ref().is_some_and(|in_effect| Arc::ptr_eq(in_effect, &config)) {
        return Ok(());
    }
    *in_effect = None;
    put_in_effect(context, &config).await?;
    *in_effect = Some(config);
    Ok(())
}

/// Puts them into effect once more: something may have been written by an earlier configuration.
pub(super) async fn again(context: &Context) -> Result<(), StoreError> {
    context.routes.lock().await.take();
    ensure(context).await
}

/// Looks whether channels lead elsewhere than before though the configuration is the same: their secrets may be others.
pub(super) async fn look_for_moved(context: &Context, records: &[ChannelRecord]) -> Result<(), StoreError> {
    if records.is_empty() {
        return Ok(());
    }
    let config = context.config.borrow().clone();
    let names = records.iter().map(|record| &record.channel).collect();
    let moved = moved(&config, context.store.identity(), records, Some(&names)).await;
    if moved.is_empty() { Ok(()) } else { again(context).await }
}

/// What is different of channels that the store knows, or new; `only` of these.
async fn moved(
    config: &Config,
    key: &str,
    records: &[ChannelRecord],
    only: Option<&BTreeSet<&ChannelName>>,
) -> Vec<ChannelIdentity> {
    let wanted = |settings: &&Arc<ChannelSettings>| only.is_none_or(|only| only.contains(&settings.name));
    let mut reads = Vec::new();
    for settings in config.channels.values().filter(wanted) {
        reads.push(identity(Arc::clone(settings), key.to_owned()));
    }
    let found: Vec<Option<ChannelIdentity>> = stream::iter(reads).buffered(READ_MAX).collect().await;
    let is_known = |identity: &ChannelIdentity| {
        records.iter().any(|record| {
            record.channel == identity.channel
                && record.destination.as_deref() == Some(&*identity.destination)
                && record.access.as_deref() == Some(&*identity.access)
        })
    };
    found.into_iter().flatten().filter(|identity| !is_known(identity)).collect()
}

/// Where a channel leads. Of one whose secrets can't be read, or not in time, nothing is known: it is as it was. That it can't be
/// written to is said when it is tried.
async fn identity(settings: Arc<ChannelSettings>, key: String) -> Option<ChannelIdentity> {
    let channel = settings.name.clone();
    // A disk that does not answer must hold up neither the runtime nor the other channels.
    let read = tokio::task::spawn_blocking(move || settings.identity(&key).ok());
    let Identity { destination, access } = tokio::time::timeout(READ_WITHIN, read).await.ok()?.ok()??;
    Some(ChannelIdentity { channel, destination, access })
}

async fn put_in_effect(context: &Context, config: &Config) -> Result<(), StoreError> {
    let (store, now) = (context.store.as_ref(), context.clock.now());
    let records = store.channels().await?;
    let moved = moved(config, store.identity(), &records, None).await;
    if !moved.is_empty() {
        store.note_channels(moved, now).await?;
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
    if alerts.is_empty() && !has_gone {
        return Ok(());
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
    Ok(())
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
