//! What a verified ID token says (OpenID Connect Core 1.0, sections 2 and 3.1.3.7): whether it is for us, for this sign-in and for
//! now; who the person is; which groups and app roles they have.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use super::{
    error::{SignInError, SignInFailure},
    grant::{Membership, group_name},
    jws::Claims,
    pending::is_same,
    settings::{Entra, Settings},
};
use crate::domain::{Timestamp, characters::cleaned};

/// How far the provider's clock may be from ours.
const LEEWAY: Duration = Duration::from_mins(1);
/// Longest identifier of a person that the standard allows, in bytes.
const SUBJECT_BYTES_MAX: usize = 255;
/// Longest name of a person that is kept, in characters.
const NAME_CHARACTERS_MAX: usize = 128;
/// Most groups or roles that are read. Entra puts 200 groups into a token.
const VALUES_MAX: usize = 5000;

/// What a token must match.
pub(super) struct Expected<'a> {
    pub(super) settings: &'a Settings,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

/// A person, as the provider identifies them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) subject: String,
    pub(super) name: String,
}

/// Whether the token has room for the person's groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupsClaim {
    /// They are in it.
    Complete,
    /// It says that they have to be looked up, as there are too many.
    Overage,
    /// It has no such claim.
    Absent,
}

fn invalid(what: &'static str, hint: &'static str) -> SignInError {
    SignInError::new(SignInFailure::TokenInvalid, what, hint)
}

/// What is wrong is not in the administrator's hands, or nobody could name it from here.
const PROVIDER: &str = "start again; if this happens each time, the provider's configuration is wrong";
const CLOCK: &str = "set this machine's clock, or the provider's";

/// Says who the person is, if the token is for us, for this sign-in and for now.
pub(super) fn identify(claims: &Claims, expected: &Expected<'_>) -> Result<Identity, SignInError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let settings = expected.settings;
    if text("iss") != Some(&settings.issuer) {
        return Err(invalid("the ID token is from another issuer", "check `access.oidc.issuer`"));
    }
    let is_for_us = match claims.get("aud") {
        Some(Value::String(audience)) => *audience == settings.client_id,
        // Others in the list could use the token too: none is trusted.
        Some(Value::Array(list)) => matches!(list.as_slice(), [one] if one.as_str() == Some(&settings.client_id)),
        _ => false,
    };
    let is_issued_to_us = claims.get("azp").is_none_or(|party| party.as_str() == Some(&settings.client_id));
    if !is_for_us || !is_issued_to_us {
        return Err(invalid("the ID token is for another app", "check `access.oidc.client_id`"));
    }
    in_time(claims, expected.now)?;
    if !text("nonce").is_some_and(|nonce| is_same(nonce, expected.nonce)) {
        return Err(invalid("the ID token belongs to another sign-in", PROVIDER));
    }
    if let Some(Entra { tenant, .. }) = &settings.entra
        && text("tid") != Some(tenant.to_string().as_str())
    {
        return Err(invalid(
            "the account belongs to another Entra tenant",
            "sign in with an account of the tenant that `access.oidc.issuer` names, or invite the account there as a guest",
        ));
    }
    let subject = text("sub").filter(|subject| (1..=SUBJECT_BYTES_MAX).contains(&subject.len()));
    let subject = subject.ok_or_else(|| invalid("the ID token does not say who the person is", PROVIDER))?;
    // Not `name`, which people may choose as they like: the audit shows it.
    let names = ["preferred_username", "email"].into_iter().filter_map(text).map(name);
    let name = names.chain([name(subject)]).find(|name| !name.is_empty());
    let name = name.ok_or_else(|| invalid("the ID token has no name that can be shown", PROVIDER))?;
    Ok(Identity { subject: subject.to_owned(), name })
}

fn name(text: &str) -> String {
    cleaned(text).trim().chars().take(NAME_CHARACTERS_MAX).collect()
}

fn in_time(claims: &Claims, now: Timestamp) -> Result<(), SignInError> {
    let (earliest, latest) = (now.minus(LEEWAY), now.plus(LEEWAY));
    let times = ["exp", "iat", "nbf"].map(|name| claims.get(name).map(seconds));
    let [Some(Some(expires_at)), Some(Some(issued_at)), begins_at] = times else {
        return Err(invalid("the ID token does not say when it was issued and when it expires", PROVIDER));
    };
    let begins_at = match begins_at {
        None => issued_at,
        Some(Some(begins_at)) => begins_at,
        Some(None) => return Err(invalid("the ID token does not say when it becomes valid", PROVIDER)),
    };
    if expires_at <= earliest {
        return Err(invalid("the ID token has expired", CLOCK));
    }
    if issued_at > latest || begins_at > latest {
        return Err(invalid("the ID token is not valid yet", CLOCK));
    }
    Ok(())
}

/// A `NumericDate`: seconds after the epoch, which may have a fraction (RFC 7519, section 2).
fn seconds(value: &Value) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "a number beyond the range saturates")]
    let of_fraction = |number: f64| number.is_finite().then_some(number.floor() as i64);
    value.as_i64().or_else(|| value.as_f64().and_then(of_fraction)).map(Timestamp::from_seconds)
}

/// Of the person's groups and app roles those that grants name.
pub(super) fn membership(claims: &Claims, settings: &Settings) -> Membership {
    let held = |claim: &str| -> BTreeSet<String> {
        match claims.get(claim) {
            Some(Value::String(one)) => [one.clone()].into(),
            Some(Value::Array(list)) => {
                list.iter().take(VALUES_MAX).filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => BTreeSet::new(),
        }
    };
    let groups: BTreeSet<String> = held(&settings.groups_claim).iter().map(|group| group_name(group)).collect();
    let app_roles = held("roles");
    let grants = &settings.grants;
    let named = |name: Option<&str>, held: &BTreeSet<String>| name.and_then(|name| held.get(name)).cloned();
    Membership {
        groups: grants.iter().filter_map(|grant| named(grant.group(), &groups)).collect(),
        app_roles: grants.iter().filter_map(|grant| named(grant.app_role(), &app_roles)).collect(),
    }
}

/// Whether the groups are in the token. Entra names a source instead of more than 200 groups ("Configure group claims", groups
/// overage); that source is an address, which nobody here calls.
pub(super) fn groups_claim(claims: &Claims, settings: &Settings) -> GroupsClaim {
    if claims.contains_key(&settings.groups_claim) {
        return GroupsClaim::Complete;
    }
    let is_elsewhere = claims.get("_claim_names").is_some_and(|names| names.get(&settings.groups_claim).is_some());
    let has_groups = claims.get("hasgroups").is_some_and(|value| *value == Value::Bool(true) || value == "true");
    if is_elsewhere || has_groups { GroupsClaim::Overage } else { GroupsClaim::Absent }
}
