//! Finds whatever a text may mean: a tenant's id or name, or the id of an alert, a fleet shift, a message or a delivery.

use std::sync::Arc;

use serde::Serialize;

use super::{
    Error,
    alerts::{self, AlertLine},
    deliveries::{self, DeliveryLine},
    find,
    ids::{self, Named},
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

/// What a text may mean, by kind.
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

/// The one thing that a text means, as far as there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The tenant with this id.
    Tenant,
    /// An alert, by its id or by that of a message about it.
    Alert,
    /// The fleet shift of this id.
    Shift(String),
    /// Tenants whose id or name has the text in it.
    Tenants,
    /// A delivery, by its number or by the id of its message.
    Delivery,
}

/// What somebody means by a text, who wants to see one thing: a tenant before anything that has an id, as a name may look like one.
/// `None`: nothing of the scope.
///
/// # Errors
/// [`Error::Ambiguous`] if several things begin with it; [`Error::Store`]; [`Error::Failed`].
pub async fn target(store: &dyn Store, config: &Config, scope: &Scope, text: &str) -> Result<Option<Target>, Error> {
    if find::tenant(config, scope, text).is_ok() {
        return Ok(Some(Target::Tenant));
    }
    let is_part = tenants(config, scope, text).next().is_some();
    match ids::named(store, scope, text).await {
        Ok(Named::Alert(_)) => return Ok(Some(Target::Alert)),
        Ok(Named::Shift(shift)) => return Ok(Some(Target::Shift(shift))),
        Err(error @ Error::Ambiguous { .. }) if !is_part => return Err(error),
        Err(error @ (Error::Store(_) | Error::Failed(_))) => return Err(error),
        Err(_) => {}
    }
    if is_part {
        return Ok(Some(Target::Tenants));
    }
    match ids::delivery(store, scope, text).await {
        Ok(_) => Ok(Some(Target::Delivery)),
        Err(error @ (Error::Ambiguous { .. } | Error::Store(_) | Error::Failed(_))) => Err(error),
        Err(_) => Ok(None),
    }
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
