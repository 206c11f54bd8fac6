//! What the front ends need of a store in parts: tokens, accounts, sessions, the audit log, and actions that are done once.

use async_trait::async_trait;
use scorewatch::{
    domain::Timestamp,
    store::{
        Access, AccountRecord, Audit, Begun, Entry, EntryFilter, Idempotency, KeyedRequest, Link, NewAccount, NewEntry,
        NewPersonSession, NewSession, NewToken, OpenSession, PasswordHash, PersonSession, RecordedAnswer, SecretDigest,
        SessionRecord, StoreError, TokenRecord,
    },
};

use super::parts::Parts;

#[async_trait]
impl Audit for Parts {
    async fn record(&self, entry: NewEntry) -> Result<(), StoreError> {
        self.audit.record(entry).await
    }

    async fn entries(&self, filter: &EntryFilter) -> Result<Vec<Entry>, StoreError> {
        self.audit.entries(filter).await
    }

    async fn links(&self, after: u64, limit: u32) -> Result<Vec<Link>, StoreError> {
        self.audit.links(after, limit).await
    }
}

#[async_trait]
impl Access for Parts {
    async fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        self.access.tokens().await
    }

    async fn find_token(&self, digest: SecretDigest) -> Result<Option<TokenRecord>, StoreError> {
        self.access.find_token(digest).await
    }

    async fn add_token(&self, token: NewToken, entry: NewEntry) -> Result<bool, StoreError> {
        self.access.add_token(token, entry).await
    }

    async fn token_used(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        self.access.token_used(id, now).await
    }

    async fn revoke_token(&self, name: &str, entry: NewEntry) -> Result<bool, StoreError> {
        self.access.revoke_token(name, entry).await
    }

    async fn accounts(&self) -> Result<Vec<AccountRecord>, StoreError> {
        self.access.accounts().await
    }

    async fn find_account(&self, name: &str) -> Result<Option<(AccountRecord, PasswordHash)>, StoreError> {
        self.access.find_account(name).await
    }

    async fn add_account(&self, account: NewAccount, entry: NewEntry) -> Result<bool, StoreError> {
        self.access.add_account(account, entry).await
    }

    async fn set_password(&self, name: &str, password: PasswordHash, entry: NewEntry) -> Result<bool, StoreError> {
        self.access.set_password(name, password, entry).await
    }

    async fn disable_account(&self, name: &str, disabled: bool, entry: NewEntry) -> Result<bool, StoreError> {
        self.access.disable_account(name, disabled, entry).await
    }

    async fn add_session(&self, session: NewSession, entry: NewEntry) -> Result<(), StoreError> {
        self.access.add_session(session, entry).await
    }

    async fn find_session(&self, digest: SecretDigest) -> Result<Option<SessionRecord>, StoreError> {
        self.access.find_session(digest).await
    }

    async fn add_person_session(&self, session: NewPersonSession, entry: NewEntry) -> Result<(), StoreError> {
        self.access.add_person_session(session, entry).await
    }

    async fn find_person_session(&self, digest: SecretDigest) -> Result<Option<PersonSession>, StoreError> {
        self.access.find_person_session(digest).await
    }

    async fn sessions(&self) -> Result<Vec<OpenSession>, StoreError> {
        self.access.sessions().await
    }

    async fn session_used(&self, digest: SecretDigest, now: Timestamp) -> Result<(), StoreError> {
        self.access.session_used(digest, now).await
    }

    async fn end_session(&self, digest: SecretDigest, entry: NewEntry) -> Result<bool, StoreError> {
        self.access.end_session(digest, entry).await
    }
}

#[async_trait]
impl Idempotency for Parts {
    async fn begin_request(&self, request: KeyedRequest, now: Timestamp) -> Result<Begun, StoreError> {
        self.idempotency.begin_request(request, now).await
    }

    async fn end_request(&self, request: KeyedRequest, answer: Option<RecordedAnswer>) -> Result<(), StoreError> {
        self.idempotency.end_request(request, answer).await
    }
}
