//! What a channel is sent of a fleet shift: one message, about those tenants alone that it may show.

pub use super::evidence::Covered;
use super::{KnownShift, evidence, evidence::Verdict, group::Occasion};
use crate::{
    domain::{ChannelName, Severity, TenantId, Timestamp, Unit},
    notify::{
        Notification, NotificationId, NotificationType, compose,
        digest::LINES_MAX,
        notification::{AlertFacts, DigestItem, FleetFacts},
    },
};

/// Most tenants that are named by slug; the fleet has moved, and a list of thousands is read by nobody.
const TENANTS_MAX: usize = 1_000;

/// The id of what a channel is sent of a shift: the same lines, the same message.
#[must_use]
pub fn notice_id(shift: &str, channel: &ChannelName, covered: &[Covered]) -> NotificationId {
    let mut parts = vec!["fleet-notice", shift, channel.as_str()];
    parts.extend(covered.iter().map(|one| one.notification.data.notification.id.as_str()));
    NotificationId::of_parts(&parts)
}

/// Tenants that a notice names in addition to those whose alerts it covers. The channel may show them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// Those that stand out from the shift.
    pub outliers: Vec<TenantId>,
    /// Those that moved along, and that the channel was notified of before the shift showed.
    pub notified_before: Vec<TenantId>,
}

impl Others {
    /// Those of them that a channel may show.
    #[must_use]
    pub fn shown(&self, is_shown: impl Fn(&TenantId) -> bool) -> Self {
        let shown = |all: &[TenantId]| all.iter().filter(|tenant| is_shown(tenant)).cloned().collect();
        Self { outliers: shown(&self.outliers), notified_before: shown(&self.notified_before) }
    }
}

/// The notice of a shift for one channel, with the notifications that it covers there. Of the others, it names those that have
/// no line in it.
#[must_use]
pub fn for_channel(
    known: &KnownShift,
    occasion: Occasion,
    channel: &ChannelName,
    covered: Vec<Covered>,
    others: &Others,
    now: Timestamp,
) -> Notification {
    let has_line = |tenant: &TenantId| covered.iter().any(|one| one.tenant.as_ref() == Some(tenant));
    let named = |tenants: &[TenantId]| -> Vec<String> {
        tenants.iter().filter(|tenant| !has_line(tenant)).map(ToString::to_string).collect()
    };
    let (apart, notified_before) = (named(&others.outliers), named(&others.notified_before));
    let id = notice_id(&known.id, channel, &covered);
    let mut notice = compose::without_alert(NotificationType::FleetShift, id, now);
    let slug = |one: &Covered| one.tenant.as_ref().map(ToString::to_string);
    let mut tenants: Vec<String> = covered.iter().filter_map(slug).collect();
    tenants.sort_unstable();
    tenants.dedup();
    let (alerts, tenant_count, shift) = (covered.len(), tenants.len(), &known.shift);
    tenants.truncate(TENANTS_MAX);
    let measure = match shift.scope.score.unit() {
        Unit::Points => "percent",
        Unit::PointsOf100 | Unit::Percent => "points",
    };
    // Of many tenants no page shows all.
    if tenant_count == 1 {
        notice.data.links.portal = covered.iter().find_map(|one| one.notification.data.links.portal.clone());
    }
    let accepted_count = covered.iter().filter(|one| one.is_accepted).count();
    let evidence = evidence::of_all(shift, &covered);
    let mut facts = FleetFacts {
        id: known.id.clone(),
        occasion,
        score: shift.scope.score,
        subject: shift.scope.category.as_ref().map(ToString::to_string),
        median: shift.median,
        measure: measure.to_owned(),
        from: shift.span.from,
        until: shift.span.until,
        alerts,
        critical: 0,
        warning: 0,
        info: 0,
        left_out: alerts.saturating_sub(LINES_MAX),
        tenant_count,
        tenants,
        apart,
        notified_before,
        evidence,
        accepted: accepted_count > 0 && accepted_count == alerts,
        accepted_count,
    };
    let alerts = covered.iter().filter_map(|one| one.notification.data.alert.as_ref());
    facts.count_severities(severities_of_firing(alerts));
    notice.data.fleet = Some(facts);
    notice.data.items = lines(covered);
    notice
}

/// The severities of those alerts that fire.
pub fn severities_of_firing<'a>(alerts: impl Iterator<Item = &'a AlertFacts>) -> impl Iterator<Item = Severity> {
    alerts.filter(|alert| alert.resolved_at.is_none()).map(|alert| alert.severity)
}

/// The lines: the gravest first, of equals the largest loss, what is over last; at most [`LINES_MAX`].
fn lines(covered: Vec<Covered>) -> Vec<DigestItem> {
    let mut items: Vec<DigestItem> = covered
        .into_iter()
        .map(|Covered { notification, is_accepted, .. }| DigestItem {
            accepted: is_accepted,
            ..DigestItem::from(notification)
        })
        .collect();
    let size = |item: &DigestItem| {
        let score = item.score.as_ref();
        score.and_then(|score| score.loss_percent.or(score.loss)).map_or(0.0, f64::abs)
    };
    items.sort_by(|one, other| {
        let severity = |item: &DigestItem| item.alert.as_ref().map(|alert| alert.severity);
        let is_over = |item: &DigestItem| item.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_some());
        let tenant = |item: &DigestItem| item.tenant.as_ref().map(|tenant| tenant.id.clone());
        is_over(one)
            .cmp(&is_over(other))
            .then_with(|| severity(other).cmp(&severity(one)))
            .then_with(|| size(other).total_cmp(&size(one)))
            .then_with(|| tenant(one).cmp(&tenant(other)))
    });
    items.truncate(LINES_MAX);
    items
}

/// Whether an alert that a notice covers is accepted with it: its own evidence proves that Microsoft changed the score, and it
/// has a level to accept.
#[must_use]
pub fn is_proven(notification: &Notification) -> bool {
    let is_change = notification.data.score.as_ref().is_some_and(|score| score.baseline.is_some());
    let is_open = notification.data.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_none());
    is_change && is_open && evidence::of_alert(&notification.data) == Verdict::Microsoft
}
