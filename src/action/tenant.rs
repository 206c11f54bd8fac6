//! Requests a check of a tenant, and erases the data of one that is no longer configured.

use std::collections::BTreeSet;

use super::record::must;
pub use crate::store::sqlite::erase::{Counts, Erased};
use crate::{
    config::{Config, StoreLocation},
    domain::{Caller, Role, TenantId, Timestamp},
    query::{self, Error, find},
    store::{
        NewEntry, Store, postgres,
        sqlite::{self, erase::EraseError},
    },
};

/// Makes a tenant due now. The running service checks it within seconds; one that does not run, right after its start. A check that is
/// under way counts.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] if it was never checked and is due anyway; [`Error::Store`].
pub async fn recheck(
    store: &dyn Store,
    config: &Config,
    caller: &Caller,
    id: &str,
    now: Timestamp,
) -> Result<(), Error> {
    must(caller, Role::Analyst)?;
    let tenant = find::tenant(config, &caller.scope, id)?;
    let entry = NewEntry::by(caller, "tenant.recheck", Some(format!("tenant {id}")), now);
    if store.request_checks(&BTreeSet::from([tenant.id.clone()]), entry).await? > 0 {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "tenant `{id}` has never been checked; the service checks it as soon as it runs with it"
    )))
}

/// Makes every tenant of the caller's scope due now. They wait for their turn as always: `concurrency` bounds how many are checked at a
/// time. Returns how many became due; a tenant that was never checked is due anyway.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::Store`].
pub async fn recheck_all(store: &dyn Store, config: &Config, caller: &Caller, now: Timestamp) -> Result<u64, Error> {
    must(caller, Role::Analyst)?;
    let of_scope = config.tenants.keys().filter(|tenant| caller.scope.includes(tenant));
    let tenants: BTreeSet<TenantId> = of_scope.cloned().collect();
    let target = if caller.scope.is_all() { "all tenants" } else { "all tenants within limits" };
    let entry = NewEntry::by(caller, "tenant.recheck", Some(target.to_owned()), now);
    Ok(store.request_checks(&tenants, entry).await?)
}

/// Erases what the store knows of a tenant that is no longer configured, named by its id there or its Entra id, and searches for
/// anything that is left. With `is_dry`, only counts. A limited scope names it by its id.
///
/// # Errors
/// [`Error::Invalid`] if it is configured or nothing is known of it; [`Error::Conflict`] while the service watches it;
/// [`Error::Store`].
pub async fn forget(
    config: &Config,
    caller: &Caller,
    name: &str,
    is_dry: bool,
    now: Timestamp,
) -> Result<(TenantId, Erased), Error> {
    must(caller, Role::Admin)?;
    let scope = &caller.scope;
    let name = name.trim();
    let wanted = name.to_ascii_lowercase();
    let is_within = scope.is_all() || TenantId::parse(&wanted).is_ok_and(|id| scope.includes(&id));
    if !is_within {
        return Err(refused(EraseError::Unknown(wanted)));
    }
    let is_it = |id: &TenantId, entra: &str| id.as_str() == name || entra.eq_ignore_ascii_case(name);
    if config.tenants.iter().any(|(id, tenant)| is_it(id, &tenant.account.entra.to_string())) {
        let instead = "remove it from `tenants:` first, and wait until the service has loaded that change";
        return Err(Error::invalid(format!("tenant `{name}` is in the configuration; {instead}")));
    }
    let channels: Vec<_> = config.channels.keys().cloned().collect();
    // Its name is not recorded: it is what is to be forgotten.
    let entry = NewEntry::by(caller, "tenant.forget", None, now);
    let erased = match &config.store {
        StoreLocation::Sqlite(path) => sqlite::erase::erase(path, &wanted, &channels, is_dry, &entry).await,
        StoreLocation::Postgres(database) => {
            let settings = query::database::settings(database);
            postgres::erase::erase(&settings, &wanted, &channels, is_dry, &entry).await
        }
    };
    erased.map_err(refused)
}

fn refused(error: EraseError) -> Error {
    match error {
        EraseError::Unknown(_) => {
            Error::invalid(format!("{error}; `scorewatch tenants list --gone` lists the known ones"))
        }
        EraseError::Watched => Error::Conflict(format!(
            "{error}: it has not loaded a configuration without the tenant; see its log for what is wrong with the file"
        )),
        EraseError::Store(error) => error.into(),
    }
}
