//! What a channel hears of a fleet shift: one message, about those tenants alone that it may show.

use super::{KnownShift, Shift};
use crate::{
    domain::{ChannelName, TenantId, Timestamp, Unit},
    notify::{
        Notification, NotificationId, NotificationType, compose,
        digest::LINES_MAX,
        notification::{DigestItem, FleetFacts},
    },
};

/// Most tenants that are named; the fleet has moved, and a list of thousands is read by nobody.
const TENANTS_MAX: usize = 1_000;

/// The id of a shift: the same score, direction and time, the same shift.
#[must_use]
pub fn shift_id(store: &str, shift: &Shift) -> String {
    let category = shift.scope.category.as_ref().map_or("", |category| category.as_str());
    let parts = [
        "fleet",
        store,
        shift.scope.score.as_str(),
        category,
        if shift.is_fall() { "fall" } else { "rise" },
        &shift.span.from.to_string(),
    ];
    NotificationId::of_parts(&parts).as_str().to_owned()
}

/// The id of what a channel hears of a shift: there is one such message.
#[must_use]
pub fn notice_id(shift: &str, channel: &ChannelName) -> NotificationId {
    NotificationId::of_parts(&["fleet-notice", shift, channel.as_str()])
}

/// Tenants that a notice names besides those whose alerts go along with it. The channel may show them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// Those that stand out from the shift.
    pub outliers: Vec<TenantId>,
    /// Those that moved along, and that the channel was told of before the shift showed.
    pub told_before: Vec<TenantId>,
}

impl Others {
    /// Those of them that a channel may show.
    #[must_use]
    pub fn shown(&self, is_shown: impl Fn(&TenantId) -> bool) -> Self {
        let shown = |all: &[TenantId]| all.iter().filter(|tenant| is_shown(tenant)).cloned().collect();
        Self { outliers: shown(&self.outliers), told_before: shown(&self.told_before) }
    }
}

/// The notice of a shift for one channel, with the alerts that go along with it there. Of the others, it names those that have no
/// alert in it.
#[must_use]
pub fn for_channel(
    known: &KnownShift,
    channel: &ChannelName,
    explained: Vec<DigestItem>,
    others: &Others,
    now: Timestamp,
) -> Notification {
    let has_alert = |tenant: &TenantId| {
        explained.iter().filter_map(|item| item.tenant.as_ref()).any(|facts| facts.id == tenant.as_str())
    };
    let named = |tenants: &[TenantId]| -> Vec<String> {
        tenants.iter().filter(|tenant| !has_alert(tenant)).map(ToString::to_string).collect()
    };
    let (apart, told_before) = (named(&others.outliers), named(&others.told_before));
    message(&known.id, channel, &known.shift, explained, (apart, told_before), now)
}

/// `explained` are the alerts that it stands for there; then the slugs of tenants that are told by themselves, and that were.
fn message(
    id: &str,
    channel: &ChannelName,
    shift: &Shift,
    explained: Vec<DigestItem>,
    (apart, told_before): (Vec<String>, Vec<String>),
    now: Timestamp,
) -> Notification {
    let mut notice = compose::without_alert(NotificationType::FleetShift, notice_id(id, channel), now);
    let slugs = |item: &DigestItem| item.tenant.as_ref().map(|tenant| tenant.id.clone());
    let mut tenants: Vec<String> = explained.iter().filter_map(slugs).collect();
    tenants.sort_unstable();
    tenants.dedup();
    let (alerts, tenant_count) = (explained.len(), tenants.len());
    tenants.truncate(TENANTS_MAX);
    let measure = match shift.scope.score.unit() {
        Unit::Points => "percent",
        Unit::PointsOf100 | Unit::Percent => "points",
    };
    notice.data.links.portal = explained.iter().find_map(|item| item.links.portal.clone());
    notice.data.fleet = Some(FleetFacts {
        score: shift.scope.score,
        subject: shift.scope.category.as_ref().map(ToString::to_string),
        median: shift.median,
        measure: measure.to_owned(),
        from: shift.span.from,
        until: shift.span.until,
        alerts,
        tenant_count,
        tenants,
        apart,
        told_before,
    });
    let mut items = explained;
    items.sort_by_key(|item| std::cmp::Reverse(item.alert.as_ref().map(|alert| alert.severity)));
    items.truncate(LINES_MAX);
    notice.data.items = items;
    notice
}
