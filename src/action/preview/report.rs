//! The report of a channel: the tenants are the real ones that it may show, what happened to them is made up.

use std::time::Duration;

use crate::{
    channel::ChannelSettings,
    config::{Config, Tenant},
    domain::{Scope, Timestamp},
    notify::{
        Notification, NotificationId,
        facts::report::ReportDeliveries,
        report::{Fires, Move, Period, TenantStatus, message},
    },
    query::Error,
};

/// The period of a channel that has no schedule for reports yet.
const WEEK: Duration = Duration::from_hours(7 * 24);

pub(super) fn report(
    config: &Config,
    scope: &Scope,
    settings: &ChannelSettings,
    now: Timestamp,
) -> Result<Notification, Error> {
    if settings.kind.keeps_state() {
        return Err(Error::invalid(format!("channel `{}` manages alerts and does not accept reports", settings.name)));
    }
    let before = settings.report.as_ref().and_then(|schedule| schedule.last_tick(now));
    let period = Period { from: before.unwrap_or_else(|| now.minus(WEEK)), until: now };
    let of_scope = config.tenants.values().filter(|tenant| scope.includes(&tenant.id));
    let tenants = of_scope.filter(|tenant| settings.audience.admits(&tenant.id, &tenant.labels));
    let statuses: Vec<TenantStatus> =
        tenants.enumerate().map(|(number, tenant)| status(config, tenant, number, period)).collect();
    let id = NotificationId::of_parts(&["preview", &now.to_string(), "report", settings.name.as_str()]);
    let mut report = message(id, &settings.audience, period, &statuses, ReportDeliveries::default(), now);
    report.data.notification.test = true;
    Ok(report)
}

/// Every other tenant has fallen, the rest have risen; the alert of the first fires.
fn status(config: &Config, tenant: &Tenant, number: usize, period: Period) -> TenantStatus {
    let before = 50.0;
    let value = if number.is_multiple_of(2) { 44.5 } else { 52.0 };
    let moves = tenant.scores.iter().filter(|score| !score.has_subjects());
    let firing = config.rules.iter().filter(|_| number == 0).find_map(|rule| {
        let score = *tenant.scores.iter().find(|score| rule.applies_to(&tenant.labels, **score))?;
        let score = if rule.is_no_data() { rule.score } else { Some(score) };
        Some(Fires { rule: rule.name.clone(), severity: rule.severity, score, subject: None, since: period.from })
    });
    TenantStatus {
        tenant: tenant.id.clone(),
        name: tenant.name.clone(),
        labels: tenant.labels.clone(),
        moves: moves.map(|score| Move { score: *score, subject: None, before, value }).collect(),
        firing: firing.into_iter().collect(),
        blind: None,
        has_excluded: !config.excluded_names(tenant, period.until).is_empty(),
    }
}
