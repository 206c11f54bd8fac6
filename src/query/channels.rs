//! Channels: how they fare, which tenants each can ever show, and the keys that webhooks are signed with.

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;

use super::{Error, find, neutral};
use crate::{
    channel::{ChannelKind, ChannelSettings, Webhook, signature::SigningKey},
    config::{Config, Sight},
    delivery::secrets,
    domain::{ChannelName, Scope, TenantId, Timestamp},
    notify::DeliveryState,
    store::{ChannelRecord, Store, Totals},
};

/// How a channel fares, and what waits for it.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct ChannelStatus {
    /// The channel's name in the configuration.
    pub name: ChannelName,
    /// What it sends to, like `teams`.
    pub r#type: &'static str,
    /// `ok`, `failing`, `cooldown` (its breaker is open) or `parked`.
    pub state: &'static str,
    /// The least time between two messages, in seconds.
    pub pace_seconds: f64,
    /// How many deliveries are not finished.
    pub waiting: u64,
    /// How many are dead letters.
    pub dead: u64,
    /// When the oldest delivery was queued that waits and is not held.
    pub oldest_queued_at: Option<Timestamp>,
    /// Why it is parked.
    pub parked: Option<String>,
    /// Since when it is parked; `None`: it is not.
    pub parked_since: Option<Timestamp>,
    /// Since when its attempts fail; `None`: the last one did not.
    pub failing_since: Option<Timestamp>,
    /// Why its last failed attempt failed, while it fails.
    pub failing: Option<String>,
    /// Until when its open breaker lets no attempt through.
    pub cooldown_until: Option<Timestamp>,
    /// When it was last known to work.
    pub proven_at: Option<Timestamp>,
    /// When it was last drilled; `None`, too, while its first drill is still to come.
    pub drilled_at: Option<Timestamp>,
    /// Whether it has not been known to work for so long that the operator is notified.
    pub unproven: bool,
}

impl ChannelStatus {
    fn of(settings: &ChannelSettings, known: Option<&ChannelRecord>, totals: &Totals, now: Timestamp) -> Self {
        let name = &settings.name;
        let count = |wanted: fn(DeliveryState) -> bool| {
            let of = totals.deliveries.iter().filter(|(channel, state, _)| channel == name && wanted(*state));
            of.map(|(_, _, count)| count).sum()
        };
        let parked = known.and_then(|known| known.parked.as_ref());
        let health = known.map(|known| known.health).unwrap_or_default();
        let cooldown_until = health.is_open().then_some(health.cooldown_until).filter(|until| *until > now);
        let drilled_at = known.and_then(|known| known.drilled_at);
        Self {
            name: name.clone(),
            r#type: settings.kind.as_str(),
            state: match (parked, cooldown_until, health.failing_since) {
                (Some(_), ..) => "parked",
                (None, Some(_), _) => "cooldown",
                (None, None, Some(_)) => "failing",
                (None, None, None) => "ok",
            },
            pace_seconds: settings.pace.as_secs_f64(),
            waiting: count(|state| !state.is_finished()),
            dead: count(|state| state == DeliveryState::Dead),
            oldest_queued_at: totals.oldest_queued_at.iter().find(|(channel, _)| channel == name).map(|(_, at)| *at),
            parked: parked.map(|parked| parked.reason.clone()),
            parked_since: parked.map(|parked| parked.since),
            failing_since: health.failing_since,
            failing: health.failing_since.and_then(|_| known?.last_error.clone()),
            cooldown_until,
            proven_at: health.proven_at,
            drilled_at: drilled_at.filter(|at| known.is_some_and(|known| known.seen_at != Some(*at))),
            unproven: settings
                .drill
                .zip(known)
                .is_some_and(|(interval, known)| known.last_verified().missing_since(interval, now).is_some()),
        }
    }

    /// Whether it does not work, or is not known to.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        self.state != "ok" || self.unproven
    }
}

/// Which tenants a channel can ever show, and what sends there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct WhoSees {
    /// The channel's name in the configuration.
    pub channel: ChannelName,
    /// What it can show of the tenants of the scope.
    #[serde(flatten)]
    pub sight: Sight,
}

/// How the channels fare that belong to the scope, by name: see [`find::shows_only`].
///
/// # Errors
/// [`Error::Store`].
pub async fn list(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    now: Timestamp,
) -> Result<Vec<ChannelStatus>, Error> {
    let (totals, known) = (store.totals().await?, store.channels().await?);
    let status = |settings: &Arc<ChannelSettings>| {
        let known = known.iter().find(|known| known.channel == settings.name);
        let status = ChannelStatus::of(settings, known, &totals, now);
        ChannelStatus {
            parked: neutral::reason(scope, status.parked),
            failing: neutral::reason(scope, status.failing),
            ..status
        }
    };
    Ok(find::channels(config, scope).map(status).collect())
}

/// The channels that can show a tenant of the scope, each with what it can show of them; or with `tenant`, those that can show that one.
///
/// # Errors
/// [`Error::NotFound`] if there is no such tenant.
pub fn who_sees(config: &Config, scope: &Scope, tenant: Option<&TenantId>) -> Result<Vec<WhoSees>, Error> {
    let tenant = tenant.map(|id| find::tenant(config, scope, id.as_str())).transpose()?;
    let sees = |sight: &Sight| match tenant {
        Some(tenant) => sight.may_show.contains(&tenant.id),
        None => scope.is_all() || !sight.may_show.is_empty(),
    };
    let sights = config.sights().into_iter().map(|(channel, sight)| WhoSees { channel, sight: within(scope, sight) });
    Ok(sights.filter(|seen| scope.sees_channel(&seen.channel) && sees(&seen.sight)).collect())
}

/// What a channel can show of the tenants of the scope.
fn within(scope: &Scope, mut sight: Sight) -> Sight {
    let keep = |tenants: &mut BTreeSet<TenantId>| tenants.retain(|tenant| scope.includes(tenant));
    keep(&mut sight.may_show);
    keep(&mut sight.named_by);
    sight.rules.values_mut().for_each(keep);
    if !scope.is_all() {
        sight.rules.retain(|_, tenants| !tenants.is_empty());
    }
    sight
}

/// The public keys of a webhook's ed25519 signing secrets, newest first.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] if it is not a webhook or has no such secret; [`Error::Failed`] if a secret
/// can't be read.
pub async fn public_keys(config: &Config, scope: &Scope, name: &str) -> Result<Vec<String>, Error> {
    let settings = find::channel(config, scope, name)?;
    secrets::fetch(settings).await;
    let ChannelKind::Webhook(Webhook { signing_secrets, .. }) = &settings.kind else {
        return Err(Error::Conflict(format!("channel `{name}` is not a `webhook`, and only webhooks are signed")));
    };
    let keys = signing_secrets.iter().map(SigningKey::resolve).collect::<Result<Vec<_>, _>>();
    let keys = keys.map_err(Error::failed)?;
    let keys: Vec<String> = keys.iter().filter_map(SigningKey::public_key).collect();
    if keys.is_empty() {
        return Err(Error::Conflict(format!("channel `{name}` has no `whsk_` secret; a `whsec_` has no public key")));
    }
    Ok(keys)
}
