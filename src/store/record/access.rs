//! What is known of tokens, accounts and sessions. None of their secrets is kept, only digests.

use std::{collections::BTreeSet, fmt, time::Duration};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::{Limits, Role, Timestamp};

/// SHA-256 of a token, or of what a browser holds of a session. They have at least 160 random bits, so nothing slower is needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretDigest(pub [u8; 32]);

impl SecretDigest {
    /// The digest of a secret.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest")
    }
}

/// An argon2id hash of a password, with its salt and parameters (PHC string).
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// A token that is made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Its name, which no other valid token has.
    pub name: String,
    /// The digest of the token itself.
    pub digest: SecretDigest,
    /// What it may do.
    pub role: Role,
    /// The tenants that it may see.
    pub limits: Limits,
    /// When it was made.
    pub created_at: Timestamp,
    /// The caller who made the token.
    pub created_by: String,
    /// When it ceases to be valid; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// A token of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its number, which is never given again.
    pub id: i64,
    /// Its name, which no other valid token has.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The tenants that it may see.
    pub limits: Limits,
    /// When it was made.
    pub created_at: Timestamp,
    /// The caller who made the token.
    pub created_by: String,
    /// When it ceases to be valid; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute; `None`: never.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl TokenRecord {
    /// Whether it is accepted.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// An account that is made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its name, which no other account has or had.
    pub name: String,
    /// The hash of its password.
    pub password: PasswordHash,
    /// What it may do.
    pub role: Role,
    /// The tenants that it may see.
    pub limits: Limits,
    /// When it was made.
    pub created_at: Timestamp,
    /// The caller who made the account.
    pub created_by: String,
}

/// Somebody who signs in with a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRecord {
    /// The account's number in the store.
    pub id: i64,
    /// The name that the person signs in with.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The tenants that it may see.
    pub limits: Limits,
    /// When it was made.
    pub created_at: Timestamp,
    /// The caller who made the account.
    pub created_by: String,
    /// When its password was last set.
    pub password_set_at: Timestamp,
    /// When somebody last signed in with it.
    pub last_signed_in_at: Option<Timestamp>,
    /// When it was disabled; `None`: it is not.
    pub disabled_at: Option<Timestamp>,
}

/// A session that begins.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The digest of what the browser holds.
    pub digest: SecretDigest,
    /// The number of the account that signed in.
    pub account: i64,
    /// When the account signed in.
    pub created_at: Timestamp,
    /// When it is over at the latest.
    pub expires_at: Timestamp,
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// The account as it is now.
    pub account: AccountRecord,
    /// When somebody last asked for something in it, to the minute.
    pub seen_at: Timestamp,
    /// When it is over at the latest.
    pub expires_at: Timestamp,
}

impl SessionRecord {
    /// Whether it is accepted.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.account.disabled_at.is_none() && is_open(self.seen_at, self.expires_at, now)
    }
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionHolder {
    /// The account of that name.
    Account(String),
    /// Somebody without an account.
    Person(Person),
}

/// A session of either kind, in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// The digest of what the browser holds.
    pub digest: SecretDigest,
    /// Who is signed in.
    pub holder: SessionHolder,
    /// When the session began, by signing in.
    pub created_at: Timestamp,
    /// When somebody last asked for something in it, to the minute.
    pub seen_at: Timestamp,
    /// When it is over at the latest.
    pub expires_at: Timestamp,
}

impl OpenSession {
    /// Whether it is not over.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        is_open(self.seen_at, self.expires_at, now)
    }
}

/// Somebody without an account, as a provider of OpenID Connect identifies them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The provider that signed the person in, by the address in its ID tokens (`iss`).
    pub issuer: String,
    /// The app that they signed in to.
    pub client_id: String,
    /// Who they are for the provider, for good.
    pub subject: String,
    /// How what they do is signed.
    pub name: String,
    /// Of their groups those that counted when they signed in.
    pub groups: BTreeSet<String>,
    /// Of their app roles those that counted when they signed in.
    pub app_roles: BTreeSet<String>,
}

/// A session that begins, of somebody without an account.
#[derive(Debug, Clone)]
pub struct NewPersonSession {
    /// The digest of what the browser holds.
    pub digest: SecretDigest,
    /// Who the provider says it is.
    pub person: Person,
    /// When the person signed in.
    pub created_at: Timestamp,
    /// When it is over at the latest.
    pub expires_at: Timestamp,
}

/// Somebody without an account who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonSession {
    /// Who the provider says it is.
    pub person: Person,
    /// When somebody last asked for something in it, to the minute.
    pub seen_at: Timestamp,
    /// When it is over at the latest.
    pub expires_at: Timestamp,
}

impl PersonSession {
    /// Whether it is accepted.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        is_open(self.seen_at, self.expires_at, now)
    }
}

/// A session that nobody has used for that long is over.
const IDLE_MAX: Duration = Duration::from_hours(2);

fn is_open(seen_at: Timestamp, expires_at: Timestamp, now: Timestamp) -> bool {
    now < expires_at && now < seen_at.plus(IDLE_MAX)
}
