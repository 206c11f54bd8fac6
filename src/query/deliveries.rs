//! Deliveries: those that match, and one of them with its attempts. A digest, a drill or a report is about no single tenant, and so it
//! is seen only by a scope without limits.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Error, Listing, Page, error::Thing, find, neutral, numbers::Numbers};
use crate::{
    channel::Show,
    config::Config,
    domain::Scope,
    notify::{
        Notification, NotificationId, NotificationType,
        language::{Locale, in_words},
    },
    store::{DeliveryFilter, Store},
    template::summary,
};
pub use crate::{
    notify::{Delivery, DeliveryId, DeliveryState},
    store::DeliveryDetail,
};

/// How many are read together to find those that a limited scope sees.
const BATCH: u32 = 1000;

/// Which deliveries. Every field that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In one of the states of these names; empty: any.
    pub states: Vec<String>,
    /// To the channel of that name.
    pub channel: Option<String>,
    /// About the tenant of that id.
    pub tenant: Option<String>,
}

/// A delivery, and what it says.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct DeliveryLine {
    /// The delivery as it is stored.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// What kind of message it is.
    #[serde(rename = "type")]
    pub kind: NotificationType,
    /// The headline of its notification, in English.
    pub headline: String,
}

impl DeliveryLine {
    /// A delivery of that notification.
    #[must_use]
    pub fn new(delivery: Delivery, notification: &Notification) -> Self {
        Self { delivery, kind: notification.kind, headline: summary(notification, &Locale::default()).headline }
    }
}

/// What deliveries of the scope say, in their order.
///
/// # Errors
/// [`Error::Store`].
pub async fn lines(store: &dyn Store, scope: &Scope, deliveries: Vec<Delivery>) -> Result<Vec<DeliveryLine>, Error> {
    let mut lines = Vec::with_capacity(deliveries.len());
    for delivery in deliveries.into_iter().filter(|delivery| scope.includes_subject(delivery.tenant.as_ref())) {
        // What is for the operator shows only now.
        if let Some(detail) = seen_by(store, scope, delivery.id).await? {
            lines.push(DeliveryLine::new(delivery, &detail.notification));
        }
    }
    Ok(lines)
}

/// Those of these deliveries that the scope sees: what is merged into one about several tenants is not followed there by everybody.
///
/// # Errors
/// [`Error::Store`].
pub async fn seen(
    store: &dyn Store,
    scope: &Scope,
    ids: impl IntoIterator<Item = DeliveryId>,
) -> Result<BTreeSet<DeliveryId>, Error> {
    let mut seen: BTreeSet<DeliveryId> = ids.into_iter().collect();
    if scope.is_all() {
        return Ok(seen);
    }
    for id in seen.clone() {
        if seen_by(store, scope, id).await?.is_none() {
            seen.remove(&id);
        }
    }
    Ok(seen)
}

/// Deliveries that match, newest first.
///
/// # Errors
/// [`Error::Invalid`] for what can't be a state, a channel's name or a tenant's id; [`Error::Store`].
pub async fn list(
    store: &dyn Store,
    scope: &Scope,
    filter: &Filter,
    page: &Page<DeliveryId>,
) -> Result<Listing<Delivery, DeliveryId>, Error> {
    let numbers = Numbers::of_deliveries(store, scope);
    // What the scope was never shown is beyond its last page.
    let before = page.after.map(|after| DeliveryId(numbers.meant(after.0).unwrap_or_default()));
    let filter = DeliveryFilter {
        states: filter.states.iter().map(|name| state(name)).collect::<Result<_, _>>()?,
        channel: filter.channel.as_deref().map(find::channel_name).transpose()?,
        tenant: filter.tenant.as_deref().map(find::tenant_id).transpose()?,
        tenants: scope.tenants().cloned(),
        notification: None,
        before,
        limit: page.to_read().unwrap_or(u32::MAX),
    };
    let found = seen_of(store, scope, filter).await?;
    let found = found.into_iter().map(|found| neutral::delivery(scope, &numbers, found)).collect();
    Ok(Listing::cut(found, page, |last| last.id))
}

/// The first deliveries that match and that the scope sees. The store does not know who sees which channel.
async fn seen_of(store: &dyn Store, scope: &Scope, mut filter: DeliveryFilter) -> Result<Vec<Delivery>, Error> {
    if scope.is_all() {
        return Ok(store.deliveries(&filter).await?);
    }
    let enough = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    filter.limit = filter.limit.max(BATCH);
    let mut seen = Vec::new();
    loop {
        let batch = store.deliveries(&filter).await?;
        let is_last = batch.len() < usize::try_from(filter.limit).unwrap_or(usize::MAX);
        filter.before = batch.last().map(|delivery| delivery.id);
        for delivery in batch.into_iter().filter(|delivery| scope.sees_channel(&delivery.channel)) {
            // What kind of message it is stands in the message only.
            if scope.sees_operator() || is_seen(store, scope, &delivery).await? {
                seen.push(delivery);
            }
        }
        if is_last || seen.len() >= enough {
            seen.truncate(enough);
            return Ok(seen);
        }
    }
}

/// The deliveries of one notification, oldest first: one for each channel.
///
/// # Errors
/// [`Error::Store`].
pub async fn of_notification(
    store: &dyn Store,
    scope: &Scope,
    notification: &NotificationId,
) -> Result<Vec<Delivery>, Error> {
    let filter = DeliveryFilter {
        notification: Some(notification.as_str().to_owned()),
        tenants: scope.tenants().cloned(),
        limit: u32::MAX,
        ..DeliveryFilter::default()
    };
    let numbers = Numbers::of_deliveries(store, scope);
    let found = store.deliveries(&filter).await?.into_iter().rev();
    let found = found.filter(|delivery| scope.sees_channel(&delivery.channel));
    Ok(found.map(|found| neutral::delivery(scope, &numbers, found)).collect())
}

/// One delivery with its notification, its attempts and what it covers.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Store`].
pub async fn show(store: &dyn Store, scope: &Scope, id: DeliveryId) -> Result<DeliveryDetail, Error> {
    let found = seen_by(store, scope, id).await?;
    let mut detail = found.ok_or_else(|| Error::not_found(Thing::Delivery, id))?;
    let is_seen =
        |covered: &Delivery| scope.includes_subject(covered.tenant.as_ref()) && scope.sees_channel(&covered.channel);
    detail.covers.retain(is_seen);
    Ok(neutral::detail(scope, &Numbers::of_deliveries(store, scope), detail))
}

/// The same with the message as its channel is given it: in its language, without what it does not show, and without the values behind
/// the texts, which are in the store only.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Store`].
pub async fn as_sent(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    id: DeliveryId,
) -> Result<DeliveryDetail, Error> {
    let mut detail = show(store, scope, id).await?;
    let notification = match config.channels.get(&detail.delivery.channel) {
        Some(settings) => {
            // What is kept has no links of the configuration in force.
            config.complete_links(settings, &mut detail.notification);
            in_words(&settings.show.of(&detail.notification), &settings.locale)
        }
        // Whoever is handed it instead may be shown no more than a customer is.
        None => in_words(&Show { labels: false, about: false }.of(&detail.notification), &Locale::default()),
    };
    Ok(DeliveryDetail { notification, ..detail })
}

/// A delivery as the store has it, if the scope sees it, by the number that the scope is shown.
async fn seen_by(store: &dyn Store, scope: &Scope, id: DeliveryId) -> Result<Option<DeliveryDetail>, Error> {
    let Some(number) = Numbers::of_deliveries(store, scope).meant(id.0) else { return Ok(None) };
    let found = store.delivery(DeliveryId(number)).await?;
    let is_seen = |DeliveryDetail { delivery, notification, .. }: &DeliveryDetail| {
        scope.includes_subject(delivery.tenant.as_ref()) && neutral::sees(scope, &delivery.channel, notification.kind)
    };
    Ok(found.filter(is_seen))
}

/// Whether the scope sees what a delivery says.
async fn is_seen(store: &dyn Store, scope: &Scope, delivery: &Delivery) -> Result<bool, Error> {
    let found = store.delivery(delivery.id).await?;
    Ok(found.is_some_and(|found| neutral::sees(scope, &delivery.channel, found.notification.kind)))
}

fn state(name: &str) -> Result<DeliveryState, Error> {
    DeliveryState::from_name(name).ok_or_else(|| {
        let known = DeliveryState::ALL.map(DeliveryState::as_str).join(", ");
        Error::invalid(format!("unknown state `{name}`; use one of {known}"))
    })
}
