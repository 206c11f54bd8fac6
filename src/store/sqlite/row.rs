//! Columns that are more than a number or a text.

use crate::{
    domain::{ChannelName, ScoreKind, TenantId, Timestamp},
    notify::{DeliveryState, Hold, HoldReason, Notification, NotificationType, silence::Matchers},
    rule::{Alert, RuleName},
    store::{ScoreFailure, StoreError},
};

fn unreadable(what: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::Undecodable(format!("{what}: {why}"))
}

pub(super) fn notification(text: &str) -> Result<Notification, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable("notification", error))
}

/// Read as it is written in a notification's body, so that a type that is new needs no list here.
pub(super) fn notification_type(text: &str) -> Result<NotificationType, StoreError> {
    serde_json::from_value(text.into()).map_err(|error| unreadable("notification type", error))
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
