//! Who asks or acts, from where, and what they may do.

use std::{collections::BTreeSet, fmt, net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{EntraTenantId, Labels, Scope, TenantId};

/// Longest name of an account or a token, in bytes.
pub const ACCESS_NAME_BYTES_MAX: usize = 100;

/// What an account or a token may do. Each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May ask, and change nothing.
    Viewer,
    /// Also acknowledges, silences, accepts, resends and asks for checks.
    Analyst,
    /// Also unparks channels, starts drills, and manages tokens and accounts.
    Admin,
}

impl Role {
    /// Every role, the weakest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Analyst, Self::Admin];

    /// As it is written: `viewer`, `analyst`, `admin`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Checks the name of an account or a token: `a-z`, `0-9`, and after the first character also `-`, `_`, `.`, `+` and `@`.
///
/// # Errors
/// What is wrong with it, for people.
pub fn check_access_name(text: &str) -> Result<(), String> {
    let legal = |(index, letter): (usize, char)| {
        letter.is_ascii_lowercase()
            || letter.is_ascii_digit()
            || (index > 0 && matches!(letter, '-' | '_' | '.' | '+' | '@'))
    };
    if text.is_empty() {
        return Err("a name can't be empty".to_owned());
    }
    if text.len() > ACCESS_NAME_BYTES_MAX {
        return Err(format!("a name has at most {ACCESS_NAME_BYTES_MAX} characters"));
    }
    if text.char_indices().all(legal) {
        return Ok(());
    }
    Err("a name has only `a-z`, `0-9` and, after the first character, `-`, `_`, `.`, `+` and `@`".to_owned())
}

/// The tenants to which an account or a token is limited. Tenants are kept by their Entra id, because a slug may change hands. Which
/// tenants have a label is decided by the configuration in force, each time that somebody asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Limits {
    /// It is not limited.
    All,
    /// To tenants for which everything that is given holds. An empty set or mapping, such as what is left when a tenant was erased,
    /// holds for none.
    Only {
        /// Only these tenants, by their Entra ids; `None`: whichever have the labels.
        tenants: Option<BTreeSet<EntraTenantId>>,
        /// With all of these labels.
        labels: Option<Labels>,
    },
}

impl Limits {
    /// The scope among these tenants: each with its slug, its Entra id and its labels. What matches nothing sees nothing.
    #[must_use]
    pub fn scope<'a>(&self, tenants: impl Iterator<Item = (&'a TenantId, EntraTenantId, &'a Labels)>) -> Scope {
        if *self == Self::All {
            return Scope::All;
        }
        Scope::only(
            tenants.filter(|(_, entra, labels)| self.admits(*entra, labels)).map(|(id, ..)| id.clone()).collect(),
        )
    }

    fn admits(&self, entra: EntraTenantId, has: &Labels) -> bool {
        let Self::Only { tenants, labels } = self else { return true };
        let has_all = |labels: &Labels| {
            !labels.is_empty() && labels.iter().all(|(key, value)| has.get(key).is_some_and(|found| found == value))
        };
        (tenants.is_some() || labels.is_some())
            && tenants.as_ref().is_none_or(|tenants| tenants.contains(&entra))
            && labels.as_ref().is_none_or(has_all)
    }
}

/// How somebody came to us, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "via", rename_all = "kebab-case")]
pub enum Origin {
    /// A command on this machine.
    Command {
        /// The user who ran it.
        uid: u32,
        /// What `SUDO_USER` said, which anybody may set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sudo_user: Option<String>,
    },
    /// A page or the API, over loopback and without sign-in.
    Local {
        /// The address of the client; `None`: not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<IpAddr>,
    },
    /// The API, with a token.
    Token {
        /// Which token, whatever it is called; `None` in what an older version recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<i64>,
        /// The address of the client; `None`: not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<IpAddr>,
    },
    /// A page, after sign-in.
    Session {
        /// The address of the client; `None`: not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<IpAddr>,
    },
    /// A page, after sign-in with OpenID Connect: the name is that of a person at the provider, not of an account of ours.
    Provider {
        /// The address of the client; `None`: not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<IpAddr>,
        /// Which person, whatever they are called; `None` in what an older version recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<PersonId>,
    },
    /// The sign-in page, before anybody is known.
    SignIn {
        /// The address of the client; `None`: not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<IpAddr>,
    },
    /// The link in a drill, by whoever reads its channel: nobody signs in for that.
    Link {
        /// The address of the client; `None`: not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<IpAddr>,
    },
    /// The service itself, such as when it loads a changed configuration.
    Service,
}

/// A person as a provider of OpenID Connect identifies them, for good ("OpenID Connect Core 1.0", section 2: `iss` and `sub`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PersonId {
    /// The provider that says who this is, by the address in its ID tokens (`iss`).
    pub issuer: String,
    /// Who they are there.
    pub subject: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = |f: &mut fmt::Formatter<'_>, what: &str, address: &Option<IpAddr>| match address {
            Some(address) => write!(f, "{what}, {address}"),
            None => f.write_str(what),
        };
        match self {
            Self::Command { uid, sudo_user: None } => write!(f, "command, uid {uid}"),
            Self::Command { uid, sudo_user: Some(user) } => write!(f, "command, uid {uid}, SUDO_USER {user}"),
            Self::Local { address } => from(f, "loopback", address),
            Self::Token { address, .. } => from(f, "token", address),
            Self::Session { address } => from(f, "session", address),
            Self::Provider { address, .. } => from(f, "OpenID Connect", address),
            Self::SignIn { address } => from(f, "sign-in", address),
            Self::Link { address } => from(f, "link", address),
            Self::Service => f.write_str("service"),
        }
    }
}

/// Somebody who is known to us, for as long as one request or command takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// How what they do is signed: an account's or a token's name, or a user of this machine.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The tenants that they may see and act on.
    pub scope: Scope,
    /// How they came to us, and from where.
    pub origin: Origin,
    /// What they sent that is to be done once, however often they send it; `None`: what they do now has no key.
    pub request: Option<Arc<KeyedRequest>>,
}

/// An action as it was sent with an idempotency key. It travels with its sender and with each entry of the audit log, so that the
/// transaction that does something also notes that it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Who sent it; keys of one caller mean nothing to another.
    pub caller: String,
    /// The key that the caller drew for it.
    pub key: String,
    /// Of everything that was asked: the same key with another fingerprint is a mistake.
    pub fingerprint: String,
    /// Drawn each time that it is begun, so that an attempt that was given up can be distinguished from the one after it.
    pub attempt: i64,
}

impl Caller {
    /// Somebody at this machine: whoever can reach loopback or run commands has the store and the configuration anyway.
    #[must_use]
    pub fn local(name: impl Into<String>) -> Self {
        let origin = Origin::Local { address: None };
        Self { name: name.into(), role: Role::Admin, scope: Scope::All, origin, request: None }
    }

    /// Somebody who is known by that name alone, and may see and do nothing by it.
    #[must_use]
    pub fn without_rights(name: impl Into<String>, origin: Origin) -> Self {
        let scope = Scope::only(BTreeSet::new());
        Self { name: name.into(), role: Role::Viewer, scope, origin, request: None }
    }

    /// Somebody with this scope and every role. For tests and for what acts on behalf of somebody.
    #[must_use]
    pub fn limited_to(scope: Scope) -> Self {
        Self { scope, ..Self::local("somebody") }
    }

    /// What tells them from others of the same name: a token may be called as an account is, and people of a provider as others are.
    #[must_use]
    pub fn signature(&self) -> String {
        let via = match &self.origin {
            Origin::Provider { person: Some(PersonId { issuer, subject }), .. } => {
                return format!("person {issuer} {subject}");
            }
            Origin::Command { .. } => "command",
            Origin::Local { .. } => "local",
            // A revoked token's name can be given to a new one, which may be somebody else's.
            Origin::Token { id: Some(id), .. } => return format!("token {id} {}", self.name),
            Origin::Token { id: None, .. } => "token",
            Origin::Session { .. } | Origin::SignIn { .. } | Origin::Link { .. } => "account",
            Origin::Provider { .. } => "person",
            Origin::Service => "service",
        };
        format!("{via} {}", self.name)
    }

    /// Whether they may do what takes this role.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.role >= role
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn each_role_may_do_what_the_weaker_ones_may() {
        for (has, takes, may) in [
            (Role::Viewer, Role::Viewer, true),
            (Role::Viewer, Role::Analyst, false),
            (Role::Analyst, Role::Viewer, true),
            (Role::Analyst, Role::Admin, false),
            (Role::Admin, Role::Analyst, true),
        ] {
            let caller = Caller { role: has, ..Caller::local("ann") };
            assert_eq!(caller.may(takes), may, "{has} {takes}");
        }
        assert!(Role::ALL.is_sorted());
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("Admin"), None);
    }

    #[test]
    fn people_of_the_same_name_have_signatures_of_their_own() {
        let person = |issuer: &str, subject: &str| {
            let person = PersonId { issuer: issuer.to_owned(), subject: subject.to_owned() };
            Caller { origin: Origin::Provider { address: None, person: Some(person) }, ..Caller::local("Ann Lee") }
        };
        let signatures: BTreeSet<String> = [
            person("https://a.example", "1"),
            person("https://a.example", "2"),
            person("https://b.example", "1"),
            Caller { origin: Origin::Session { address: None }, ..Caller::local("Ann Lee") },
            Caller { origin: Origin::Token { id: Some(1), address: None }, ..Caller::local("Ann Lee") },
            Caller { origin: Origin::Token { id: Some(2), address: None }, ..Caller::local("Ann Lee") },
            Caller::local("Ann Lee"),
        ]
        .iter()
        .map(Caller::signature)
        .collect();
        assert_eq!(signatures.len(), 7, "{signatures:?}");
    }

    #[test]
    fn names_are_plain() {
        for (text, is_name) in [
            ("ann", true),
            ("ann@mssp.example", true),
            ("grafana-2", true),
            ("", false),
            ("@ann", false),
            ("Ann", false),
            ("ann b", false),
            ("ann\u{202e}", false),
        ] {
            assert_eq!(check_access_name(text).is_ok(), is_name, "{text}");
        }
        assert!(check_access_name(&"x".repeat(ACCESS_NAME_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn limits_are_met_by_what_is_given_and_an_empty_limit_by_nobody() {
        let entra = |number: u128| EntraTenantId(Uuid::from_u128(number));
        let labels = |pairs: &[(&str, &str)]| -> Labels {
            pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
        };
        let (contoso, fabrikam) = (TenantId::parse("contoso").unwrap(), TenantId::parse("fabrikam").unwrap());
        let (gold, none) = (labels(&[("tier", "gold"), ("country", "de")]), labels(&[]));
        let all = || [(&contoso, entra(1), &gold), (&fabrikam, entra(2), &none)].into_iter();
        let only = |tenants: Option<&[u128]>, pairs: Option<&[(&str, &str)]>| Limits::Only {
            tenants: tenants.map(|ids| ids.iter().copied().map(entra).collect()),
            labels: pairs.map(labels),
        };
        assert_eq!(Limits::All.scope(all()), Scope::All);
        for (limits, seen) in [
            (only(Some(&[1]), None), &["contoso"][..]),
            (only(Some(&[1, 2]), None), &["contoso", "fabrikam"]),
            (only(None, Some(&[("tier", "gold")])), &["contoso"]),
            (only(None, Some(&[("tier", "gold"), ("country", "fr")])), &[]),
            (only(Some(&[2]), Some(&[("tier", "gold")])), &[]),
            (only(Some(&[9]), None), &[]),
            (only(Some(&[]), None), &[]),
            (only(None, Some(&[])), &[]),
            (only(Some(&[1]), Some(&[])), &[]),
            (only(None, None), &[]),
        ] {
            let expected = seen.iter().map(|id| TenantId::parse(id).unwrap()).collect();
            assert_eq!(limits.scope(all()), Scope::only(expected), "{limits:?}");
            let written = serde_json::to_string(&limits).unwrap();
            assert_eq!(serde_json::from_str::<Limits>(&written).unwrap(), limits, "{written}");
        }
    }

    #[test]
    fn an_origin_is_read_at_a_glance() {
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        for (origin, text) in [
            (Origin::Command { uid: 0, sudo_user: Some("ann".to_owned()) }, "command, uid 0, SUDO_USER ann"),
            (Origin::Token { id: Some(7), address }, "token, 192.0.2.1"),
            (Origin::Local { address: None }, "loopback"),
            (Origin::Service, "service"),
        ] {
            assert_eq!(origin.to_string(), text);
            let written = serde_json::to_string(&origin).unwrap();
            assert_eq!(serde_json::from_str::<Origin>(&written).unwrap(), origin, "{written}");
        }
    }
}
