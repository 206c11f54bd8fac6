//! What the front ends need of a store in parts: tokens, accounts, sessions, the audit log, actions that are done once, and
//! silences.

use async_trait::async_trait;
use scorewatch::{
    domain::{KeyedRequest, Timestamp},
    notify::{
        Silence, SilenceId,
        silence::{Acknowledgement, NewSilence},
    },
    rule::AlertKey,
    store::{
        Access, AccountRecord, Acknowledged, Audit, Begun, Entry, EntryFilter, Idempotency, Link, NewAccount, NewEntry,
        NewPersonSession, NewSession, NewToken, OpenSession, PasswordHash, PersonSession, RecordedAnswer, SecretDigest,
        SeenAlert, SessionRecord, SilenceNotice, Silences, StoreError, TokenRecord,
    },
};

use super::parts::Parts;

#[async_trait]
impl Audit for Parts {
    async fn record(&self, entry: NewEntry) -> Result<(), StoreError> {
        self.ask(&self.audit, "record").record(entry).await
    }

    async fn entries(&self, filter: &EntryFilter) -> Result<Vec<Entry>, StoreError> {
        self.ask(&self.audit, "entries").entries(filter).await
    }

    async fn links(&self, after: u64, limit: u32) -> Result<Vec<Link>, StoreError> {
        self.ask(&self.audit, "links").links(after, limit).await
    }

    async fn missing_guards(&self) -> Result<Vec<String>, StoreError> {
        self.ask(&self.audit, "missing_guards").missing_guards().await
    }
}

#[async_trait]
impl Access for Parts {
    async fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        self.ask(&self.access, "tokens").tokens().await
    }

    async fn find_token(&self, digest: SecretDigest) -> Result<Option<TokenRecord>, StoreError> {
        self.ask(&self.access, "find_token").find_token(digest).await
    }

    async fn add_token(&self, token: NewToken, entry: NewEntry) -> Result<bool, StoreError> {
        self.ask(&self.access, "add_token").add_token(token, entry).await
    }

    async fn token_used(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        self.ask(&self.access, "token_used").token_used(id, now).await
    }

    async fn revoke_token(&self, name: &str, entry: NewEntry) -> Result<bool, StoreError> {
        self.ask(&self.access, "revoke_token").revoke_token(name, entry).await
    }

    async fn accounts(&self) -> Result<Vec<AccountRecord>, StoreError> {
        self.ask(&self.access, "accounts").accounts().await
    }

    async fn find_account(&self, name: &str) -> Result<Option<(AccountRecord, PasswordHash)>, StoreError> {
        self.ask(&self.access, "find_account").find_account(name).await
    }

    async fn add_account(&self, account: NewAccount, entry: NewEntry) -> Result<bool, StoreError> {
        self.ask(&self.access, "add_account").add_account(account, entry).await
    }

    async fn set_password(&self, name: &str, password: PasswordHash, entry: NewEntry) -> Result<bool, StoreError> {
        self.ask(&self.access, "set_password").set_password(name, password, entry).await
    }

    async fn disable_account(&self, name: &str, disabled: bool, entry: NewEntry) -> Result<bool, StoreError> {
        self.ask(&self.access, "disable_account").disable_account(name, disabled, entry).await
    }

    async fn add_session(&self, session: NewSession, entry: NewEntry) -> Result<(), StoreError> {
        self.ask(&self.access, "add_session").add_session(session, entry).await
    }

    async fn find_session(&self, digest: SecretDigest) -> Result<Option<SessionRecord>, StoreError> {
        self.ask(&self.access, "find_session").find_session(digest).await
    }

    async fn add_person_session(&self, session: NewPersonSession, entry: NewEntry) -> Result<(), StoreError> {
        self.ask(&self.access, "add_person_session").add_person_session(session, entry).await
    }

    async fn find_person_session(&self, digest: SecretDigest) -> Result<Option<PersonSession>, StoreError> {
        self.ask(&self.access, "find_person_session").find_person_session(digest).await
    }

    async fn sessions(&self) -> Result<Vec<OpenSession>, StoreError> {
        self.ask(&self.access, "sessions").sessions().await
    }

    async fn session_used(&self, digest: SecretDigest, now: Timestamp) -> Result<(), StoreError> {
        self.ask(&self.access, "session_used").session_used(digest, now).await
    }

    async fn end_session(&self, digest: SecretDigest, entry: NewEntry) -> Result<bool, StoreError> {
        self.ask(&self.access, "end_session").end_session(digest, entry).await
    }
}

#[async_trait]
impl Idempotency for Parts {
    async fn begin_request(&self, request: KeyedRequest, now: Timestamp) -> Result<Begun, StoreError> {
        self.ask(&self.idempotency, "begin_request").begin_request(request, now).await
    }

    async fn end_request(&self, request: KeyedRequest, answer: Option<RecordedAnswer>) -> Result<(), StoreError> {
        self.ask(&self.idempotency, "end_request").end_request(request, answer).await
    }
}

#[async_trait]
impl Silences for Parts {
    async fn silences(&self, ends_after: Option<Timestamp>) -> Result<Vec<Silence>, StoreError> {
        self.ask(&self.silences, "silences").silences(ends_after).await
    }

    async fn add_silence(
        &self,
        silence: NewSilence,
        notice: Option<SilenceNotice>,
        entry: NewEntry,
    ) -> Result<SilenceId, StoreError> {
        self.ask(&self.silences, "add_silence").add_silence(silence, notice, entry).await
    }

    async fn end_silence(&self, silence: SilenceId, entry: NewEntry) -> Result<bool, StoreError> {
        self.ask(&self.silences, "end_silence").end_silence(silence, entry).await
    }

    async fn acknowledge(&self, alert: &AlertKey, by: Acknowledgement, entry: NewEntry) -> Result<bool, StoreError> {
        self.ask(&self.silences, "acknowledge").acknowledge(alert, by, entry).await
    }

    async fn acknowledge_all(
        &self,
        alerts: Vec<(SeenAlert, NewEntry)>,
        by: Acknowledgement,
    ) -> Result<Vec<Acknowledged>, StoreError> {
        self.ask(&self.silences, "acknowledge_all").acknowledge_all(alerts, by).await
    }

    async fn unacknowledge(&self, alert: &AlertKey, entry: NewEntry) -> Result<bool, StoreError> {
        self.ask(&self.silences, "unacknowledge").unacknowledge(alert, entry).await
    }
}
