//! Who is checked less often: a tenant that waits for people, on Microsoft's side or the customer's. Pure.
//!
//! It is checked once an hour, or as often as its schedule says if that is less often: whoever gives consent sees within the
//! hour that it works, and Microsoft is not called in vain every few minutes. Another class of failure, or one score that can
//! be read, ends it.

use std::time::Duration;

use super::{
    judge::Fetched,
    plan::{self, Plan},
};
use crate::{config::Tenant, domain::Timestamp, microsoft::FailureClass, store::TenantHealth};

/// The longest time between two checks of a tenant whose schedule has more of them.
pub const LONGEST: Duration = Duration::from_hours(1);

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
    if !waits_for_people(health, fetched) {
        return regular;
    }
    // The last tick within the hour, not the first one after it.
    let from = now.plus(LONGEST.saturating_sub(tenant.schedule.interval_at(now)));
    regular.max(plan::next_due(plan, tenant, from))
}

/// Whether the tenant's next check is later than its schedule says.
#[must_use]
pub fn is_backed_off(plan: &Plan, tenant: &Tenant, health: &TenantHealth) -> bool {
    let regular = health.checked_at.map(|at| plan::next_due(plan, tenant, at));
    health.failing.is_some() && regular.is_some_and(|regular| health.next_due_at > regular)
}

/// Whether nothing but people can help, and that was known before these answers.
fn waits_for_people(health: Option<&TenantHealth>, fetched: &[Fetched]) -> bool {
    let mut classes = fetched.iter().map(|fetched| {
        let class = FailureClass::from_name(fetched.result.as_ref().err()?.class)?;
        class.waits_for_people().then_some(class)
    });
    let Some(Some(class)) = classes.next() else { return false };
    // The first failure of its kind may be a slip: the next tick says.
    let is_known = health.and_then(|health| health.failing.as_ref()).is_some_and(|known| known.class == class.as_str());
    is_known && classes.all(|class| class.is_some())
}
