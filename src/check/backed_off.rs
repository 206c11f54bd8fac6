//! Who is asked less often: a tenant that waits for people, on Microsoft's side or the customer's. Pure.
//!
//! The wait grows with the time between its last two checks, so that it needs no memory of its own: an hour at first, then
//! twice as long each time, up to a day. A missing licence is asked for once a day. Another class, or one score that can be
//! read, ends it.

use std::time::Duration;

use super::{
    judge::Fetched,
    plan::{self, Plan},
};
use crate::{config::Tenant, domain::Timestamp, microsoft::FailureClass, store::TenantHealth};

/// The shortest time between two checks of a failing tenant.
const SHORTEST: Duration = Duration::from_hours(1);
/// The longest time between two checks of a failing tenant.
pub const LONGEST: Duration = Duration::from_hours(24);

/// When the tenant's next check is due, after these answers. `health` is from before them.
#[must_use]
pub fn next_due(
    plan: &Plan,
    tenant: &Tenant,
    health: Option<&TenantHealth>,
    fetched: &[Fetched],
    now: Timestamp,
) -> Timestamp {
    let regular = plan::next_due(plan, tenant, now);
    let Some(wait) = wait(health, fetched, now) else { return regular };
    // The tick nearest to the end of the wait, not the first one after it.
    let from = now.plus(wait.saturating_sub(tenant.schedule.interval_at(now) / 2));
    regular.max(plan::next_due(plan, tenant, from))
}

/// Whether the tenant's next check is later than its schedule says.
#[must_use]
pub fn is_backed_off(plan: &Plan, tenant: &Tenant, health: &TenantHealth) -> bool {
    let regular = health.checked_at.map(|at| plan::next_due(plan, tenant, at));
    health.failing.is_some() && regular.is_some_and(|regular| health.next_due_at > regular)
}

/// How long to wait. `None`: until the next tick.
fn wait(health: Option<&TenantHealth>, fetched: &[Fetched], now: Timestamp) -> Option<Duration> {
    let mut classes = fetched.iter().map(|fetched| {
        let class = FailureClass::from_name(fetched.result.as_ref().err()?.class)?;
        class.waits_for_people().then_some(class)
    });
    let class = classes.next()??;
    if !classes.all(|class| class.is_some()) {
        return None;
    }
    // The first failure of its kind may be a slip: the next tick says.
    let before = health.filter(|health| health.failing.as_ref().is_some_and(|failing| failing.class == class.as_str()));
    let gap = now.since(before?.checked_at?);
    Some(match class {
        FailureClass::LicenceMissing | FailureClass::NotOnboarded => LONGEST,
        _ => gap.saturating_mul(2).clamp(SHORTEST, LONGEST),
    })
}
