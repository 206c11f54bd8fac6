//! Tokens and accounts: who can see and do what. Only whoever sees everything sees them.

use serde::Serialize;

use super::{Error, find};
use crate::{
    config::Config,
    domain::{Labels, Limits, Role, Scope, Timestamp},
    oidc::grant::{Grant, Reach, Who},
    store::{self, SessionHolder},
};

/// The tenants that somebody is limited to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "AccessLimits")]
pub struct Sight {
    /// The ids of the tenants that it is limited to, or their Entra ids where they are not configured; `None`: not by tenant.
    pub tenants: Option<Vec<String>>,
    /// The labels that its tenants must have; `None`: not by label.
    pub labels: Option<Labels>,
    /// How many tenants it sees by the configuration in force.
    pub sees: usize,
}

impl Sight {
    fn of(config: &Config, limits: &Limits) -> Self {
        let known = || config.tenants.values().map(|tenant| (&tenant.id, tenant.account.entra, &*tenant.labels));
        let sees = match limits.scope(known()) {
            Scope::All => config.tenants.len(),
            Scope::Only(tenants, _) => tenants.len(),
        };
        let Limits::Only { tenants, labels } = limits else { return Self { tenants: None, labels: None, sees } };
        let slug = |entra| known().find(|(_, of, _)| *of == entra).map(|(id, ..)| id.to_string());
        let names = tenants
            .as_ref()
            .map(|tenants| tenants.iter().map(|entra| slug(*entra).unwrap_or_else(|| entra.to_string())).collect());
        Self { tenants: names, labels: labels.clone(), sees }
    }
}

/// A token, without the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Token")]
pub struct TokenRow {
    /// The token's name, by which it is revoked.
    pub name: String,
    /// `valid`, `expired` or `revoked`.
    pub state: &'static str,
    /// What it may do.
    pub role: Role,
    /// The tenants that it may see.
    #[serde(flatten)]
    pub limits: Sight,
    /// When it was made.
    pub created_at: Timestamp,
    /// The caller who made the token.
    pub created_by: String,
    /// When it ceases to be valid; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// An account, without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Account")]
pub struct AccountRow {
    /// The name that the person signs in with.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The tenants that it may see.
    #[serde(flatten)]
    pub limits: Sight,
    /// When it was made.
    pub created_at: Timestamp,
    /// The caller who made the account.
    pub created_by: String,
    /// When its password was last set.
    pub password_set_at: Timestamp,
    /// When somebody last signed in with it.
    pub last_signed_in_at: Option<Timestamp>,
    /// When it was disabled.
    pub disabled_at: Option<Timestamp>,
}

/// A session, without what the browser holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Session")]
pub struct SessionRow {
    /// The name of an account, or of somebody whom a provider of OpenID Connect knows.
    pub name: String,
    /// Who that is for the provider, for good; `None`: it is an account.
    pub subject: Option<String>,
    /// The provider that signed the person in; null: an account here.
    pub issuer: Option<String>,
    /// When the person signed in.
    pub created_at: Timestamp,
    /// When somebody last asked for something in it, to the minute.
    pub last_used_at: Timestamp,
    /// When it is over at the latest.
    pub expires_at: Timestamp,
}

/// Who can see one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "TenantAccess")]
pub struct Access {
    /// Accounts that are not disabled, by name.
    pub accounts: Vec<Holder>,
    /// Valid tokens, newest first.
    pub tokens: Vec<Holder>,
    /// Rows of `access.oidc.grants`: groups, app roles, or everybody whom the provider signs in, in the order of the configuration.
    pub grants: Vec<Holder>,
}

/// Somebody who can see a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "TenantAccessHolder")]
pub struct Holder {
    /// The name of the account or the token; of a grant, the group, the app role, or `anyone`.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Whether it sees every tenant, those to come too.
    pub is_unlimited: bool,
}

/// Who can see that tenant by the configuration in force; `None` for a limited scope. Without sign-in, whoever reaches the service does,
/// too ([`Config::needs_sign_in`]).
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Store`].
pub async fn of_tenant(
    store: &dyn store::Access,
    config: &Config,
    scope: &Scope,
    id: &str,
    now: Timestamp,
) -> Result<Option<Access>, Error> {
    let tenant = find::tenant(config, scope, id)?;
    if !scope.is_all() {
        return Ok(None);
    }
    let admits = |limits: &Limits| {
        let this = std::iter::once((&tenant.id, tenant.account.entra, &*tenant.labels));
        limits.scope(this).includes(&tenant.id)
    };
    let holder = |name: String, role, limits: &Limits| Holder { name, role, is_unlimited: *limits == Limits::All };
    let accounts = store.accounts().await?.into_iter();
    let accounts = accounts.filter(|account| account.disabled_at.is_none() && admits(&account.limits));
    let tokens = store.tokens().await?.into_iter().filter(|token| token.is_valid(now) && admits(&token.limits));
    let reaches =
        |grant: &&Grant| grant.reach.scope(std::iter::once((&tenant.id, &*tenant.labels))).includes(&tenant.id);
    let grants = config.access.oidc.iter().flat_map(|settings| &settings.grants).filter(reaches);
    Ok(Some(Access {
        accounts: accounts.map(|account| holder(account.name, account.role, &account.limits)).collect(),
        tokens: tokens.map(|token| holder(token.name, token.role, &token.limits)).collect(),
        grants: grants
            .map(|grant| Holder {
                name: match &grant.who {
                    Who::Anyone => "anyone".to_owned(),
                    Who::Group(group) => format!("group {group}"),
                    Who::AppRole(role) => format!("app role {role}"),
                },
                role: grant.role,
                is_unlimited: grant.reach == Reach::All,
            })
            .collect(),
    }))
}

/// Every session that is not over, newest first; none for a limited scope.
///
/// # Errors
/// [`Error::Store`].
pub async fn sessions(store: &dyn store::Access, scope: &Scope, now: Timestamp) -> Result<Vec<SessionRow>, Error> {
    if !scope.is_all() {
        return Ok(Vec::new());
    }
    let open = store.sessions().await?.into_iter().filter(|session| session.is_open(now));
    let row = |session: crate::store::OpenSession| {
        let (name, subject, issuer) = match session.holder {
            SessionHolder::Account(name) => (name, None, None),
            SessionHolder::Person(person) => (person.name, Some(person.subject), Some(person.issuer)),
        };
        let (created_at, last_used_at, expires_at) = (session.created_at, session.seen_at, session.expires_at);
        SessionRow { name, subject, issuer, created_at, last_used_at, expires_at }
    };
    Ok(open.map(row).collect())
}

/// Every token, newest first; none for a limited scope.
///
/// # Errors
/// [`Error::Store`].
pub async fn tokens(
    store: &dyn store::Access,
    config: &Config,
    scope: &Scope,
    now: Timestamp,
) -> Result<Vec<TokenRow>, Error> {
    if !scope.is_all() {
        return Ok(Vec::new());
    }
    let row = |token: crate::store::TokenRecord| TokenRow {
        state: match (token.revoked_at, token.is_valid(now)) {
            (Some(_), _) => "revoked",
            (None, true) => "valid",
            (None, false) => "expired",
        },
        limits: Sight::of(config, &token.limits),
        name: token.name,
        role: token.role,
        created_at: token.created_at,
        created_by: token.created_by,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
        revoked_at: token.revoked_at,
    };
    Ok(store.tokens().await?.into_iter().map(row).collect())
}

/// Every account, by name; none for a limited scope.
///
/// # Errors
/// [`Error::Store`].
pub async fn accounts(store: &dyn store::Access, config: &Config, scope: &Scope) -> Result<Vec<AccountRow>, Error> {
    if !scope.is_all() {
        return Ok(Vec::new());
    }
    let row = |account: crate::store::AccountRecord| AccountRow {
        limits: Sight::of(config, &account.limits),
        name: account.name,
        role: account.role,
        created_at: account.created_at,
        created_by: account.created_by,
        password_set_at: account.password_set_at,
        last_signed_in_at: account.last_signed_in_at,
        disabled_at: account.disabled_at,
    };
    Ok(store.accounts().await?.into_iter().map(row).collect())
}
