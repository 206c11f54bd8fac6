//! Columns that are more than a number or a text.

use super::db::Row;
use crate::{
    domain::{ChannelName, ScoreKind, TenantId, Timestamp},
    notify::{DeliveryState, Envelope, Hold, HoldReason, Notification, NotificationType, silence::Matchers},
    rule::{Alert, AlertKey, Resolution, RuleName},
    store::{ScoreFailure, StoreError},
};
use serde::de::DeserializeOwned;

fn unreadable(what: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::Undecodable(format!("{what}: {why}"))
}

pub(super) fn notification(text: &str) -> Result<Notification, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable("notification", error))
}

pub(super) fn notification_type(text: &str) -> Result<NotificationType, StoreError> {
    named("notification type", text)
}

/// Why an alert is over.
pub(super) fn resolution(text: Option<&str>) -> Result<Option<Resolution>, StoreError> {
    text.map(|text| named("resolution", text)).transpose()
}

/// The columns of an envelope, in the order in which [`envelope`] reads them.
pub(super) const ENVELOPE: &str = "n.type, n.said_at, n.alert_key, n.tenant, n.began_at, n.sequence, n.is_over, n.resolution, \
    n.observed_at, n.severity, n.loss_percent, n.is_operator";

/// The number of the first column after them.
pub(super) const AFTER_ENVELOPE: usize = 12;

/// What the queue knows of a notification: [`ENVELOPE`] from that column on.
pub(super) fn envelope(found: &Row, first: usize) -> Result<Envelope, StoreError> {
    let instant = |index: usize| Ok::<_, StoreError>(time(found.try_get(first + index)?));
    let alert: Option<&str> = found.try_get(first + 2)?;
    Ok(Envelope {
        kind: notification_type(found.try_get(first)?)?,
        at: Timestamp::from_nanos(found.try_get(first + 1)?),
        alert: alert.map(alert_key).transpose()?,
        tenant: optional_tenant(found.try_get(first + 3)?)?,
        began_at: instant(4)?,
        sequence: u64::try_from(found.try_get::<i64, _>(first + 5)?).unwrap_or_default(),
        is_over: found.try_get::<i64, _>(first + 6)? != 0,
        resolution: resolution(found.try_get(first + 7)?)?,
        observed_at: instant(8)?,
        severity: found.try_get::<Option<&str>, _>(first + 9)?.map(|text| named("severity", text)).transpose()?,
        loss_percent: found.try_get(first + 10)?,
        is_operator: found.try_get::<i64, _>(first + 11)? != 0,
    })
}

/// Read as it is written in JSON, so that a name that is new needs no list here.
fn named<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_value(text.into()).map_err(|error| unreadable(what, error))
}

/// The identity of an alert, as it orders deliveries.
pub(super) fn alert_key(text: &str) -> Result<AlertKey, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable("the key of an alert", error))
}

pub(super) fn matchers(text: &str) -> Result<Matchers, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable("matchers", error))
}

/// Why a delivery is held and until when; both or none.
pub(super) fn hold(why: Option<&str>, until: Option<i64>) -> Result<Option<Hold>, StoreError> {
    let (Some(why), Some(until)) = (why, time(until)) else { return Ok(None) };
    let why = HoldReason::from_name(why).ok_or_else(|| unreadable("hold", why))?;
    Ok(Some(Hold { why, until }))
}

pub(super) fn alert(text: &str) -> Result<Alert, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable("alert", error))
}

pub(super) fn channels(text: &str) -> Result<Vec<ChannelName>, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable("channels", error))
}

pub(super) fn channel(text: &str) -> Result<ChannelName, StoreError> {
    ChannelName::parse(text).map_err(|error| unreadable("channel", error))
}

pub(super) fn tenant(text: &str) -> Result<TenantId, StoreError> {
    TenantId::parse(text).map_err(|error| unreadable("tenant", error))
}

pub(super) fn optional_tenant(text: Option<&str>) -> Result<Option<TenantId>, StoreError> {
    text.map(tenant).transpose()
}

pub(super) fn rule(text: &str) -> Result<RuleName, StoreError> {
    RuleName::parse(text).map_err(|error| unreadable("rule", error))
}

pub(super) fn score(text: &str) -> Result<ScoreKind, StoreError> {
    ScoreKind::from_name(text).ok_or_else(|| unreadable("score", text))
}

/// The score of an alert; empty for an alert of the whole tenant.
pub(super) fn alert_score(text: &str) -> Result<Option<ScoreKind>, StoreError> {
    if text.is_empty() { Ok(None) } else { score(text).map(Some) }
}

/// The scores whose checks have been failing.
pub(super) fn failures(text: Option<&str>) -> Result<Vec<ScoreFailure>, StoreError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    serde_json::from_str(text).map_err(|error| unreadable("failures", error))
}

pub(super) fn state(text: &str) -> Result<DeliveryState, StoreError> {
    DeliveryState::from_name(text).ok_or_else(|| unreadable("delivery state", text))
}

pub(super) fn count(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|error| unreadable("count", error))
}

pub(super) fn time(nanos: Option<i64>) -> Option<Timestamp> {
    nanos.map(Timestamp::from_nanos)
}
