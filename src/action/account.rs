//! Makes local accounts, sets their passwords, and disables them.

use serde_json::json;

use super::limits::{self, Written};
use crate::{
    config::Config,
    domain::{Caller, Role, Timestamp},
    query::{Error, Thing},
    secret::{SecretString, password},
    store::{Access, NewAccount, NewEntry, PasswordHash},
};

/// An account as somebody asks for it.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its name, which no other account has.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The tenants that it may see.
    pub limits: Written,
}

/// Makes an account.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::Invalid`], also for a weak password; [`Error::Conflict`] if there is one of that name;
/// [`Error::Store`].
pub async fn add(
    store: &dyn Access,
    config: &Config,
    caller: &Caller,
    draft: &Draft,
    password: SecretString,
    now: Timestamp,
) -> Result<(), Error> {
    limits::must_manage(caller)?;
    let limits = limits::read(config, caller, &draft.name, &draft.limits)?;
    let password = hashed(password, &draft.name).await?;
    let after = json!({ "role": draft.role, "limits": limits });
    let entry = NewEntry::by(caller, "account.add", Some(draft.name.clone()), now).after(after);
    let account = NewAccount {
        name: draft.name.clone(),
        password,
        role: draft.role,
        limits,
        created_at: now,
        created_by: caller.name.clone(),
    };
    if store.add_account(account, entry).await? {
        return Ok(());
    }
    let what =
        format!("there is an account `{}` already; `scorewatch account set-password` changes its password", draft.name);
    Err(Error::Conflict(what))
}

/// Sets the password of an account, and ends its sessions.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::Invalid`] for a weak password; [`Error::NotFound`]; [`Error::Store`].
pub async fn set_password(
    store: &dyn Access,
    caller: &Caller,
    name: &str,
    password: SecretString,
    now: Timestamp,
) -> Result<(), Error> {
    limits::must_manage(caller)?;
    let password = hashed(password, name).await?;
    let entry = NewEntry::by(caller, "account.set-password", Some(name.to_owned()), now);
    if store.set_password(name, password, entry).await? {
        return Ok(());
    }
    Err(Error::not_found(Thing::Account, name))
}

/// Disables an account and ends its sessions, or enables it again.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`]; [`Error::Conflict`] if it is so already; [`Error::Store`].
pub async fn disable(
    store: &dyn Access,
    caller: &Caller,
    name: &str,
    is_disabled: bool,
    now: Timestamp,
) -> Result<(), Error> {
    limits::must_manage(caller)?;
    let (action, so) = if is_disabled { ("account.disable", "disabled") } else { ("account.enable", "enabled") };
    if store.disable_account(name, is_disabled, NewEntry::by(caller, action, Some(name.to_owned()), now)).await? {
        return Ok(());
    }
    match store.find_account(name).await? {
        Some(_) => Err(Error::Conflict(format!("account `{name}` is already {so}"))),
        None => Err(Error::not_found(Thing::Account, name)),
    }
}

/// Ends every session of an account; how many it had.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`]; [`Error::Store`].
pub async fn end_sessions(store: &dyn Access, caller: &Caller, name: &str, now: Timestamp) -> Result<u64, Error> {
    limits::must_manage(caller)?;
    if store.find_account(name).await?.is_none() {
        return Err(Error::not_found(Thing::Account, name));
    }
    let entry = NewEntry::by(caller, "account.end-sessions", Some(name.to_owned()), now);
    Ok(store.end_sessions(name, entry).await?)
}

async fn hashed(password: SecretString, name: &str) -> Result<PasswordHash, Error> {
    if let Some(weakness) = password::weakness(&password, name) {
        return Err(Error::invalid(weakness));
    }
    password::hash(password).await.map(PasswordHash).map_err(Error::failed)
}
