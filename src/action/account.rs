//! Makes local accounts, sets their passwords, disables them, and ends sessions.

use std::collections::BTreeSet;

use serde_json::json;

use super::limits::{self, Written};
use crate::{
    config::Config,
    domain::{Caller, Role, Timestamp},
    query::{Error, Thing},
    secret::{SecretString, password},
    store::{Access, NewAccount, NewEntry, PasswordHash, SessionHolder},
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

/// Ends every session of an account, by its name, or of somebody whom a provider of OpenID Connect knows, by what the provider calls
/// them for good or, if only one person has it, by their name. How many there were.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`] if there is no such account and nobody of that name is signed in;
/// [`Error::Conflict`] if several are; [`Error::Store`].
pub async fn sign_out(store: &dyn Access, caller: &Caller, who: &str, now: Timestamp) -> Result<u64, Error> {
    limits::must_manage(caller)?;
    let is_exact = |holder: &SessionHolder| match holder {
        SessionHolder::Account(name) => name == who,
        SessionHolder::Person(person) => person.subject == who,
    };
    let mut meant = store.sessions().await?;
    meant.retain(|session| session.is_open(now));
    // What identifies comes before what somebody is called: a person's name must not protect an account.
    let has_exact = store.find_account(who).await?.is_some() || meant.iter().any(|session| is_exact(&session.holder));
    let is_called = |holder: &SessionHolder| matches!(holder, SessionHolder::Person(person) if person.name == who);
    meant.retain(|session| is_exact(&session.holder) || !has_exact && is_called(&session.holder));
    let holders: BTreeSet<_> = meant.iter().map(|session| identity(&session.holder)).collect();
    if !has_exact && holders.len() > 1 {
        let what = format!(
            "several people are called `{who}`; name one by the subject that `scorewatch account sessions` shows"
        );
        return Err(Error::Conflict(what));
    }
    if !has_exact && meant.is_empty() {
        return Err(Error::not_found(Thing::Session, who));
    }
    let mut ended = 0;
    for session in meant {
        let target = identity(&session.holder).1.to_owned();
        let entry = NewEntry::by(caller, "session.end", Some(target), now);
        ended += u64::from(store.end_session(session.digest, entry).await?);
    }
    Ok(ended)
}

/// What tells whose session it is: a person may be called as an account is, or as another person.
fn identity(holder: &SessionHolder) -> (Option<&str>, &str) {
    match holder {
        SessionHolder::Account(name) => (None, name),
        SessionHolder::Person(person) => (Some(&person.issuer), &person.subject),
    }
}

async fn hashed(password: SecretString, name: &str) -> Result<PasswordHash, Error> {
    if let Some(weakness) = password::weakness(&password, name) {
        return Err(Error::invalid(weakness));
    }
    password::hash(password).await.map(PasswordHash).map_err(Error::failed)
}
