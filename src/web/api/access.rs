//! Tokens, accounts and sessions: for whoever administers everything. A token is shown in the answer that makes it, and never again.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    input::Nothing,
    problem::{FORBIDDEN, INVALID, Problem},
    route::{Call, Items, Route},
};
use crate::{
    action::{
        account,
        limits::Written,
        token::{self, VALID_FOR},
    },
    domain::{
        Role::{self, Admin},
        Timestamp,
    },
    query::access::{self, Access, AccountRow, SessionRow, TokenRow},
    secret::password,
};

/// The routes. None of them is for whoever is limited to some tenants.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/tokens", "listTokens", tokens)
            .says("Tokens, newest first: their roles, limits, expiry and last use; never the tokens themselves")
            .takes(Admin)
            .without_limits(),
        Route::post(Admin, "/tokens", "createToken", create)
            .says("Makes a token and shows it, once: the answer is kept nowhere, so a repeated request with the same `Idempotency-Key` is refused")
            .with_status(StatusCode::CREATED)
            .without_limits()
            .answers_a_secret(),
        Route::post(Admin, "/tokens/{name}/revoke", "revokeToken", revoke)
            .says("Revokes a token for good; whoever uses it is refused from the next request on")
            .without_limits(),
        Route::get("/accounts", "listAccounts", accounts)
            .says("Accounts that sign in with a password, by name: their roles, limits and last sign-in")
            .takes(Admin)
            .without_limits(),
        Route::post(Admin, "/accounts", "addAccount", add_account)
            .says("Makes an account with a random password and shows it, once: the answer is kept nowhere, so a repeated request with the same `Idempotency-Key` is refused")
            .with_status(StatusCode::CREATED)
            .without_limits()
            .answers_a_secret(),
        Route::post(Admin, "/accounts/{name}/set-password", "setPassword", set_password)
            .says("Gives an account another random password, ends its sessions, and shows the password, once: the answer is kept nowhere, so a repeated request with the same `Idempotency-Key` is refused")
            .without_limits()
            .answers_a_secret(),
        Route::post(Admin, "/accounts/{name}/disable", "disableAccount", disable)
            .says("Disables an account, and ends its sessions")
            .without_limits(),
        Route::post(Admin, "/accounts/{name}/enable", "enableAccount", enable)
            .says("Enables a disabled account")
            .without_limits(),
        Route::get("/tenants/{id}/access", "showTenantAccess", of_tenant)
            .says("Who can see a tenant: accounts, tokens, and the groups of an identity provider")
            .takes(Admin)
            .without_limits(),
        Route::get("/sessions", "listSessions", sessions)
            .says("Who is signed in, newest session first: accounts, and people whom an identity provider knows")
            .takes(Admin)
            .without_limits(),
        Route::post(Admin, "/sessions/{who}/end", "endSessions", end_sessions)
            .says("Ends every session of an account (by its name) or of a person (by their subject or, if it is unambiguous, their name), who then has to sign in again")
            .without_limits()
            .in_steps(),
    ]
}

async fn tokens(call: Call<Nothing>) -> Result<Items<TokenRow>, Problem> {
    let (store, scope) = (call.store.as_ref(), &call.caller.scope);
    Ok(Items::all(access::tokens(store, &call.config, scope, call.now).await?))
}

/// A token as it is asked for. Everything that it is limited to must hold; without any, it sees all tenants.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Draft {
    /// A name by which you recognize it; no other valid token has it.
    name: String,
    /// What it may do; by default it reads.
    #[serde(default = "viewer")]
    role: Role,
    /// The ids of the tenants that it sees.
    #[serde(default)]
    tenants: Vec<String>,
    /// Labels that the tenants have, all of them.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// How long it is valid, like `90d`, or `never`; by default 365 days.
    valid_for: Option<String>,
}

const fn viewer() -> Role {
    Role::Viewer
}

/// A token that was made.
#[derive(Serialize, JsonSchema)]
struct CreatedToken {
    /// The token's name, by which it is revoked.
    name: String,
    /// The token itself. It is shown only now.
    token: String,
    /// When it ceases to be valid; null: never.
    expires_at: Option<Timestamp>,
}

async fn create(call: Call<Draft>) -> Result<CreatedToken, Problem> {
    let Draft { name, role, tenants, labels, valid_for } = &call.input;
    let draft = token::Draft {
        name: name.clone(),
        role: *role,
        limits: limits(tenants, labels)?,
        valid_for: valid_for.clone().unwrap_or_else(|| VALID_FOR.to_owned()),
    };
    let made = token::create(call.store.as_ref(), &call.config, &call.caller, &draft, call.now).await?;
    Ok(CreatedToken { name: made.name, token: made.secret.expose_secret().to_owned(), expires_at: made.expires_at })
}

/// What was done to a token or an account, by its name.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccessChange")]
struct Changed {
    /// The name that the person signs in with.
    name: String,
}

async fn revoke(call: Call<Nothing>) -> Result<Changed, Problem> {
    let name = call.path("name");
    token::revoke(call.store.as_ref(), &call.caller, name, call.now).await?;
    Ok(Changed { name: name.to_owned() })
}

async fn accounts(call: Call<Nothing>) -> Result<Items<AccountRow>, Problem> {
    Ok(Items::all(access::accounts(call.store.as_ref(), &call.config, &call.caller.scope).await?))
}

async fn of_tenant(call: Call<Nothing>) -> Result<Access, Problem> {
    let (store, scope, id) = (call.store.as_ref(), &call.caller.scope, call.path("id"));
    let found = access::of_tenant(store, &call.config, scope, id, call.now).await?;
    found.ok_or_else(|| Problem::new(FORBIDDEN))
}

/// An account as it is asked for. Everything that it is limited to must hold; without any, it sees all tenants.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    /// The name to sign in with; no other account has it.
    name: String,
    /// What it may do; by default it reads.
    #[serde(default = "viewer")]
    role: Role,
    /// The ids of the tenants that it sees.
    #[serde(default)]
    tenants: Vec<String>,
    /// Labels that the tenants have, all of them.
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// An account that was made, or was given another password.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreatedAccount")]
struct WithPassword {
    /// The name that the person signs in with.
    name: String,
    /// Its password, a random one. It is shown only now; `scorewatch account set-password` sets another.
    password: String,
}

impl WithPassword {
    fn of(name: &str, password: &SecretString) -> Self {
        Self { name: name.to_owned(), password: password.expose_secret().to_owned() }
    }
}

/// How many random passwords are drawn to find one that does not contain the account's name: of one letter, a quarter do not.
const PASSWORDS_MAX: usize = 100;

/// A random password for the account of that name. A short name may be part of one by chance. What can't be a name is refused later.
fn random_password(name: &str) -> SecretString {
    let mut drawn = std::iter::repeat_with(password::random).take(PASSWORDS_MAX);
    let fit = drawn.find(|drawn| password::weakness(drawn, name).is_none());
    fit.unwrap_or_else(password::random)
}

async fn add_account(call: Call<NewAccount>) -> Result<WithPassword, Problem> {
    let NewAccount { name, role, tenants, labels } = &call.input;
    let draft = account::Draft { name: name.clone(), role: *role, limits: limits(tenants, labels)? };
    let password = random_password(name);
    account::add(call.store.as_ref(), &call.config, &call.caller, &draft, password.clone(), call.now).await?;
    Ok(WithPassword::of(name, &password))
}

async fn set_password(call: Call<Nothing>) -> Result<WithPassword, Problem> {
    let name = call.path("name");
    let password = random_password(name);
    account::set_password(call.store.as_ref(), &call.caller, name, password.clone(), call.now).await?;
    Ok(WithPassword::of(name, &password))
}

/// The limits of somebody who is to be let in.
fn limits(tenants: &[String], labels: &BTreeMap<String, String>) -> Result<Written, Problem> {
    if let Some(key) = labels.keys().find(|key| key.contains('=')) {
        return Err(Problem::of_errors(INVALID, vec![format!("`{key}` is not the key of a label")]));
    }
    let labels = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Ok(Written { tenants: tenants.to_vec(), labels })
}

async fn set_disabled(call: Call<Nothing>, is_disabled: bool) -> Result<Changed, Problem> {
    let name = call.path("name");
    account::disable(call.store.as_ref(), &call.caller, name, is_disabled, call.now).await?;
    Ok(Changed { name: name.to_owned() })
}

async fn disable(call: Call<Nothing>) -> Result<Changed, Problem> {
    set_disabled(call, true).await
}

async fn enable(call: Call<Nothing>) -> Result<Changed, Problem> {
    set_disabled(call, false).await
}

async fn sessions(call: Call<Nothing>) -> Result<Items<SessionRow>, Problem> {
    Ok(Items::all(access::sessions(call.store.as_ref(), &call.caller.scope, call.now).await?))
}

/// Sessions that were ended.
#[derive(Debug, Serialize, JsonSchema)]
struct EndedSessions {
    /// The name of whoever the sessions were of.
    who: String,
    /// How many there were.
    ended: u64,
}

async fn end_sessions(call: Call<Nothing>) -> Result<EndedSessions, Problem> {
    let who = call.path("who");
    let ended = account::sign_out(call.store.as_ref(), &call.caller, who, call.now).await?;
    Ok(EndedSessions { who: who.to_owned(), ended })
}
