//! Tokens, accounts and sessions. Each change is recorded in the audit log by the same transaction.

use async_trait::async_trait;

use crate::{
    domain::Timestamp,
    store::{
        AccountRecord, NewAccount, NewEntry, NewPersonSession, NewSession, NewToken, OpenSession, PasswordHash,
        PersonSession, SecretDigest, SessionRecord, StoreError, TokenRecord,
    },
};

/// Tokens, accounts and sessions. Each change is recorded in the audit log by the same transaction; what changes nothing is not.
#[async_trait]
pub trait Access: Send + Sync + 'static {
    /// Every token, also revoked ones, newest first.
    async fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError>;

    /// The token with that digest, whether or not it is valid.
    async fn find_token(&self, digest: SecretDigest) -> Result<Option<TokenRecord>, StoreError>;

    /// Keeps a new token. `false`: a token of that name is not revoked.
    async fn add_token(&self, token: NewToken, entry: NewEntry) -> Result<bool, StoreError>;

    /// Notes that a token was used.
    async fn token_used(&self, id: i64, now: Timestamp) -> Result<(), StoreError>;

    /// Revokes the token of that name for good. `false`: there is none that is not revoked.
    async fn revoke_token(&self, name: &str, entry: NewEntry) -> Result<bool, StoreError>;

    /// Every account, by name.
    async fn accounts(&self) -> Result<Vec<AccountRecord>, StoreError>;

    /// The account of that name with the hash of its password, whether or not it is disabled.
    async fn find_account(&self, name: &str) -> Result<Option<(AccountRecord, PasswordHash)>, StoreError>;

    /// Keeps a new account. `false`: there is one of that name.
    async fn add_account(&self, account: NewAccount, entry: NewEntry) -> Result<bool, StoreError>;

    /// Sets the password of an account, and ends its sessions. `false`: there is no such account.
    async fn set_password(&self, name: &str, password: PasswordHash, entry: NewEntry) -> Result<bool, StoreError>;

    /// Disables an account and ends its sessions, or enables it again. `false`: there is none, or it is so already.
    async fn disable_account(&self, name: &str, disabled: bool, entry: NewEntry) -> Result<bool, StoreError>;

    /// Keeps a new session, and removes those that are over.
    async fn add_session(&self, session: NewSession, entry: NewEntry) -> Result<(), StoreError>;

    /// The session with that digest, whether or not it is valid.
    async fn find_session(&self, digest: SecretDigest) -> Result<Option<SessionRecord>, StoreError>;

    /// Keeps a new session of somebody without an account, and removes those that are over.
    async fn add_person_session(&self, session: NewPersonSession, entry: NewEntry) -> Result<(), StoreError>;

    /// The session with that digest of somebody without an account, whether or not it is valid.
    async fn find_person_session(&self, digest: SecretDigest) -> Result<Option<PersonSession>, StoreError>;

    /// Every session of either kind that is kept, also those that are over, newest first.
    async fn sessions(&self) -> Result<Vec<OpenSession>, StoreError>;

    /// Notes that a session of either kind was used.
    async fn session_used(&self, digest: SecretDigest, now: Timestamp) -> Result<(), StoreError>;

    /// Ends a session of either kind. `false`: there is none.
    async fn end_session(&self, digest: SecretDigest, entry: NewEntry) -> Result<bool, StoreError>;
}
