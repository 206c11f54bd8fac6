//! Finds whatever a text may mean: a tenant's id or name, or the id of an alert, a fleet shift, a message or a delivery.

use std::sync::Arc;

use serde::Serialize;

use super::{
    Error,
    alerts::{self, AlertLine},
    deliveries::{self, DeliveryLine},
    ids,
};
use crate::{
    config::{Config, Tenant},
    domain::{Scope, TenantId},
    store::Store,
};

/// A tenant that was found.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct FoundTenant {
    /// Its id in the configuration.
    pub id: TenantId,
    /// The tenant's name as messages show it.
    pub name: Arc<str>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Found {
    /// Tenants whose id or name has the text in it, whatever its case: the one of that very id first, the others by id.
    pub tenants: Vec<FoundTenant>,
    /// Alerts whose id begins with it, or that a message is about whose id does.
    pub alerts: Vec<AlertLine>,
    /// The ids of fleet shifts, likewise.
    pub shifts: Vec<String>,
    /// The delivery of that number, or those of messages whose id begins with it.
    pub deliveries: Vec<DeliveryLine>,
    /// Whether there is more than was asked for of one of these.
    pub has_more: bool,
}

/// The tenants of the scope whose id or name has that text in it, by id.
pub fn tenants<'a>(config: &'a Config, scope: &'a Scope, text: &str) -> impl Iterator<Item = &'a Arc<Tenant>> {
    let lower = text.to_lowercase();
    config.tenants.values().filter(move |tenant| {
        scope.includes(&tenant.id)
            && (tenant.id.as_str().contains(&lower) || tenant.name.to_lowercase().contains(&lower))
    })
}

/// What a text may mean, at most that many of each kind.
///
/// # Errors
/// [`Error::Invalid`] if it is blank; [`Error::Store`].
pub async fn search(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    text: &str,
    most: usize,
) -> Result<Found, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::invalid("there is nothing to search for; write a part of a tenant's name, or an id"));
    }
    let mut named: Vec<_> = tenants(config, scope, text).map(found_tenant).collect();
    named.sort_by_key(|tenant| tenant.id.as_str() != text);
    let meant = ids::meant(store, scope, text).await?.unwrap_or_default();
    let sent = ids::deliveries_of(store, scope, text).await?.unwrap_or_default();
    let (mut rows, mut shifts) = (meant.alerts, meant.shifts);
    let has_more = [named.len(), rows.len(), shifts.len(), sent.len()].iter().any(|count| *count > most);
    named.truncate(most);
    rows.truncate(most);
    shifts.truncate(most);
    let rows = rows.into_iter().map(|(row, _)| row).collect();
    let mut found = Found {
        tenants: named,
        alerts: alerts::lines(store, config, scope, rows).await?,
        shifts,
        deliveries: Vec::new(),
        has_more,
    };
    for id in sent.into_iter().take(most) {
        match deliveries::show(store, scope, id).await {
            Ok(detail) => found.deliveries.push(DeliveryLine::new(detail.delivery, &detail.notification)),
            // It was pruned meanwhile.
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn found_tenant(tenant: &Arc<Tenant>) -> FoundTenant {
    FoundTenant { id: tenant.id.clone(), name: tenant.name.clone() }
}
