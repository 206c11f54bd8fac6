//! Makes and revokes tokens of the API.

use std::fmt;

use serde_json::json;

use super::limits::{self, Written};
use crate::{
    config::Config,
    domain::{Caller, Role, Timestamp, parse_duration},
    query::{Error, Thing},
    secret::{ExposeSecret, SecretString, password},
    store::{Access, NewEntry, NewToken, SecretDigest},
};

/// Begins every token, so that people and secret scanners know one when they see it.
pub const TOKEN_PREFIX: &str = "swt_";

/// How long a token is valid if nobody says otherwise.
pub const VALID_FOR: &str = "365d";

/// A token as somebody asks for it.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its name, which no other valid token has.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The tenants that it may see.
    pub limits: Written,
    /// How long it is valid, like `90d`, or `never` for one that does not expire.
    pub valid_for: String,
}

/// A token that was made. The secret is shown once and kept nowhere.
pub struct Created {
    /// The token's name, by which it is listed and revoked.
    pub name: String,
    /// The token itself, which is shown once and kept nowhere.
    pub secret: SecretString,
    /// When it ceases to be valid; `None`: never.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Created").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Makes a token.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::Invalid`]; [`Error::Conflict`] if a valid token has the name; [`Error::Store`].
pub async fn create(
    store: &dyn Access,
    config: &Config,
    caller: &Caller,
    draft: &Draft,
    now: Timestamp,
) -> Result<Created, Error> {
    limits::must_manage(caller)?;
    let limits = limits::read(config, caller, &draft.name, &draft.limits)?;
    let expires_at = match draft.valid_for.as_str() {
        "never" => None,
        text => {
            let length = parse_duration(text).map_err(|complaint| Error::invalid(complaint.to_string()))?;
            if length.is_zero() {
                return Err(Error::invalid("a token is valid for longer than `0s`"));
            }
            Some(now.plus(length))
        }
    };
    let secret: SecretString = format!("{TOKEN_PREFIX}{}", password::random().expose_secret()).into();
    let after = json!({ "role": draft.role, "limits": limits, "expires_at": expires_at });
    let entry = NewEntry::by(caller, "token.create", Some(draft.name.clone()), now).after(after);
    let token = NewToken {
        name: draft.name.clone(),
        digest: SecretDigest::of(secret.expose_secret()),
        role: draft.role,
        limits,
        created_at: now,
        created_by: caller.name.clone(),
        expires_at,
    };
    if store.add_token(token, entry).await? {
        return Ok(Created { name: draft.name.clone(), secret, expires_at });
    }
    Err(Error::Conflict(format!("there is a token `{}` already; revoke it first, or choose another name", draft.name)))
}

/// Revokes a token for good; whoever uses it is refused from the next request on.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`]; [`Error::Store`].
pub async fn revoke(store: &dyn Access, caller: &Caller, name: &str, now: Timestamp) -> Result<(), Error> {
    limits::must_manage(caller)?;
    if store.revoke_token(name, NewEntry::by(caller, "token.revoke", Some(name.to_owned()), now)).await? {
        return Ok(());
    }
    Err(Error::not_found(Thing::Token, name))
}
